"""Stage one of the encoding as an ONNX graph: from raw columns to the tensors of ``nervura.encoding``, in float64.

Every column is one input by its kind, of shape (rows, 1):

- numbers, and yes/no columns that the source holds as numbers or booleans: float64, NaN where missing
- yes/no columns of words, and categories: strings, empty where missing, without spaces around them
- dates and times: int64, milliseconds since 1970-01-01, the least int64 (NumPy's NaT) where missing

Pictures are uint8 (rows, height, width, channels), as the network takes them.

The steps are those of the run's own encoding, so that not the last bit differs: Polars divides by a constant by
multiplying by its inverse.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura import pictures
from nervura.encoding import FIRST_LEVEL, LIMIT, MISSING, MONDAY, PERIODS, PICTURES, UNLISTED, picture_shape, values
from nervura.errors import RunError
from nervura.onnx_graph import Graph, Value
from nervura.schema import Column, Schema

if TYPE_CHECKING:
    import polars as pl

NO_TIME = np.iinfo(np.int64).min
"""The milliseconds of a missing moment."""

UNKNOWN = -1

MOST_SPELLINGS = 4096
"""Of one word: each is an entry in the file."""


def input_names(schema: Schema) -> dict[str, str]:
    """The name of each input column in the graph: its own, where a graph can have it."""
    taken: dict[str, str] = {}
    for column in schema.inputs:
        name = column.name.lstrip("/") or "column"
        while name in taken.values():
            name += "_"
        taken[column.name] = name
    return taken


def form(column: Column) -> str:
    """What a column's input holds: ``string``, ``float64``, ``int64`` or, of pictures, ``uint8``."""
    if column.kind == "category" or _in_words(column):
        return "string"
    return {"datetime": "int64", "image": "uint8"}.get(column.kind, "float64")


def _in_words(column: Column) -> bool:
    """Whether it is a yes/no column that the source holds as words."""
    return column.kind == "boolean" and column.parsing is not None


def encoded(graph: Graph, schema: Schema) -> dict[str, Value]:
    """Adds an input for each column, and gives the encoded tensors by name.

    Raises:
        RunError: there is a column that a graph cannot encode.
    """
    for column in schema.inputs:
        if column.kind in ("text", "document"):
            other = "code" if column.kind == "text" else "keras"
            raise RunError(
                f"An ONNX graph has no operators that take words out of a text; the run has the {column.kind} column "
                f"'{column.name}'. Write --to {other}, or train without it: --drop {column.name}"
            )
    names = input_names(schema)
    raw = {
        column.name: graph.input(names[column.name], DTYPES[form(column)], shape(column)) for column in schema.inputs
    }
    image = next((column for column in schema.inputs if column.kind == "image"), None)
    if image is not None:
        return {PICTURES: raw[image.name]}
    known = [column for column in schema.inputs if column.kind != "category"]
    made: dict[str, Value | None] = {}
    if known:
        numbers = [_number(column, raw[column.name]) for column in known]
        side = graph.op("Concat", *numbers, axis=1)
        made |= {"numbers": _numbers(side, known), "flags": _flags(side, known)}
    codes = [_codes(column, raw[column.name]) for column in schema.inputs if column.kind == "category"]
    if codes:
        made["categories"] = graph.op("Concat", *codes, axis=1).cast(np.int32)
    return {name: value for name, value in made.items() if value is not None}


DTYPES: dict[str, type] = {"string": str, "float64": np.float64, "int64": np.int64, "uint8": np.uint8}


def shape(column: Column) -> list[int | str]:
    """Of a column's input."""
    return ["rows", *(picture_shape(column) if column.kind == "image" else (1,))]


def feeds(schema: Schema, rows: pl.DataFrame) -> dict[str, np.ndarray]:
    """Raw rows, as the run's source reads them, as a user of the graph would hand them over."""
    import polars as pl

    names = input_names(schema)
    made = {}
    # One selection for all: in wide frames each takes long.
    selected = rows.select(
        (pl.col(column.name).str.strip_chars() if _in_words(column) else values(column)).alias(column.name)
        for column in schema.inputs
        if column.kind != "image"
    )
    typed = dict(zip(selected.columns, selected.get_columns(), strict=True))
    for column in schema.inputs:
        kind = form(column)
        if kind == "uint8":
            found, _ = pictures.decode(rows[column.name], column.encoding or {})
        elif kind == "string":
            found = typed[column.name].fill_null("").to_numpy().astype(object)
        elif kind == "int64":
            found = typed[column.name].dt.epoch("ms").fill_null(NO_TIME).to_numpy()
        else:
            found = typed[column.name].cast(pl.Float64).fill_null(math.nan).to_numpy()
        made[names[column.name]] = found if kind == "uint8" else found.reshape(-1, 1)
    return made


