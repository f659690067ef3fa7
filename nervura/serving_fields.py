"""The columns of a run as the fields of a request: what may be written in each, and the arrays that ONNX Runtime takes.

Values become, in both ways of writing them, float64 with NaN where missing (numbers; yes and no as 1 and 0; moments as
milliseconds since 1970-01-01), strings with "" where missing (levels), or uint8 (height, width, channels) of pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

import numpy as np

from nervura import pictures
from nervura.encoding import PLAIN_PARSING
from nervura.errors import NervuraError, did_you_mean
from nervura.messages import text
from nervura.parsing import DOUBTFUL_WORDS, MISSING_WORDS, parse_one
from nervura.schema import Column, Schema

NO_TIME = np.iinfo(np.int64).min
"""The milliseconds of a missing moment, as the graph takes them."""

MOST_MISTAKES = 20
"""So many mistakes are told at once."""

LONGEST_SHOWN = 60
MOST_PIXELS = 50_000_000
"""A picture has at most so many, however well it is packed."""

LARGEST = 1e300
"""JSON can write numbers that no float holds."""

EPOCH = datetime(1970, 1, 1)
MILLISECOND = timedelta(milliseconds=1)


class BadRequest(NervuraError):
    """A request cannot be answered. ``mistakes`` name the rows (from 0) and columns that are wrong, and say why."""

    def __init__(self, status: int, detail: str, mistakes: list[dict[str, Any]] | None = None):
        super().__init__(detail)
        self.status, self.detail, self.mistakes = status, detail, mistakes or []


class Wrong(Exception):
    """A value is not what its field holds; ``key`` names the message."""

    def __init__(self, key: str, given: Any):
        shown = f"'{given}'" if isinstance(given, str) else str(given)
        super().__init__(key)
        self.key, self.given = key, shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"


@dataclass(frozen=True)
class Field:
    """One column.

    Attributes:
        input: the name of the graph's input.
        holds: what that is made of: ``string``, ``float64``, ``int64`` or ``uint8``.
        typical: the median, the commonest level or answer; None where nothing is typical.
        usual: of numbers and moments, what a tenth of the training rows lies below and a tenth above.
    """

    column: Column
    input: str
    holds: str
    typical: float | str | None = None
    usual: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def kind(self) -> str:
        return self.column.kind

    @property
    def unit(self) -> str:
        return (self.column.parsing or {}).get("unit", "")

    @property
    def levels(self) -> list[str]:
        return (self.column.encoding or {}).get("levels", [])

    @cached_property
    def known(self) -> frozenset[str]:
        """The levels, to look one up in."""
        return frozenset(self.levels)

    @cached_property
    def words(self) -> tuple[str, str] | None:
        """What no and yes are called in the training table, where it has words for them."""
        parsing = self.column.parsing
        return (parsing["false"][0], parsing["true"][0]) if parsing is not None and self.kind == "boolean" else None

    @cached_property
    def counts(self) -> bool:
        """Whether yes and no are the numbers 1 and 0 in the training table."""
        return self.kind == "boolean" and self.column.parsing is None and self.column.dtype != "Boolean"

    @cached_property
    def numbered(self) -> bool:
        """Whether some of the levels are numbers."""
        return any(level.lstrip("-").replace(".", "", 1).isdecimal() for level in self.levels)

    def value(self, given: Any) -> Any:
        """A value that has a type.

        Raises:
            Wrong: it is of another kind.
        """
        return VALUES[self.kind](self, given)

    def read(self, cell: str) -> Any:
        """A value that is written as text, as in the training table.

        Raises:
            Wrong: it is of another kind.
        """
        cell = cell.strip()
        if self.kind == "category":
            return "" if cell in MISSING_WORDS and cell not in self.known else cell
        if cell in MISSING_WORDS or (self.kind != "boolean" and cell.lower() in DOUBTFUL_WORDS):
            return math.nan
        found = parse_one(cell, self.column.parsing or PLAIN_PARSING[self.kind])
        if found is None and self.kind == "datetime":
            return self.value(cell)
        if found is None:
            raise Wrong(self.kind, cell)
        return _milliseconds(found) if isinstance(found, datetime) else float(found)

    @property
    def pattern(self) -> str:
        """A regular expression of texts that ``read`` takes, though not of all of them."""
        parsing = self.column.parsing or {}
        if self.kind == "number":
            mark = "," if parsing.get("decimal") == "," else "\\."
            # A decimal comma would need quotes.
            return "-?[0-9]{1,9}" + ("" if mark == "," else f"({mark}[0-9]{{1,6}})?")
        if self.kind == "datetime":
            return "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
        if self.kind == "boolean":
            return f"({'|'.join(self.words or ('true', 'false'))})"
        return "[A-Za-z0-9]{1,20}"

    def written(self, value: Any) -> str:
        """A value of JSON as ``read`` reads it."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return (self.words or ("false", "true"))[value]
        parsing = self.column.parsing or {}
        if isinstance(value, float | int) and parsing.get("as") == "number":
            return str(value).replace(".", parsing["decimal"]) + parsing.get("unit", "")
        return str(value)

    def as_json(self, value: float | str | None) -> Any:
        """A value of this field as JSON writes it."""
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return None
        if self.kind == "boolean":
            return bool(value)
        if self.kind == "datetime":
            moment = EPOCH + timedelta(milliseconds=float(value))
            return moment.isoformat(timespec="seconds") if self.timed else moment.date().isoformat()
        return float(f"{value:.6g}") if isinstance(value, float) else value

    @cached_property
    def timed(self) -> bool:
        """Whether moments have a time of the day."""
        return "time of day" in (self.column.encoding or {}).get("periods", [])

    def feed(self, values: np.ndarray) -> np.ndarray:
        """The values (rows,), or pictures, as the graph takes them: (rows, 1)."""
        if self.holds == "uint8":
            return values
        if self.holds == "int64":
            known = np.isfinite(values)
            values = np.where(known, np.where(known, values, 0).astype(np.int64), NO_TIME)
        elif self.words is not None:
            spelt = np.array([*self.words, ""], dtype=object)
            values = spelt[np.where(np.isnan(values), 2, values).astype(np.int64)]
        return values.reshape(-1, 1)


