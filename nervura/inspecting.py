"""The schema of a table: what each column means, what it is for, and why a column is set aside."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from nervura import series
from nervura.encoding import MEDIA, values
from nervura.errors import SchemaError, did_you_mean
from nervura.parsing import infer_parsing, number_pattern
from nervura.schema import KINDS, NAMES_DOCUMENTS, NAMES_PARTS, NAMES_PICTURES, Column, Schema
from nervura.sources.base import DOCUMENT, PART_COLUMNS, PICTURE, Table

MOST_ROWS = 200_000
MOST_CELLS = 20_000_000
MOST_BYTES = 400_000_000
"""Larger tables are counted where they lie, and their meaning is told from a sample."""

LONG_TEXT, LONE_TEXT = 20, 8
"""Texts of so many words or more on average are documents; where a table has no other input, of so many fewer."""

SAMPLE_ROWS = 50_000
NEARLY_ALL = 0.95
"""Names of which this share is distinct tell rows apart instead of describing them."""

MIXED = 0.5
"""A column of names of which this share is numbers was probably meant to hold numbers."""

LEAK_ROWS = 5_000
LEAK_COLUMNS = 500
LEAK_SCORE = 0.995
GIVES_AWAY = "gives the target away"
"""The words by which others find the warning of a column that tells the target on its own."""

_PLAIN = r"^[+\-]?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]*)?(?:[eE][+\-]?[0-9]{1,2})?$"
_DIGITS = r"^[+\-]?[0-9.,]+(?:[eE][+\-]?[0-9]{1,2})?$"
_COMPACT_DATE = r"^(?:19|20)[0-9]{6}$"
_THREE_DIGITS = r"^[+\-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
_ID_NAMES = {"id", "uuid", "guid", "identifier", "rowid", "index", "key", "rownum", "unnamed"}
_CODE_NAMES = {"id", "code", "zip", "zipcode", "postcode", "postal", "plz", "cep"}


def infer_schema(
    table: Table,
    target: str | None = None,
    kinds: dict[str, str] | None = None,
    drop: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    predicted: bool = True,
) -> Schema:
    """Decides for every column what it means and whether it is an input.

    Args:
        table: the rows as a source read them.
        target: the column to predict.
        kinds: what columns mean, where the user knows better.
        drop: columns to set aside.
        group: the column whose equal values must stay on one side of the split; no input.
        time: the column whose latest values are kept for the test; no input.
        predicted: whether the target is, and so must not be told by another column; else it is judged by alone.

    Raises:
        SchemaError: a named column does not exist or cannot be what it is named for, or no input is left.
    """
    dtypes = dict(table.frame.collect_schema())
    kinds, wide = _patterns(dict(kinds or {}), list(dtypes), target)
    roles = _roles(list(dtypes), target, kinds, drop, group, time)
    # Pictures and files of text are not looked at here: one of them can take more memory than all else in its row.
    held = [name for name, there in ((PICTURE, table.pictures), (DOCUMENT, table.documents)) if there]
    frame = table.frame.drop(held)
    rows, sample = _read(frame, len(dtypes))
    if held and len(dtypes) == 1:  # a frame without columns has no height to rely on
        rows = table.frame.select(pl.len()).collect().item()
    if rows == 0:
        raise SchemaError(f"A table has rows; '{table.name}' has none.")
    columns = _kinds(sample, dtypes, roles, kinds, table.reading.get("decimal"), held)
    if not wide and predicted and table.reading.get("format") in ARRAYS:
        wide = _moments(columns, sample, table.part, kinds)
    columns = _with_series(columns, wide, dtypes, sample)
    _set_beside_media_aside(columns, table)
    untyped = ("captions", *MEDIA)
    flat = [c for c in columns if c.kind not in untyped and _is_flat(dtypes[c.name]) and c.name not in held]
    typed = _typed(sample.lazy(), flat).collect()
    facts = _facts(frame, sample, typed, rows, columns)
    for column in columns:
        if column.name in held:
            column.distinct = rows
        elif column.role != "aside":
            _set_aside(column, facts[column.name], rows, forced=column.name in kinds)
            _warn(column, facts[column.name], rows)
    _set_duplicates_aside(frame, typed, rows, columns, kinds)
    _lone_document(sample, columns, kinds)
    schema = Schema(columns, rows)
    _check_roles(schema, target, time)
    if target is not None and predicted:
        _warn_of_leaks(schema, sample)
    return schema


ARRAYS = ("npz", "array")
"""The forms whose columns have no names of their own, so that they may be the moments of series."""

Wide = list[list[str]]
"""The columns of each channel of series, one column a moment."""


def _patterns(kinds: dict[str, str], names: list[str], target: str | None) -> tuple[dict[str, str], Wide]:
    """Kinds by the names of columns, and the channels of series; ``x*=series`` means all columns called so, in the table's
    order, but the target.

    Raises:
        SchemaError: no column is called so, or what is called so holds one moment.
    """
    found: dict[str, str] = {}
    wide: Wide = []
    for name, kind in kinds.items():
        if name in names or not set(name) & set("*?["):
            found[name] = kind
            continue
        meant = [column for column in names if column != target and fnmatch.fnmatchcase(column, name)]
        if not meant or (kind == "series" and len(meant) < 2):
            raise SchemaError(
                f"The pattern '{name}' must mean columns of the table{', two or more,' if kind == 'series' else ''}; it means "
                f"{', '.join(map(repr, meant)) or 'none'}. {did_you_mean(name, names)}"
            )
        if kind == "series":
            wide.append(meant)
        else:
            found |= dict.fromkeys(meant, kind)
    return found, wide


def _moments(columns: list[Column], sample: pl.DataFrame, part: str | None, kinds: dict[str, str]) -> Wide:
    """The columns of an array if they are the moments of series, told by how alike neighbours are."""
    inputs = [column.name for column in columns if column.role == "input" and column.name != part]
    if len(inputs) < series.FEWEST_MOMENTS or any(
        name in kinds or not sample[name].dtype.is_float() for name in inputs
    ):
        return []
    return [inputs] if series.are_moments(sample.select(inputs).to_numpy()) else []


def _with_series(
    columns: list[Column], wide: Wide, dtypes: dict[str, pl.DataType], sample: pl.DataFrame
) -> list[Column]:
    """The columns with those of a series as one, called ``series``; a table has one series, perhaps of several channels."""
    nested = [[column.name] for column in columns if column.kind == "series" and column.role == "input"]
    channels = wide or nested
    if not channels:
        return columns
    taken = {name for names in channels for name in names}
    own = {column.name: column for column in columns if column.name in taken}
    for names in channels:
        if len(names) > 1 and any(not _may_be_number(sample[name]) for name in names):
            odd = next(name for name in names if not _may_be_number(sample[name]))
            raise SchemaError(
                f"The moments of a series are numbers; the column '{odd}' holds values like "
                f"{', '.join(map(repr, own[odd].examples))}. Name other columns."
            )
        if any(own[name].role != "input" for name in names):
            raise SchemaError(f"A column has one role; '{names[0]}' is named as a series and as {own[names[0]].role}.")
    name = channels[0][0] if len(channels) == 1 and len(channels[0]) == 1 else "series"
    while name in own.keys() ^ {column.name for column in columns}:
        name += "_"
    long = max(len(names) for names in channels)
    whole = Column(name, "series", dtype=str(dtypes[channels[0][0]]), parsing={"as": "series", "channels": channels})
    if long > 1:
        whole.examples = [f"{channels[0][0]} to {channels[0][-1]}"]
    place = min(i for i, column in enumerate(columns) if column.name in taken)
    rest = [column for column in columns if column.name not in taken]
    return [*rest[:place], whole, *rest[place:]]


def _may_be_number(values: pl.Series) -> bool:
    return values.dtype.is_numeric() or values.dtype == pl.Null or values.cast(pl.Float64, strict=False).count() > 0


def _roles(
    names: list[str],
    target: str | None,
    kinds: dict[str, str],
    drop: Sequence[str],
    group: str | None,
    time: str | None,
) -> dict[str, str]:
    """The role of each column that the user named, after checking the names."""
    if isinstance(drop, str):
        drop = [drop]
    roles: dict[str, str] = {}
    for role, given in (("target", [target]), ("group", [group]), ("time", [time]), ("aside", list(drop))):
        for name in given:
            if name is None:
                continue
            what = "column to drop" if role == "aside" else f"{role} column"
            if name not in names:
                raise SchemaError(f"The {what} must be in the table; '{name}' is not. {did_you_mean(name, names)}")
            if roles.get(name, role) != role:
                raise SchemaError(
                    f"A column has one role; '{name}' is named as {roles[name]} and as {what}. Leave one of them out."
                )
            roles[name] = role
    for name, kind in kinds.items():
        if name not in names:
            raise SchemaError(
                f"The column whose kind is given must be in the table; '{name}' is not. {did_you_mean(name, names)}"
            )
        if kind not in KINDS:
            raise SchemaError(f"There is no kind '{kind}' (given for '{name}'). {did_you_mean(kind, KINDS)}")
        if kind == "captions" and name != target:
            raise SchemaError(f"Captions are what is learnt of pictures; '{name}' is not. Write --target {name} too.")
    return roles


def _read(frame: pl.LazyFrame, width: int) -> tuple[int, pl.DataFrame]:
    """The number of rows, and all of them where they are few, else a sample spread over the table."""
    of_row = frame.head(1_000).collect().estimated_size() / 1_000
    limit = max(1_000, min(MOST_ROWS, MOST_CELLS // max(width, 1), int(MOST_BYTES / max(of_row, 1))))
    head = frame.head(limit + 1).collect(engine="streaming")
    if head.height <= limit:
        return head.height, head
    rows = frame.select(pl.len()).collect(engine="streaming").item()
    wanted = min(SAMPLE_ROWS, limit)
    # Rows are drawn by the hash of their number: every n-th row would see one hour or one shop in sorted tables.
    number = pl.col("__row").hash(seed=0)
    drawn = number < int(wanted / rows * (2**64 - 1))
    sample = frame.with_row_index("__row").filter(drawn).drop("__row").collect(engine="streaming")
    return rows, sample


def _kinds(
    sample: pl.DataFrame,
    dtypes: dict[str, pl.DataType],
    roles: dict[str, str],
    kinds: dict[str, str],
    decimal: str | None,
    held: list[str],
) -> list[Column]:
    plain = _plain_numbers(sample, decimal)
    zero_one = _zero_one(sample)
    nested = _nested(sample, dtypes, roles, kinds)
    columns = []
    for name, dtype in dtypes.items():
        column = Column(name, "category", roles.get(name, "input"), dtype=str(dtype))
        columns.append(column)
        if name in held:
            _held(column, "image" if name == PICTURE else "document", kinds)
            continue
        column.examples = _examples(sample[name])
        if column.role == "aside":
            column.reason = "dropped by you"
        if _are_captions(column, sample[name], kinds, PICTURE in held):
            _captions(column, sample)
            continue
        if name in nested:
            column.kind = "series"
        elif dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            _unreadable(column, kinds)
        elif dtype == pl.Null:
            continue
        elif dtype == pl.String:
            _kind_of_strings(column, sample[name], plain.get(name), decimal)
            if column.kind == "category" and column.role == "input" and name not in kinds:
                _warn_of_mixture(column, sample[name])
        elif dtype == pl.Boolean:
            column.kind = "boolean"
        elif dtype in (pl.Date, pl.Datetime):
            column.kind = "datetime"
        elif dtype.is_numeric() or dtype in (pl.Duration, pl.Time):
            column.kind = "boolean" if name in zero_one and column.role == "input" else "number"
        if name in kinds and column.kind != "series" and column.reason != "dropped by you":
            _force(column, kinds[name], sample[name], decimal)
    return columns


FEWEST_LISTED = 8
"""Lists of fewer numbers are no series by themselves."""


def _nested(
    sample: pl.DataFrame, dtypes: dict[str, pl.DataType], roles: dict[str, str], kinds: dict[str, str]
) -> set[str]:
    """The columns of arrays or lists that are series: those that are called so, or all of enough moments where at most one
    other column, such as a number of the row, stands beside them."""
    inputs = [name for name in dtypes if roles.get(name, "input") == "input"]
    # A column of pictures is not among the columns that are looked at.
    held = {name for name in inputs if name in sample.columns and series.is_nested(dtypes[name])}
    called = {name for name in held if kinds.get(name) == "series"}
    others = [name for name in inputs if name not in held and name not in PART_COLUMNS]
    if called or len(others) > 1:
        return called
    return {name for name in held if series.gathered(sample.select(name).head(100), [[name]]).shape[1] >= FEWEST_LISTED}


def _held(column: Column, kind: str, kinds: dict[str, str]) -> None:
    """A column of pictures or of files of text is what it is."""
    column.kind = kind
    if column.role not in ("input", "aside") or kinds.get(column.name, kind) != kind:
        what = "pictures" if kind == "image" else "documents"
        raise SchemaError(
            f"The column '{column.name}' holds {what}, which are read as such and are no target, group or time. "
            f"Name another column, or set it aside with --drop {column.name}."
        )
    if column.role == "aside":
        column.reason = "dropped by you"


def _are_captions(column: Column, series: pl.Series, kinds: dict[str, str], pictures: bool) -> bool:
    """Whether a target says what is in the pictures beside it: lists of texts, or texts of several words."""
    if column.role != "target" or not pictures or column.name in kinds and kinds[column.name] != "captions":
        return False
    if series.dtype == pl.List(pl.String):
        return True
    if series.dtype != pl.String:
        return False
    known = series.drop_nulls().str.strip_chars()
    return column.name in kinds or _is_text(known.filter(known != "").unique(), series.len())


def _captions(column: Column, sample: pl.DataFrame) -> None:
    column.kind = "captions"
    texts = sample.select(values(column).alias("t")).to_series()
    column.missing, column.distinct = texts.null_count(), texts.explode().n_unique()
    column.examples = [short(text) for text in texts.drop_nulls().head(3).list.first().to_list()]


def _set_beside_media_aside(columns: list[Column], table: Table) -> None:
    """Takes from the inputs what is not read beside pictures or series, and the column that tells the split."""
    medium = next((column.kind for column in columns if column.kind in MEDIA and column.role == "input"), None)
    for column in columns:
        if column.role != "input":
            continue
        if column.name == table.part:
            column.role, column.reason = "aside", NAMES_PARTS
        elif medium == "image" and column.name == table.names:
            column.role, column.reason = "aside", NAMES_PICTURES
        elif table.documents and column.name == table.names:
            column.role, column.reason = "aside", NAMES_DOCUMENTS
        elif medium is not None and column.kind != medium:
            column.role, column.reason = "aside", f"beside {MEDIA[medium]} no other columns are read"


def _unreadable(column: Column, kinds: dict[str, str]) -> None:
    what = f"The column '{column.name}' holds {column.dtype} values, and a column holds one value per row"
    if column.name in kinds or column.role in ("target", "group", "time"):
        raise SchemaError(f"{what}. Unpack it into columns of numbers or words first.")
    if column.role == "input":
        column.role = "aside"
        column.reason = f"it holds {column.dtype.split('(')[0].lower()} values, which are not one value per row"


def _plain_numbers(sample: pl.DataFrame, decimal: str | None) -> dict[str, dict[str, Any]]:
    """The parsing of those string columns that hold nothing but plainly written numbers, all found in one pass."""
    names = [name for name, dtype in sample.schema.items() if dtype == pl.String]
    if not names:
        return {}
    text = pl.col(names)
    marked = text.str.contains(".", literal=True)

    def ask(answer: pl.Expr) -> dict[str, Any]:
        return sample.select(answer).row(0, named=True)

    numbers = ask(text.str.contains(_PLAIN).all())
    names = [name for name in names if numbers[name]]
    if not names:
        return {}
    text = pl.col(names)
    marked = text.str.contains(".", literal=True)
    known = ask(text.count())
    points = ask(marked.any())
    dates = ask(text.str.contains(_COMPACT_DATE).all())
    doubtful = ask((~marked | text.str.contains(_THREE_DIGITS)).all())
    return {
        name: {"as": "number", "decimal": "." if points[name] or decimal is None else decimal, "thousands": ""}
        for name in names
        # Dates in digits and 1.234, which may be a thousand, need the longer look of ``infer_parsing``.
        if known[name] and not dates[name] and not (points[name] and doubtful[name])
    }


def _zero_one(sample: pl.DataFrame) -> set[str]:
    """The numeric columns whose known values are 0 and 1."""
    names = [name for name, dtype in sample.schema.items() if dtype.is_numeric() and not isinstance(dtype, pl.Decimal)]
    if not names:
        return set()
    number = pl.col(names)
    only = sample.select(((number == 0) | (number == 1)).all()).row(0, named=True)
    both = sample.select((number == 0).any() & (number == 1).any()).row(0, named=True)
    return {name for name in names if only[name] and both[name]}


def _kind_of_strings(column: Column, series: pl.Series, parsing: dict[str, Any] | None, decimal: str | None) -> None:
    """Numbers, dates and yes/no written as strings; else names of a few, or a text of several words."""
    counts = None
    if parsing is None:
        counts = series.drop_nulls().str.strip_chars().value_counts(name="__rows")
        counts = counts.filter(counts[column.name] != "").sort(column.name)  # counting leaves no order
        parsing = infer_parsing(counts[column.name], counts["__rows"], decimal)
    if parsing is not None and parsing["as"] == "number" and column.role == "input":
        words = series.drop_nulls().str.strip_chars().unique().head(3).to_list()
        if len(words) == 2 and sorted(float(word) if _is_plain(word) else math.nan for word in words) == [0.0, 1.0]:
            words.sort(key=float)
            parsing = {"as": "boolean", "true": [words[1]], "false": [words[0]]}
    if parsing is not None and parsing["as"] == "boolean" and column.role != "input":
        parsing = None  # a target of two words keeps its own words in the predictions
    if parsing is not None and parsing.get("share") and column.role == "target" and series.n_unique() <= 20:
        parsing = None  # classes named 1, 2, 3 and U: the word is a class too
    column.parsing = parsing
    if parsing is not None:
        column.kind = parsing["as"]
    elif column.role == "input" and counts is not None:
        distinct = counts[column.name]
        if (distinct.len() > 20 or distinct.len() > 0.5 * series.len()) and _mean_words(distinct) >= LONG_TEXT:
            column.kind = "document"
        elif _is_text(distinct, series.len()):
            column.kind = "text"


def _warn_of_mixture(column: Column, series: pl.Series) -> None:
    """Says so where numbers and words share a column; whoever meant numbers has a broken export or a second missing word."""
    known = series.drop_nulls().str.strip_chars()
    words = known.filter(~known.str.contains(_DIGITS))
    share = 1 - words.len() / max(known.len(), 1)
    if words.len() and share >= MIXED:
        column.warnings.append(
            f"{share:.1%} of the values are numbers and the others are not (such as '{short(words[0])}'), so all are "
            f"read as categories; with --column '{column.name}=number' the others count as missing"
        )


def _is_plain(word: str) -> bool:
    return re.fullmatch(_PLAIN.strip("^$"), word) is not None


def _is_text(distinct: pl.Series, rows: int) -> bool:
    """Mostly several words, and mostly not the same ones."""
    if distinct.len() <= 20 or distinct.len() <= 0.5 * rows:
        # Long sentences that repeat are texts too: a few hundred different ones are not names.
        return distinct.len() > 200 and _mean_words(distinct) >= 8
    return _mean(distinct.str.count_matches(r"\S+") >= 2) > 0.6


def _lone_document(sample: pl.DataFrame, columns: list[Column], kinds: dict[str, str]) -> None:
    """A text that is the one input is a document where it has more than a few words: all that is known is in them."""
    inputs = [column for column in columns if column.role == "input"]
    if len(inputs) == 1 and inputs[0].kind == "text" and inputs[0].name not in kinds:
        if _mean_words(sample[inputs[0].name].drop_nulls()) >= LONE_TEXT:
            inputs[0].kind = "document"


def _mean_words(texts: pl.Series) -> float:
    return _mean(texts.str.count_matches(r"\S+"))


def _mean(series: pl.Series) -> float:
    return float(series.cast(pl.Float64).mean() or 0.0)  # type: ignore[arg-type]


def _examples(series: pl.Series) -> list[str]:
    head = series.head(100).drop_nulls()
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        return []
    if head.is_empty():
        head = series.drop_nulls().head(20)
    return [short(value) for value in head.unique(maintain_order=True).head(3).to_list()]


def short(value: Any) -> str:
    """A value as people are shown it, cut where it is long."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _force(column: Column, kind: str, series: pl.Series, decimal: str | None) -> None:
    """Gives a column the kind that the user named.

    Raises:
        SchemaError: its values cannot be read so.
    """
    dtype = series.dtype
    if kind == "captions":
        raise SchemaError(
            f"Captions say what is in pictures; beside '{column.name}' there are none. Write another kind."
        )
    column.kind = kind
    known = series.drop_nulls()
    if dtype == pl.String:
        known = known.str.strip_chars()
        known = known.filter(known != "")
        column.parsing = None if kind in WORDED else _parsing_as(kind, known, decimal)
        possible = kind in WORDED or column.parsing is not None
    elif kind == "number":
        possible = not isinstance(dtype, (pl.Categorical, pl.Enum))
    elif kind == "datetime":
        possible = dtype in (pl.Date, pl.Datetime)
    elif kind == "document":
        possible = isinstance(dtype, (pl.Categorical, pl.Enum))
    elif kind == "boolean":
        below = known <= 0 if dtype.is_numeric() else None
        possible = dtype == pl.Boolean or (below is not None and bool(below.any()) and known.n_unique() <= 2)
    else:
        possible = True
    if known.len() and not possible:
        shown = ", ".join(repr(text) for text in column.examples)
        other = "category" if kind != "category" else "text"
        raise SchemaError(
            f"The column '{column.name}' cannot be read as {kind}: its values are like {shown} ({column.dtype}). "
            f"Write another kind, such as {other}, or change the data."
        )