def _number(column: Column, raw: Value) -> Value:
    """A column as float64 (rows, 1) with NaN where it is missing: numbers, ones and zeros, seconds."""
    graph, missing = raw.graph, math.nan
    if column.kind == "datetime":
        seconds = (raw * np.int64(1000)).cast(np.float64) * (1 / 1e6)
        return graph.op("Where", raw.op("Equal", raw, np.int64(NO_TIME)), missing, seconds)
    if form(column) == "string":
        parsing: Any = column.parsing
        words = {spelt: code for code, key in enumerate(("false", "true")) for spelt in _spellings(parsing[key])}
        found = graph.lookup(raw, words, UNKNOWN)
        return graph.op("Where", found.op("Less", found, np.int64(0)), missing, found.cast(np.float64))
    return graph.op("Where", raw.op("IsInf", raw), missing, raw)


def _spellings(words: list[str]) -> list[str]:
    """The words in all mixtures of small and capital letters: a graph's own change of case needs the system's locale.

    Of words so long that the mixtures are too many, the usual ones alone: small, capital, and capital at the beginning of
    the first or of each word.
    """
    found: list[str] = []
    for word in words:
        letters = [dict.fromkeys((letter, letter.upper())) for letter in word]
        if math.prod(map(len, letters)) <= MOST_SPELLINGS:
            found += ("".join(mixture) for mixture in itertools.product(*letters))
        else:
            found += dict.fromkeys((word, word.upper(), word[0].upper() + word[1:], word.title()))
    return found


def _numbers(side: Value, columns: list[Column]) -> Value | None:
    """The tensor ``numbers`` from the columns side by side."""
    places = [place for place, column in enumerate(columns) if column.kind in ("number", "datetime")]
    if not places:
        return None
    graph = side.graph
    told: list[Any] = [columns[place].encoding for place in places]
    origin, unit = (np.array([one[key] for one in told], dtype=np.float64) for key in ("origin", "unit"))
    given = side.columns(places)
    # Only then clipped: what clipping makes of NaN differs between versions.
    scaled = graph.op("Clip", _filled((given - origin) * (1 / unit), 0.0), -LIMIT, LIMIT)
    circles = [(place, period) for place, one in zip(places, told, strict=True) for period in one.get("periods", [])]
    if not circles:
        return scaled.cast(np.float32)
    lengths = np.array([PERIODS[period] for _, period in circles])
    turns = (side.columns([place for place, _ in circles]) - MONDAY) * (1 / lengths) * (2 * math.pi)
    waves = [_filled(graph.op(kind, turns), 0.0) for kind in ("Sin", "Cos")]
    # Behind each column's own number stand the sines and cosines of its periods.
    order, turn = [], 0
    for number, one in enumerate(told):
        order.append(number)
        for _ in one.get("periods", []):
            order += [len(places) + turn, len(places) + len(circles) + turn]
            turn += 1
    return graph.op("Concat", scaled, *waves, axis=1).columns(order).cast(np.float32)


def _flags(side: Value, columns: list[Column]) -> Value | None:
    """The tensor ``flags`` from the columns side by side."""
    graph = side.graph
    answers = [place for place, column in enumerate(columns) if column.kind == "boolean"]
    indicated = [place for place, column in enumerate(columns) if (column.encoding or {}).get("indicator")]
    blocks = []
    if answers:
        given = side.columns(answers)
        blocks.append(graph.op("Where", given.is_nan(), 0.5, given.op("Greater", given, 0.0).cast(np.float64)))
    if indicated:
        blocks.append(side.columns(indicated).is_nan().cast(np.float64))
    if not blocks:
        return None
    order = []
    for place in range(len(columns)):
        order += [answers.index(place)] if place in answers else []
        order += [len(answers) + indicated.index(place)] if place in indicated else []
    return graph.op("Concat", *blocks, axis=1).columns(order).cast(np.float32)


def _filled(value: Value, fill: float) -> Value:
    return value.op("Where", value.is_nan(), fill, value)


def _codes(column: Column, raw: Value) -> Value:
    levels: list[str] = (column.encoding or {})["levels"]
    codes = {level: FIRST_LEVEL + place for place, level in enumerate(levels)}
    return raw.graph.lookup(raw, {**codes, "": MISSING}, UNLISTED)
