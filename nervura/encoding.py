"""Stage one of the encoding: columns become numbers, flags and level codes, exactly, in float64, by Polars expressions.

What is learnt from the training rows is JSON in ``Column.encoding``. Stage two (scaling, bins, embeddings) belongs to
each network and lies inside its Keras model. A batch of a table is at most three tensors, whatever the number of columns:

- ``numbers``    float32 (rows, n): quantities, in units of their own spread around their own median
- ``flags``      float32 (rows, n): yes/no columns, "is missing" indicators, words of a text
- ``categories`` int32   (rows, n): codes; 0 is a level not in the list, 1 is missing, 2... are the levels

A batch of pictures is one tensor:

- ``pictures``   uint8   (rows, height, width, channels): grey or red, green, blue, from 0 to 255

So is a batch of series:

- ``series``     float32 (rows, length, channels): in units of their spread around their median; NaN beyond a series' end

Documents are a tensor beside those of the other columns:

- ``words``      uint8   (rows, n): how often each stem is in a row's documents, from 0 to 255 (see ``nervura.words``)

Where a document is the only input and a target is predicted, two more stand beside it (see ``nervura.texts``):

- ``tokens``     int32   (rows, length): its words and signs in their order
- ``terms``      float32 (rows, most, 2): the numbers and TF-IDF weights of its words and pairs of words
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nervura import pictures, series, texts, windows, words
from nervura.parsing import infer_parsing, parse
from nervura.schema import Column, Schema

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

UNLISTED, MISSING, FIRST_LEVEL = 0, 1, 2
"""The codes of a level that is not in the list, of a missing value, and of the first listed level."""

MAX_LEVELS = 5_000
MAX_WORDS = 64
PICTURES, SERIES = "pictures", "series"
"""The names of the tensors of pictures and of series."""

MEDIA = {"image": PICTURES, "series": SERIES}
"""The kinds of columns that are told by a tensor of their own, beside which no other column is read."""

WORDS = "words"
"""The name of the tensor of documents as bags of words."""

TOKENS, TERMS = "tokens", "terms"
"""The names of the tensors of texts as tokens in their order, and as weighted terms."""

LIMIT = 1e6
"""Encoded numbers are held to this many units of spread, so that none overflows float32 further on."""

WORD = r"[\p{L}\p{N}]{2,}"
"""A word of a text: two or more letters or digits."""

DAY = 86_400.0
PERIODS = {"time of day": DAY, "day of week": 7 * DAY, "day of year": 365.2425 * DAY}
"""The circles of the calendar, in seconds; each becomes a sine and a cosine."""

MONDAY = 4 * DAY
"""Seconds from 1970-01-01, a Thursday, to a Monday."""


@dataclass(frozen=True)
class Tensor:
    """One input of a network: its name, its type, one label per feature and, for codes, the number of codes of each."""

    name: str
    dtype: str
    features: tuple[str, ...]
    sizes: tuple[int, ...] = ()
    attributes: int = 0
    """How many columns are told by this tensor first: over all tensors they sum to the number of input columns, where a
    column of documents counts as one for each of its stems."""
    shape: tuple[int, ...] = ()
    """Of one row: (height, width, channels) of pictures, (length, channels) of series, else (features,)."""
    facts: dict[str, Any] = field(default_factory=dict, compare=False)
    """What the training rows told of it beside its shape, as a network's rules want it."""

    def __post_init__(self) -> None:
        if not self.shape:
            object.__setattr__(self, "shape", (len(self.features),))

    @property
    def width(self) -> int:
        """How many values a row has."""
        return math.prod(self.shape)


def values(column: Column) -> pl.Expr:
    """The column as values of its kind: Float64, Boolean, Datetime, String or, of captions, lists of String; what cannot
    be read is null."""
    import polars as pl

    raw = pl.col(column.name)
    if column.parsing is not None:
        return parse(raw, column.parsing)
    if column.kind == "number":
        if column.dtype.startswith("Duration"):
            return raw.dt.total_microseconds().cast(pl.Float64) / 1e6
        number = raw.cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    if column.kind == "boolean":
        return raw if column.dtype == "Boolean" else raw.cast(pl.Float64, strict=False) > 0
    if column.kind == "datetime":
        return raw.cast(pl.Datetime("us"), strict=False)
    if column.kind == "captions":
        texts = raw if column.dtype.startswith("List") else pl.concat_list(raw.cast(pl.String))
        texts = texts.list.eval(pl.element().str.strip_chars()).list.drop_nulls()
        texts = texts.list.eval(pl.element().filter(pl.element() != ""))
        return pl.when(texts.list.len() > 0).then(texts)
    return _names(raw, column.dtype)