WORDED = ("category", "text", "document")
"""The kinds that strings can always be read as."""


def _parsing_as(kind: str, known: pl.Series, decimal: str | None) -> dict[str, Any] | None:
    counts = known.value_counts(name="__rows").sort(known.name)
    found = infer_parsing(counts[known.name], counts["__rows"], decimal)
    if found is not None and found["as"] == kind:
        return found
    if kind == "boolean":
        words = sorted(known.str.to_lowercase().unique().to_list())
        return {"as": "boolean", "true": [words[1]], "false": [words[0]]} if len(words) == 2 else None
    if kind == "number":
        for mark in dict.fromkeys((decimal or ".", ".", ",")):
            parsing = {"as": "number", "decimal": mark, "thousands": ""}
            failed = known.filter(~known.str.contains(number_pattern(mark, "")))
            if failed.len() < 0.5 * known.len():
                more = {
                    "unparsed": failed.unique().sort().head(5).to_list(),
                    "share": round(failed.len() / known.len(), 6),
                }
                return parsing | (more if failed.len() else {})
    return None


@dataclass
class _Facts:
    """What was counted of one column, of the values as a network will see them."""

    missing: int
    distinct: int
    infinite: int = 0
    low: float | None = None
    high: float | None = None
    whole: bool = False
    exact: bool = True