def _number(field: Field, given: Any) -> float:
    if given is None:
        return math.nan
    if isinstance(given, timedelta):
        return given.total_seconds()
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        raise Wrong("number_as_text" if isinstance(given, str) else "number", given)
    try:
        number = float(given)
    except OverflowError:
        number = math.inf
    if abs(number) > LARGEST:
        raise Wrong("too_large", "")
    return number


def _boolean(field: Field, given: Any) -> float:
    if given is None:
        return math.nan
    if isinstance(given, bool):
        return float(given)
    if isinstance(given, str) and field.column.parsing is not None:
        found = parse_one(given, field.column.parsing)
        if found is not None:
            return float(found)  # type: ignore[arg-type]
    if field.counts and isinstance(given, int | float) and given in (0, 1):
        return float(given)
    raise Wrong("boolean", given)


def _moment(field: Field, given: Any) -> float:
    if given is None:
        return math.nan
    try:
        if isinstance(given, str):
            given = datetime.fromisoformat(given.strip())
        if isinstance(given, datetime):
            return _milliseconds(given)
        if isinstance(given, date):
            return _milliseconds(datetime(given.year, given.month, given.day))
    except (ValueError, OverflowError):
        pass
    raise Wrong("datetime", given)


def _milliseconds(moment: datetime) -> float:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return float((moment - EPOCH) // MILLISECOND)


def _category(field: Field, given: Any) -> str:
    if given is None:
        return ""
    if isinstance(given, str):
        return given.strip()
    if isinstance(given, bool):
        word = str(given).lower()
        if {"true", "false"} & field.known:
            return word
    elif isinstance(given, int | float) and field.numbered and math.isfinite(given):
        return str(int(given)) if given == int(given) else str(given)
    raise Wrong("category", given)


def _picture(field: Field, given: Any) -> np.ndarray:
    try:
        return pictures.decode_one(given, field.column.encoding or {}, MOST_PIXELS)
    except ValueError:
        raise Wrong("picture", "") from None
    except OverflowError:
        raise Wrong("large_picture", "") from None


VALUES = {"number": _number, "boolean": _boolean, "datetime": _moment, "category": _category, "image": _picture}


class Fields:
    """The fields of all columns that the graph reads.

    Args:
        inputs: each input of the graph by name, with its column and what it holds, as its metadata say.
        histograms: of the training rows, where the run has them.
        lang: of the messages.
    """

    def __init__(
        self, schema: Schema, inputs: Mapping[str, Any], histograms: Mapping[str, Any] | None = None, lang: str = "en"
    ):
        self.lang = lang
        counted = (histograms or {}).get("columns", {})
        self.fields = {}
        for name, told in inputs.items():
            column = schema[told["column"]]
            typical, usual = _typical(column, counted.get(column.name))
            self.fields[column.name] = Field(column, name, told["holds"], typical, usual)
        self.names = self.fields.keys()
        self.passed_over = {column.name for column in schema.columns} - self.names

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields.values())

    def __getitem__(self, name: str) -> Field:
        return self.fields[name]

    @property
    def of_pictures(self) -> bool:
        return any(field.holds == "uint8" for field in self.fields.values())

    def say(self, key: str, **values: Any) -> str:
        """A message in the language of the server."""
        return text(f"serve.{key}", self.lang, **values)

    def example(self) -> dict[str, Any]:
        """A row of typical values, which no row of the data need have."""
        return {name: field.as_json(field.typical) for name, field in self.fields.items()}

    def blank(self) -> dict[str, np.ndarray]:
        """The values of a row of which nothing is known; a picture is black."""
        made = {}
        for name, field in self.fields.items():
            if field.holds == "uint8":
                encoding = field.column.encoding or {}
                made[name] = np.zeros((1, encoding["height"], encoding["width"], encoding["channels"]), np.uint8)
            else:
                made[name] = np.array([""], dtype=object) if field.kind == "category" else np.array([math.nan])
        return made

    def of_form(self, given: Iterable[tuple[str, str]]) -> dict[str, list[Any]]:
        """The columns of one row as a browser sends them; what is left out or empty is missing.

        Raises:
            BadRequest: there is no such field, one is there twice, or something else than a number is in one of numbers.
        """
        listed = list(given)
        names = [name for name, _ in listed]
        self.check_names([([*names, *(self.names - set(names))], None)])
        told, made = dict(listed), {}
        mistakes: list[dict[str, Any]] = []
        for name, field in self.fields.items():
            try:
                made[name] = [_of_form(field, told.get(name, "").strip())]
            except Wrong as wrong:
                _mistake(mistakes, 0, name, self.say(f"wrong.{wrong.key}", column=name, given=wrong.given))
        self._refuse(mistakes, "wrong_values")
        return made

    def check_count(self, rows: int, most: int) -> None:
        """There must be rows, and no more than ``most``.

        Raises:
            BadRequest: there are not.
        """
        if rows == 0:
            raise BadRequest(422, self.say("no_rows"))
        if rows > most:
            raise BadRequest(413, self.say("many_rows", rows=rows, most=most))

    def check_names(self, given: Iterable[tuple[Iterable[str], int | None]]) -> None:
        """Every field must be given, once, and nothing that the training table does not have.

        Args:
            given: the names of each row with its number, or once of all rows with None.

        Raises:
            BadRequest: it is not so.
        """
        mistakes: list[dict[str, Any]] = []
        for names, row in given:
            listed = list(names)
            seen = set(listed)
            tell = partial(_mistake, mistakes, row)
            for name in sorted(self.names - seen):
                tell(name, self.say("missing_column", column=name))
            for name in sorted(seen - self.names - self.passed_over):
                hint = did_you_mean(name, list(self.names)) if self.lang == "en" else ""
                tell(name, self.say("unknown_column", column=name, hint=hint).strip())
            for name in sorted(name for name in seen if len(listed) > len(seen) and listed.count(name) > 1):
                tell(name, self.say("twice", column=name))
            if len(mistakes) >= MOST_MISTAKES:
                break
        self._refuse(mistakes, "wrong_columns")

    def read(self, columns: Mapping[str, list[Any]], as_text: bool) -> dict[str, np.ndarray]:
        """The values of each field, as the heading of this module says.

        Raises:
            BadRequest: some are not what their fields hold.
        """
        mistakes: list[dict[str, Any]] = []
        made = {}
        for name, field in self.fields.items():
            take = field.read if as_text else field.value
            found: list[Any] = []
            for row, given in enumerate(columns[name]):
                try:
                    found.append(take(given))
                except Wrong as wrong:
                    said = self.say(f"wrong.{wrong.key}", column=name, given=wrong.given, **self._known(field))
                    _mistake(mistakes, row, name, said)
                    if len(mistakes) >= MOST_MISTAKES:
                        break
            if not mistakes:
                made[name] = np.array(found, dtype=object if field.kind == "category" else None)
        self._refuse(mistakes, "wrong_values")
        return made

    def _known(self, field: Field) -> dict[str, str]:
        words = [f'"{word}"' for word in field.words or ()] + ["0", "1"] * field.counts
        return {"words": f" ({', '.join(words)})" if words else ""}

    def _refuse(self, mistakes: list[dict[str, Any]], key: str) -> None:
        if mistakes:
            told = mistakes[:MOST_MISTAKES]
            raise BadRequest(422, f"{self.say(key)} {told[0]['message']}", told)

    def feeds(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the graph takes."""
        return {field.input: field.feed(values[name]) for name, field in self.fields.items()}

    def new_levels(self, values: Mapping[str, np.ndarray]) -> list[str]:
        """Notes on levels that the training rows did not have; they are read as any other level."""
        notes = []
        for name, field in self.fields.items():
            if field.kind == "category":
                new = sorted({level for level in values[name].tolist() if level and level not in field.known})
                if new:
                    shown = ", ".join(f"'{level[:LONGEST_SHOWN]}'" for level in new[:3])
                    notes.append(self.say("new_levels", column=name, levels=shown))
        return notes


def _of_form(field: Field, given: str) -> Any:
    if not given:
        return None
    if field.kind == "number":
        number = parse_one(given, PLAIN_PARSING["number"])
        if number is None:
            raise Wrong("number", given)
        return number
    if field.kind == "boolean":
        return {"true": True, "false": False}.get(given, given)
    return given


def _mistake(mistakes: list[dict[str, Any]], row: int | None, column: str, message: str) -> None:
    place = {} if row is None else {"row": row}
    mistakes.append({**place, "column": column, "message": message})


def _typical(
    column: Column, counted: Mapping[str, Any] | None
) -> tuple[float | str | None, tuple[float, float] | None]:
    encoding = column.encoding or {}
    edges = (counted or {}).get("edges") or []
    usual = (edges[0], edges[-1]) if len(edges) > 1 else None
    if column.kind == "category":
        return (encoding.get("levels") or [None])[0], None
    if column.kind == "boolean":
        # At a half or more of the rows the median, the middle one of the deciles, is yes.
        return (None if counted is None else float(_mostly(counted))), None
    if column.kind in ("number", "datetime") and "origin" in encoding:
        scale = 1000.0 if column.kind == "datetime" else 1.0
        return encoding["origin"] * scale, usual
    return None, None


def _mostly(counted: Mapping[str, Any]) -> bool:
    """Whether yes, which is 1, is commoner than no, which is 0."""
    edges, counts = counted.get("edges") or [], counted["counts"]
    no = sum(count for count, edge in zip(counts, edges, strict=False) if edge < 1)
    return sum(counts[:-1]) > 2 * no