def label_texts(column: Column) -> pl.Expr:
    """The column as texts that rows are judged by: whole numbers without a fraction, booleans as yes and no; captions are
    lists of texts."""
    import polars as pl

    known = values(column)
    if column.kind == "captions":
        return known
    if column.kind == "boolean":
        return pl.when(known).then(pl.lit("yes")).when(~known).then(pl.lit("no"))
    texts = known.cast(pl.String)
    return texts.str.strip_suffix(".0") if column.kind == "number" else texts


def adapted(schema: Schema, frame: pl.DataFrame) -> Schema:
    """The schema for rows that come in another file format than the training rows, which may type them otherwise.

    Strings are parsed as in training or, where the training rows were typed, as they suggest; typed values need no
    parsing.
    """
    import polars as pl

    columns = []
    # Asked once: Polars makes the schema of a wide frame anew at every call.
    dtypes = frame.schema
    for column in schema.columns:
        if column.name not in dtypes or column.kind in ("category", "text", "document", "captions", *MEDIA):
            dtype = str(dtypes.get(column.name, column.dtype))
            columns.append(replace(column, dtype=dtype))
            continue
        series = frame[column.name]
        parsing = column.parsing if series.dtype == pl.String else None
        if series.dtype == pl.String and parsing is None:
            found = infer_parsing(series.drop_nulls().unique())
            parsing = found if found and found["as"] == column.kind else PLAIN_PARSING[column.kind]
        columns.append(replace(column, parsing=parsing, dtype=str(series.dtype)))
    return Schema(columns, schema.rows)


PLAIN_PARSING: dict[str, dict[str, Any]] = {
    "number": {"as": "number", "decimal": ".", "thousands": ""},
    "boolean": {"as": "boolean", "true": ["true", "yes", "1"], "false": ["false", "no", "0"]},
    "datetime": {"as": "datetime", "format": "%Y-%m-%d"},
}