def _facts(
    frame: pl.LazyFrame, sample: pl.DataFrame, typed: pl.DataFrame, rows: int, columns: list[Column]
) -> dict[str, _Facts]:
    """Counts of all columns at once; columns that cannot be read keep zeros."""
    flat = set(typed.columns)
    readable = [c for c in columns if c.name in flat]
    facts = {c.name: _Facts(rows if c.dtype == "Null" and c.kind not in MEDIA else 0, 0) for c in columns}
    if not readable:  # pictures or series alone
        return facts
    whole_table = sample.height == rows
    numbers = [c.name for c in readable if c.kind == "number"]
    sampled = dict(zip(typed.columns, typed.select(pl.all().drop_nulls().n_unique()).row(0), strict=True))
    if whole_table:
        missing = dict(zip(typed.columns, typed.null_count().row(0), strict=True))
        distinct = sampled
        column = pl.col(numbers)
        bounds = [typed.select(answer).row(0) for answer in (column.min(), column.max())] if numbers else []
        whole = typed.select((column == column.round()).all()).row(0) if numbers else ()
    else:
        column = pl.col(numbers)
        asked = [pl.all().null_count().name.prefix("m:"), pl.all().approx_n_unique().name.prefix("d:")]
        if numbers:
            asked += [column.min().name.prefix("l:"), column.max().name.prefix("h:")]
            asked += [(column == column.round()).all().name.prefix("w:")]
        counted = _typed(frame, readable).select(asked).collect(engine="streaming").row(0, named=True)
        missing = {c.name: counted[f"m:{c.name}"] for c in readable}
        # Approximate counts err by a few per cent, also on few values, which the sample counts exactly.
        distinct = {}
        for c in readable:
            few, many = sampled[c.name], counted[f"d:{c.name}"] - (missing[c.name] > 0)  # a null counts as a value
            distinct[c.name] = few if 1 < few <= 100 else min(max(few, many), rows - missing[c.name])
        bounds = [tuple(counted[f"{part}:{name}"] for name in numbers) for part in "lh"]
        whole = tuple(counted[f"w:{name}"] for name in numbers)
    floats = [c.name for c in readable if c.dtype.startswith("Float")]
    infinite = sample.select(pl.col(floats).is_infinite().sum()).row(0, named=True) if floats else {}
    for c in readable:
        facts[c.name] = _Facts(missing[c.name], max(distinct[c.name], 0), infinite.get(c.name) or 0, exact=whole_table)
    for i, name in enumerate(numbers):
        facts[name].low, facts[name].high, facts[name].whole = bounds[0][i], bounds[1][i], bool(whole[i])
    for c in (one for one in columns if one.kind != "captions"):
        c.missing, c.distinct = facts[c.name].missing, facts[c.name].distinct
    return facts


def _is_flat(dtype: pl.DataType) -> bool:
    return not (dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Null))


def _typed(frame: pl.LazyFrame, columns: list[Column]) -> pl.LazyFrame:
    return frame.select(values(column).alias(column.name) for column in columns)


def _set_aside(column: Column, facts: _Facts, rows: int, forced: bool) -> None:
    """Takes a column that cannot teach anything from the inputs; category codes are told from quantities here."""
    if column.role != "input":
        return
    known = rows - facts.missing
    parts = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower()))
    all_distinct = known == facts.distinct if facts.exact else facts.distinct >= 0.95 * known
    reason = ""
    if known == 0:
        reason = "every value is missing"
    elif facts.distinct == 1 and facts.missing == 0:
        reason = f"it has the same value in every row{f' ({column.examples[0]})' if column.examples else ''}"
    elif forced:
        return
    elif column.kind == "category" and known >= 5 and _names_rows(facts, known, all_distinct):
        reason = f"it names the rows: {facts.distinct:,} different values in {known:,} rows"
    elif column.kind in ("text", "document") and all_distinct and parts & {"id", "uuid", "guid"}:
        reason = f"it names the rows: {facts.distinct:,} different values in {known:,} rows"
    elif column.kind == "number" and facts.whole and known >= 5 and all_distinct and facts.missing == 0:
        consecutive = facts.high - facts.low + 1 == rows  # type: ignore[operator]
        if consecutive and (facts.low in (0, 1) or rows > 300 or parts & _ID_NAMES):
            reason = f"it numbers the rows, from {facts.low:.0f} to {facts.high:.0f}"
        elif parts & _ID_NAMES:
            reason = "its name says that it names the rows, and every value is different"
    if reason:
        column.role, column.reason = "aside", reason
    elif column.kind == "number" and facts.whole and parts & _CODE_NAMES and 2 < facts.distinct <= known / 2:
        # A zip or shop number is a name: no shop lies between two others.
        column.kind, column.parsing = "category", None