def _names(raw: pl.Expr, dtype: str) -> pl.Expr:
    """Level names that do not depend on the file format: 1, 1.0 and "1" are the same level."""
    import polars as pl

    if dtype.startswith("Float"):
        whole = raw.is_finite() & (raw == raw.round())
        return pl.when(whole).then(raw.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(raw.cast(pl.String))
    text = raw.cast(pl.String, strict=False).str.strip_chars()
    return pl.when(text != "").then(text)


def learn(schema: Schema, frame: pl.DataFrame, stems: int = words.MOST_STEMS, ordered: bool = False) -> None:
    """Learns the encoding of every input column from ``frame``, the training rows, and stores it in the columns.

    The form of pictures was measured before any was decoded.

    Args:
        stems: how many of a column of documents are counted.
        ordered: whether a document that is the only input is also told by its tokens and terms.
    """
    whole = series_column(schema)
    if whole is not None:
        whole.encoding = series.measure(series.gathered(frame, channels(whole))) | {"rows": schema.rows}
    columns = _of_table(schema)
    typed = frame.select(values(column).alias(column.name) for column in columns)
    for column in columns:
        known = typed[column.name]
        learners: dict[str, Callable[[pl.Series], dict[str, Any]]] = {
            "number": _learn_number,
            "boolean": _learn_boolean,
            "category": _learn_category,
            "datetime": _learn_datetime,
            "text": _learn_text,
            "document": partial(words.learn, most=stems),
        }
        column.encoding = learners[column.kind](known)
        if ordered and column.kind == "document" and len(schema.inputs) == 1:
            column.encoding |= {"texts": texts.learn(known)}


def _learn_number(series: pl.Series) -> dict[str, Any]:
    return {**_spread(series), "indicator": series.null_count() > 0}


def _spread(series: pl.Series) -> dict[str, float]:
    """Median and spread: the interquartile range of a normal with unit deviation, else the deviation, else 1."""
    known = series.drop_nulls()
    if known.is_empty():
        return {"origin": 0.0, "unit": 1.0}
    low, high = known.quantile(0.25, "linear"), known.quantile(0.75, "linear")
    unit = (high - low) / 1.349  # type: ignore[operator]
    if not (unit > 0 and math.isfinite(unit)):
        unit = known.std() if known.len() > 1 else 0.0  # type: ignore[assignment]
    if not (unit and unit > 0 and math.isfinite(unit)):
        unit = 1.0
    return {"origin": float(known.median()), "unit": float(unit)}  # type: ignore[arg-type]


def _learn_boolean(series: pl.Series) -> dict[str, Any]:
    return {"indicator": series.null_count() > 0}


def _learn_category(series: pl.Series) -> dict[str, Any]:
    counts = series.drop_nulls().value_counts(sort=True, name="rows")
    # A level seen once teaches nothing of its own; left unlisted it teaches what an unseen level is worth.
    if counts.height > 20:
        counts = counts.filter(counts["rows"] > 1)
    ordered = counts.sort(["rows", series.name], descending=[True, False])
    return {"levels": ordered[series.name].head(MAX_LEVELS).to_list()}


def _learn_datetime(series: pl.Series) -> dict[str, Any]:
    seconds = _seconds_of(series)
    known = seconds.drop_nulls()
    span = float(known.max() - known.min()) if known.len() else 0.0  # type: ignore[operator, arg-type]
    within_day = known.len() > 0 and (known % DAY).n_unique() > 1
    shown = {"time of day": within_day, "day of week": span >= 7 * DAY, "day of year": span >= 180 * DAY}
    return {
        **_spread(seconds),
        "periods": [name for name, wanted in shown.items() if wanted],
        "indicator": series.null_count() > 0,
    }


def _seconds_of(series: pl.Series) -> pl.Series:
    return series.to_frame("t").select(_seconds("t")).to_series()


def _seconds(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).dt.epoch("us").cast(pl.Float64) / 1e6


def _learn_text(series: pl.Series) -> dict[str, Any]:
    words = series.drop_nulls().str.to_lowercase().str.extract_all(WORD).list.unique().explode().drop_nulls()
    counts = words.value_counts(sort=True, name="rows").sort(["rows", words.name], descending=[True, False])
    kept = counts.filter((counts["rows"] >= 5) & (counts["rows"] <= 0.9 * series.len()))
    lengths = series.str.len_chars().cast(float)
    return {
        **_spread(lengths),
        "words": kept[words.name].head(MAX_WORDS).to_list(),
        "indicator": series.null_count() > 0,
    }


@dataclass(frozen=True)
class _Feature:
    """One number of the encoding: the column that it was made from, a label for people, and how it is computed."""

    column: str
    label: str
    expr: pl.Expr


def tensors(schema: Schema) -> list[Tensor]:
    """The inputs of a network for an encoded schema; a tensor without features is left out."""
    sizes = tuple(FIRST_LEVEL + len(c.encoding["levels"]) for c in schema.inputs if c.kind == "category" and c.encoding)
    found: list[Tensor] = []
    seen: set[str] = set()
    for name, features in _features(schema).items():
        new = {feature.column for feature in features} - seen
        seen |= new
        labels = tuple(feature.label for feature in features)
        if name == "categories":
            levels = [c.encoding["levels"] for c in schema.inputs if c.kind == "category" and c.encoding]
            facts = {"rows": schema.rows, "levels": levels}
            found.append(Tensor(name, "int32", labels, sizes, len(new), facts=facts))
        else:
            found.append(Tensor(name, "float32", labels, (), len(new), facts={"rows": schema.rows}))
    documents = document_columns(schema)
    if documents:
        shown = [f"{column.name} › {word}" for column in documents for word in (column.encoding or {})["words"]]
        # Each stem is an attribute of its own.
        found.append(Tensor(WORDS, "uint8", tuple(shown), (), len(shown), facts={"rows": schema.rows}))
    if told := text_encoding(schema):
        (name,), (tokens, terms) = [column.name for column in documents], texts.sizes(told)
        facts = {"rows": schema.rows}
        found.append(Tensor(TOKENS, "int32", (name,), (tokens,), 0, (told["length"],), facts))
        found.append(Tensor(TERMS, "float32", (name,), (terms,), 0, (told["most"], 2), facts))
    found += [
        Tensor(PICTURES, "uint8", (column.name,), (), 1, picture_shape(column), column.encoding or {})
        for column in schema.inputs
        if column.kind == "image"
    ]
    found += [
        Tensor(SERIES, "float32", (column.name,), (), 1, series_shape(column), column.encoding or {})
        for column in schema.inputs
        if column.kind == "series"
    ]
    return found


def picture_shape(column: Column) -> tuple[int, int, int]:
    """The height, width and channels that the pictures of a column are brought to."""
    encoding = column.encoding or {}
    return encoding["height"], encoding["width"], encoding["channels"]


def series_shape(column: Column) -> tuple[int, int]:
    """The length and channels that the series of a column are brought to."""
    encoding = column.encoding or {}
    return encoding["length"], encoding["channels"]


def channels(column: Column) -> list[list[str]]:
    """The columns of the table that hold each channel of a column of series."""
    return (column.parsing or {}).get("channels") or [[column.name]]


def raw_names(column: Column) -> list[str]:
    """The columns of the table that a column of the schema is read from."""
    return [name for names in channels(column) for name in names] if column.kind == "series" else [column.name]


def read_from(schema: Schema) -> list[str]:
    """The columns of the table that the inputs are read from."""
    return [name for column in schema.inputs for name in raw_names(column)]


def origins(schema: Schema) -> dict[str, list[str]]:
    """For each tensor, the column that each of its features was made from."""
    made = {name: [feature.column for feature in features] for name, features in _features(schema).items()}
    counted = [column.name for column in document_columns(schema) for _ in (column.encoding or {})["stems"]]
    return {**made, WORDS: counted} if counted else made


def encode(schema: Schema, frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """The rows of ``frame`` as the tensors of ``tensors(schema)``, each of shape (rows, features)."""
    import numpy as np

    typed = frame.select(values(column).alias(column.name) for column in _of_table(schema))
    made = {
        name: np.ascontiguousarray(
            typed.select(feature.expr.alias(str(i)) for i, feature in enumerate(features)).to_numpy(),
            dtype=np.int32 if name == "categories" else np.float32,
        )
        for name, features in _features(schema).items()
    }
    if documents := document_columns(schema):
        made[WORDS] = np.hstack([words.count(typed[column.name], column.encoding or {}) for column in documents])
        if told := text_encoding(schema):
            text = typed[documents[0].name]
            made |= {TOKENS: texts.in_order(text, told), TERMS: texts.weighted(text, told)}
    column, whole = image_column(schema), series_column(schema)
    if column is not None:
        made[PICTURES] = pictures.decode(frame[column.name], column.encoding or {})[0]
    if whole is not None:
        if in_time(schema):
            made[SERIES] = windows.latest(frame, whole.encoding or {}).inputs()
        else:
            made[SERIES] = series.encoded(series.gathered(frame, channels(whole)), whole.encoding or {})
    return made


def image_column(schema: Schema) -> Column | None:
    """The input column of pictures, where there is one."""
    return next((column for column in schema.inputs if column.kind == "image"), None)


def series_column(schema: Schema) -> Column | None:
    """The input column of series, where there is one."""
    return next((column for column in schema.inputs if column.kind == "series"), None)


def in_time(schema: Schema) -> bool:
    """Whether rows are windows of series in time."""
    column = series_column(schema)
    return column is not None and (column.parsing or {}).get("as") == "windows"


def medium(schema: Schema) -> str | None:
    """The tensor that tells all of a row, ``pictures`` or ``series``; None of a table."""
    return next((MEDIA[column.kind] for column in schema.inputs if column.kind in MEDIA), None)


def document_columns(schema: Schema) -> list[Column]:
    """The input columns of documents."""
    return [column for column in schema.inputs if column.kind == "document"]


def text_encoding(schema: Schema) -> dict[str, Any] | None:
    """What was learnt of a document that is the only input, beside its stems; None of other rows."""
    documents = document_columns(schema)
    return (documents[0].encoding or {}).get("texts") if documents else None


def readable(schema: Schema, frame: pl.DataFrame) -> tuple[pl.DataFrame, np.ndarray]:
    """The rows whose pictures can be read, decoded in place, and which rows these are, bool (rows,); of tables all."""
    import numpy as np
    import polars as pl

    column = image_column(schema)
    if column is None:
        return frame, np.ones(frame.height, bool)
    decoded, good = pictures.decode(frame[column.name], column.encoding or {})
    rows = frame.drop(column.name).filter(pl.Series(good, dtype=pl.Boolean))
    return rows.with_columns(pl.Series(column.name, decoded[good])), good


def plain_tensors(schema: Schema) -> list[Tensor]:
    """The tensors as models read them that know tables of numbers alone: of pictures and series a few numbers each, of
    words their weights."""
    found = []
    for tensor in tensors(schema):
        if tensor.name in (TOKENS, TERMS):
            continue
        if tensor.name == PICTURES:
            count = pictures.small_width(tensor.shape)
            tensor = Tensor("numbers", "float32", tuple(f"pixel {place}" for place in range(count)), (), 1)
        elif tensor.name == SERIES:
            tensor = Tensor("numbers", "float32", tuple(series.small_names(tensor.shape)), (), 1)
        elif tensor.name == WORDS:
            tensor = replace(tensor, dtype="float32")
        found.append(tensor)
    return found


def plain(x: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Encoded rows as the tensors of ``plain_tensors``."""
    if PICTURES in x:
        return {"numbers": pictures.small(x[PICTURES])}
    if SERIES in x:
        return {"numbers": series.small(x[SERIES])}
    if WORDS not in x:
        return x
    return {name: words.weights(rows) if name == WORDS else rows for name, rows in x.items() if name != TOKENS}


def _of_table(schema: Schema) -> list[Column]:
    return [column for column in schema.inputs if column.kind not in MEDIA]


def _features(schema: Schema) -> dict[str, list[_Feature]]:
    made = {"numbers": _numbers(schema), "flags": _flags(schema), "categories": _categories(schema)}
    return {name: features for name, features in made.items() if features}


def _scaled(expr: pl.Expr, encoding: dict[str, Any]) -> pl.Expr:
    return ((expr - encoding["origin"]) / encoding["unit"]).clip(-LIMIT, LIMIT).fill_null(0.0).fill_nan(0.0)


def _numbers(schema: Schema) -> list[_Feature]:
    import polars as pl

    made = []
    for column in schema.inputs:
        encoding = column.encoding or {}
        if column.kind == "number":
            made.append(_Feature(column.name, column.name, _scaled(pl.col(column.name), encoding)))
        elif column.kind == "text":
            length = pl.col(column.name).str.len_chars().cast(pl.Float64)
            made.append(_Feature(column.name, f"{column.name} › length", _scaled(length, encoding)))
        elif column.kind == "datetime":
            seconds = _seconds(column.name)
            made.append(_Feature(column.name, f"{column.name} › elapsed", _scaled(seconds, encoding)))
            for period in encoding["periods"]:
                turns = (seconds - MONDAY) / PERIODS[period] * (2 * math.pi)
                made.append(_Feature(column.name, f"{column.name} › {period}, sine", turns.sin().fill_null(0.0)))
                made.append(_Feature(column.name, f"{column.name} › {period}, cosine", turns.cos().fill_null(0.0)))
    return made


def _flags(schema: Schema) -> list[_Feature]:
    import polars as pl

    made = []
    for column in schema.inputs:
        encoding = column.encoding or {}
        if column.kind == "boolean":
            made.append(_Feature(column.name, column.name, pl.col(column.name).cast(pl.Float64).fill_null(0.5)))
        elif column.kind == "text":
            found = pl.col(column.name).str.to_lowercase().str.extract_all(WORD)
            for word in encoding["words"]:
                made.append(
                    _Feature(
                        column.name,
                        f"{column.name} › {word}",
                        found.list.contains(word).cast(pl.Float64).fill_null(0.0),
                    )
                )
        if encoding.get("indicator"):
            made.append(
                _Feature(column.name, f"{column.name} › missing", pl.col(column.name).is_null().cast(pl.Float64))
            )
    return made


def _categories(schema: Schema) -> list[_Feature]:
    return [_Feature(column.name, column.name, _codes(column)) for column in schema.inputs if column.kind == "category"]


def _codes(column: Column) -> pl.Expr:
    import polars as pl

    levels = column.encoding["levels"]  # type: ignore[index]
    codes = pl.col(column.name).replace_strict(
        levels, list(range(FIRST_LEVEL, FIRST_LEVEL + len(levels))), default=UNLISTED, return_dtype=pl.Int32
    )
    return pl.when(pl.col(column.name).is_null()).then(MISSING).otherwise(codes).cast(pl.Int32)