def _names_rows(facts: _Facts, known: int, all_distinct: bool) -> bool:
    return all_distinct or (known >= 50 and facts.distinct >= NEARLY_ALL * known)


def _warn(column: Column, facts: _Facts, rows: int) -> None:
    if column.role == "aside":
        return
    parsing = column.parsing or {}
    if parsing.get("share"):
        shown = ", ".join(repr(text) for text in parsing["unparsed"][:3])
        what = {"number": "numbers", "datetime": "dates"}.get(parsing["as"], "values")
        column.warnings.append(f"{parsing['share']:.1%} of the values are not {what} ({shown}); they count as missing")
    if parsing.get("ambiguous"):
        column.warnings.append(_ambiguity(parsing))
    if facts.infinite:
        count = "some" if not facts.exact else f"{facts.infinite:,}"
        column.warnings.append(f"{count} infinite values; they count as missing")
    if facts.missing > 0.5 * rows:
        share = min(facts.missing / rows, 0.9999)  # some are known
        column.warnings.append(f"{share:.{0 if share < 0.99 else 2}%} of the values are missing")


def _ambiguity(parsing: dict[str, Any]) -> str:
    if parsing["as"] == "datetime":
        first = "day" if parsing["format"].startswith("%d") else "month"
        return f"the dates can be read with the day or the month first; read with the {first} first"
    mark = parsing["thousands"] or parsing["decimal"]
    meant = "thousands" if parsing["thousands"] else "decimals"
    return f"the mark '{mark}' can stand for thousands or for decimals; read as {meant}"


def _set_duplicates_aside(
    frame: pl.LazyFrame, typed: pl.DataFrame, rows: int, columns: list[Column], kinds: dict[str, str]
) -> None:
    """Of columns with identical values the first stays; the target always does."""
    used = sorted(
        (c for c in columns if c.dtype != "Null" and c.role in ("input", "target") and c.name in typed.columns),
        key=lambda c: c.role != "target",
    )
    dtypes = typed.schema
    first: dict[tuple[Any, ...], Column] = {}
    pairs: list[tuple[Column, Column]] = []
    for column in used:
        series = typed[column.name]
        # Columns of one missing share and a few equal values are compared in full; most differ at once.
        series = series.cast(pl.Float64) if series.dtype == pl.Boolean else series
        key = (series.dtype, column.missing, column.distinct, series.head(1_000).hash(0).to_numpy().tobytes())
        if column.role == "input" and column.name not in kinds and key in first:
            other = typed[first[key].name]
            other = other.cast(pl.Float64) if other.dtype == pl.Boolean else other
            if series.equals(other.alias(series.name), check_dtypes=False, check_names=False):
                pairs.append((column, first[key]))
        else:
            first.setdefault(key, column)
    if pairs and typed.height < rows:

        def read(column: Column) -> pl.Expr:
            return values(column).cast(pl.Float64 if column.kind == "boolean" else dtypes[column.name])

        same = frame.select(read(twin).eq_missing(read(original)).all().alias(twin.name) for twin, original in pairs)
        answers = same.collect(engine="streaming").row(0, named=True)
        pairs = [pair for pair in pairs if answers[pair[0].name]]
    for twin, original in pairs:
        what = "target" if original.role == "target" else "column"
        twin.role, twin.reason = "aside", f"it has the same values as the {what} '{original.name}'"
        twin.warnings.clear()


def _check_roles(schema: Schema, target: str | None, time: str | None) -> None:
    if target is not None and schema[target].missing == schema.rows:
        raise SchemaError(
            f"The target needs known values; all {schema.rows:,} values of '{target}' are missing. Name another target."
        )
    if time is not None and schema[time].kind not in ("datetime", "number"):
        shown = ", ".join(schema[time].examples)
        held = f"is a {schema[time].kind} (such as {shown})" if shown else "has no known value"
        raise SchemaError(f"The time column holds dates or numbers; '{time}' {held}. Name another column.")
    if not schema.inputs:
        shown = "; ".join(f"'{column.name}': {column.reason}" for column in schema.aside[:5])
        raise SchemaError(
            "A network needs at least one input column; none is left"
            f"{' besides the target' if target is not None and not shown else ''}. {shown or 'Add columns'}."
        )


def _warn_of_leaks(schema: Schema, sample: pl.DataFrame) -> None:
    """Warns of input columns that tell the target nearly perfectly on their own: they were often made from it."""
    target = schema.target
    if any(column.kind in MEDIA for column in schema.inputs):
        return
    if len(schema.inputs) > LEAK_COLUMNS:
        target.warnings.append(
            f"with more than {LEAK_COLUMNS} columns none was tested for giving the target away on its own"
        )
        return
    known = sample.filter(values(target).is_not_null())
    if known.height > LEAK_ROWS:
        known = known.sample(LEAK_ROWS, seed=0)
    if known.height < 50:
        return
    order = np.random.default_rng(0).permutation(known.height)
    known = known[order]
    truth = known.select(values(target).alias(target.name)).to_series()
    regression = target.kind in ("number", "datetime") and truth.n_unique() > 20
    if regression:
        y = truth.to_physical().cast(pl.Float64).to_numpy()
    else:
        y = truth.cast(pl.String).rank("dense").to_numpy().astype(np.int64) - 1
        if not 2 <= y.max() + 1 <= 100 or np.sort(np.bincount(y))[-2] < 10:
            return
    told = [column for column in schema.inputs if column.name in known.columns]
    features = known.select(_leak_feature(c) for c in told)
    for column in told:
        score = _single_column_score(features[column.name].to_numpy().astype(np.float64), y, regression)
        if score is not None:
            column.warnings.append(
                f"this column alone {GIVES_AWAY} ({score}); "
                f"if it is only known after '{target.name}', set it aside with --drop"
            )


def _leak_feature(column: Column) -> pl.Expr:
    """A column as one number: names by their place in the alphabet, texts by their length."""
    value = values(column)
    if column.kind in ("text", "document"):
        value = value.str.len_chars()
    elif column.kind == "category":
        value = value.rank("dense")
    elif column.kind == "datetime":
        value = value.dt.epoch("us")
    return value.cast(pl.Float64).fill_null(-1e30).alias(column.name)


def _single_column_score(x: np.ndarray, y: np.ndarray, regression: bool) -> str | None:
    """The score of a small tree on one column, on rows it has not seen, where it is nearly perfect."""
    # Beyond float32, in which trees compare.
    x = np.clip(x, -1e30, 1e30)[:, None]
    half = len(y) // 2
    scores = []
    for seen, unseen in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
        if regression:
            tree = DecisionTreeRegressor(max_leaf_nodes=256, min_samples_leaf=2, random_state=0)
            score = r2_score(y[unseen], tree.fit(x[seen], y[seen]).predict(x[unseen]))
            name = "R²"
        elif y.max() == 1:
            tree = DecisionTreeClassifier(max_leaf_nodes=64, random_state=0).fit(x[seen], y[seen])
            if len(tree.classes_) < 2 or np.ptp(y[unseen]) == 0:
                return None
            score = roc_auc_score(y[unseen], tree.predict_proba(x[unseen])[:, 1])
            name = "area under the ROC curve"
        else:
            tree = DecisionTreeClassifier(max_leaf_nodes=256, random_state=0).fit(x[seen], y[seen])
            score = float((tree.predict(x[unseen]) == y[unseen]).mean())
            majority = float(np.bincount(y[unseen]).max() / len(y[unseen]))
            name = "accuracy"
            if 1 - score > 0.05 * (1 - majority):
                return None
        if not score >= LEAK_SCORE:  # most columns fail here at once, which keeps this quick
            return None
        scores.append(score)
    return f"{name} {min(scores):.3f}"
