"""What a column of strings means (numbers, dates and times, yes/no), and the Polars expression that reads it so.

What is found is a small JSON object, called *parsing* below, so that a run can keep it and exported code can repeat it:

- ``{"as": "number", "decimal": "." or ",", "thousands": "", ",", ".", " " or "'"}``; ``unit`` names a currency or
  percent sign that is taken off (``12 %`` is 12);
- ``{"as": "datetime", "format": "%d/%m/%Y %H:%M"}``, the format as in ``strptime``;
- ``{"as": "boolean", "true": [...], "false": [...]}``, words in lower case.

``ambiguous: true`` says that the values allow another reading too. ``unparsed`` (examples) and ``share`` tell of the few
values that do not fit and become missing.
"""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

MISSING_WORDS = (
    "", "?", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "-nan", "NULL", "null", "Null", "NaT", "<NA>", "<null>", "(null)",
    "\\N", "#N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!",
)  # fmt: skip
"""Words that mean a missing value wherever they stand."""

DOUBTFUL_WORDS = (
    "none", "-", "--", "---", "–", "—", ".", "..", "...", "*", "na", "n.a.", "n.d.", "nil", "missing", "unknown", "undefined",
    "not available",
)  # fmt: skip
"""Words, in lower case, that mean a missing value among numbers and dates, but may be a level among words."""

YES_NO = (
    ("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"), ("sim", "não"), ("sim", "nao"), ("s", "n"),
    ("verdadeiro", "falso"), ("sí", "no"), ("si", "no"), ("oui", "non"), ("ja", "nein"), ("vrai", "faux"),
)  # fmt: skip

TOLERATED = 0.05
"""The largest share of values that may fail to parse in a column that is still read as numbers or dates."""

_UNITS = ("R$", "US$", "$", "€", "£", "¥", "₹", "₩", "₽", "%", "USD", "EUR", "GBP", "BRL")
_SPACES = "[ \u00a0\u202f\u2009]"
# Plain forms first: among equally good readings the earlier one wins.
_MARKS = ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"))
_INFINITE = r"(?i)^[+\-−]?inf(inity)?$"
_NUMBER_LENGTH = 15  # digits that a 64-bit float keeps; longer integers are names, not quantities


def infer_parsing(
    values: pl.Series, counts: pl.Series | None = None, decimal: str | None = None
) -> dict[str, Any] | None:
    """What the distinct strings ``values`` mean, or None when they are words.

    Args:
        values: distinct strings, shape (n,); nulls are passed over.
        counts: how often each occurs, shape (n,); without it each counts once.
        decimal: the decimal mark of the rest of the file, asked only where the values allow both.
    """
    import polars as pl

    table = pl.DataFrame(
        {"value": values.cast(pl.String), "count": counts if counts is not None else [1] * len(values)}
    )
    table = table.with_columns(pl.col("value").str.strip_chars()).filter(
        pl.col("value").is_not_null() & (pl.col("value") != "")
    )
    if table.is_empty():
        return None
    return _boolean(table) or _compact_date(table) or _number(table, decimal) or _datetime(table)


def parse(expression: pl.Expr, parsing: dict[str, Any]) -> pl.Expr:
    """Reads a column of strings as ``parsing`` says: Float64, Datetime (no time zone, UTC where one was written) or
    Boolean. What does not fit becomes null."""
    import polars as pl

    text = expression.str.strip_chars()
    if parsing["as"] == "boolean":
        values = dict.fromkeys(parsing["true"], True) | dict.fromkeys(parsing["false"], False)
        return text.str.to_lowercase().replace_strict(values, default=None, return_dtype=pl.Boolean)
    if parsing["as"] == "datetime":
        time = text.str.strptime(pl.Datetime("us"), parsing["format"], strict=False)
        return time.dt.replace_time_zone(None) if parsing["format"].endswith("%#z") else time
    if parsing.get("unit"):
        text = text.str.replace(parsing["unit"], "", literal=True).str.strip_chars()
        text = text.str.replace(r"^([+\-−])\s+", "${1}")
    thousands, decimal = parsing["thousands"], parsing["decimal"]
    # Only well-formed numbers: taking the thousands marks out of '1,5' would make it 15.
    text = pl.when(text.str.contains(number_pattern(decimal, thousands))).then(text)
    text = text.str.replace("−", "-", literal=True).str.replace(r"^\+", "")
    if thousands == " ":
        text = text.str.replace_all(_SPACES, "")
    elif thousands:
        text = text.str.replace_all(thousands, "", literal=True)
    if decimal != ".":
        text = text.str.replace(decimal, ".", literal=True)
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def parse_one(text: str, parsing: dict[str, Any]) -> float | bool | datetime | None:
    """What ``parse`` reads in a single text, without Polars; None where it does not fit. Moments are of UTC, without saying so."""
    text = text.strip()
    if parsing["as"] == "boolean":
        word = text.lower()
        return True if word in parsing["true"] else False if word in parsing["false"] else None
    if parsing["as"] == "datetime":
        return _moment(text, parsing["format"])
    if parsing.get("unit"):
        text = re.sub(r"^([+\-−])\s+", r"\1", text.replace(parsing["unit"], "", 1).strip())
    thousands, decimal = parsing["thousands"], parsing["decimal"]
    if not re.match(number_pattern(decimal, thousands), text):
        return None
    text = text.replace("−", "-")
    if thousands:
        text = re.sub(_SPACES if thousands == " " else re.escape(thousands), "", text)
    number = float(text.replace(decimal, "."))
    return number if number not in (float("inf"), float("-inf")) else None


def _moment(text: str, form: str) -> datetime | None:
    """Python writes a format otherwise than Polars: fractions of seconds, zones and short names of months."""
    # More digits than Python reads are less than a microsecond.
    text = re.sub(r"(:[0-9]{2}\.[0-9]{6})[0-9]+", r"\1", text)
    form = form.replace("%#z", "%z")
    written = [form.replace("%.f", fraction) for fraction in ("", ".%f")] if "%.f" in form else [form]
    for one in [*written, *(form.replace("%B", "%b") for form in written if "%B" in form)]:
        with contextlib.suppress(ValueError, OverflowError):
            found = datetime.strptime(text, one)
            return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    return None


def number_pattern(decimal: str, thousands: str) -> str:
    """The regular expression of a number written with these marks; thousands marks may be left out."""
    mark = re.escape(decimal)
    group = _SPACES if thousands == " " else re.escape(thousands)
    whole = rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+)" if thousands else "[0-9]+"
    return rf"^[+\-−]?(?:{whole}(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+\-]?[0-9]{{1,3}})?$"


def missing_words(values: pl.Series, decimal: str | None = None) -> list[str]:
    """Those of the distinct strings ``values`` of one column that stand for a missing value.

    Certain words count everywhere, except ``NA`` among two-letter codes (Namibia); doubtful ones, such as ``None``,
    only where all else is numbers or dates.
    """
    import polars as pl

    words = [value.strip() for value in values.drop_nulls().to_list()]
    certain = {word for word in words if word in MISSING_WORDS}
    rest = [word for word in words if word not in certain]
    if "NA" in certain and len(rest) >= 10 and all(re.fullmatch("[A-Z]{2}", word) for word in rest):
        certain.remove("NA")
    doubtful = {word for word in rest if word.lower() in DOUBTFUL_WORDS}
    if doubtful:
        found = infer_parsing(
            pl.Series([word for word in rest if word not in doubtful], dtype=pl.String), decimal=decimal
        )
        if found is not None and found["as"] != "boolean":
            certain |= doubtful
    return sorted(certain)


def _boolean(table: pl.DataFrame) -> dict[str, Any] | None:
    words = set(table["value"].str.to_lowercase().unique().head(20).to_list())
    for yes, no in YES_NO:
        if words == {yes, no}:
            return {"as": "boolean", "true": [yes], "false": [no]}
    return None


def _number(table: pl.DataFrame, decimal: str | None) -> dict[str, Any] | None:
    import polars as pl

    value = pl.col("value")
    # Names written in digits: zip codes and article numbers with leading zeros, integers longer than a float can hold.
    names = value.str.contains(rf"^[+\-]?(0[0-9]+|[0-9]{{{_NUMBER_LENGTH + 1},}})$")
    if not table.select(value.str.contains("[0-9]").any()).item() or table.select(names.any()).item():
        return None
    unit = _unit(table)
    if unit is None:
        return None
    # Infinities are numbers, though none to learn from: they do not turn a column into words.
    finite = table.filter(~value.str.contains(_INFINITE))
    total = int(finite["count"].sum())
    base: dict[str, Any] = {"as": "number"}
    if unit:
        base["unit"] = unit
    best: dict[str, Any] | None = None
    least = total + 1
    marks = sorted(_MARKS, key=lambda pair: pair[1] != "" or (decimal is not None and pair[0] != decimal))
    for mark, thousands in marks:
        parsing = base | {"decimal": mark, "thousands": thousands}
        failed = int(finite.filter(parse(value, parsing).is_null())["count"].sum())
        if failed < least:
            best, least = parsing, failed
        if failed == 0:
            break
    if best is None or least > TOLERATED * total:
        return None
    return _with_unparsed(table, _three_digits(table, best, decimal))


def _three_digits(table: pl.DataFrame, parsing: dict[str, Any], decimal: str | None) -> dict[str, Any]:
    """Decides ``1,234``: a comma before exactly three digits everywhere marks thousands, unless the file's decimal
    mark is the comma; a point stays a decimal point unless the file's decimal mark is the comma."""
    import polars as pl

    mark = parsing["decimal"]
    other = "," if mark == "." else "."
    if parsing["thousands"] not in ("", other):
        return parsing
    numbers = table.filter(parse(pl.col("value"), parsing).is_not_null())["value"]
    marked = numbers.filter(numbers.str.contains("[.,]"))
    if parsing["thousands"] or marked.is_empty():
        return parsing
    three = rf"[1-9][0-9]{{0,2}}{re.escape(mark)}[0-9]{{3}}(?:[^0-9eE]|$)"
    if not marked.str.contains(rf"(?:^|[^0-9.,]){three}").all():
        return parsing
    as_thousands = parsing | {"decimal": other, "thousands": mark, "ambiguous": True}
    as_decimal = parsing | {"ambiguous": True}
    if decimal is not None:
        return as_decimal if decimal == mark else as_thousands
    return as_thousands if mark == "," else parsing


def _unit(table: pl.DataFrame) -> str | None:
    """The one currency or percent sign before or after the numbers, '' without one, None when several are mixed."""
    if not table["value"].str.contains("|".join(map(re.escape, _UNITS))).any():
        return ""
    digits = r"[0-9.,' \u00a0\u202f\u2009]*[0-9][0-9.,' \u00a0\u202f\u2009]*"
    for unit in _UNITS:
        sign = re.escape(unit)
        found = table["value"].str.contains(rf"^(?:[+\-−]?\s*{sign}\s*[+\-−]?{digits}|[+\-−]?{digits}{sign})$")
        if found.any():
            rest = table["value"].filter(~found)
            mixed = any(rest.str.contains(other, literal=True).any() for other in _UNITS)
            return None if mixed else unit
    return ""


_DATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2}", ("%Y-%m-%d",)),
    (r"\d{4}/\d{1,2}/\d{1,2}", ("%Y/%m/%d",)),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", ("%Y.%m.%d",)),
    (r"\d{4}-\d{2}", ("%Y-%m",)),
    (r"\d{1,2}/\d{1,2}/\d{4}", ("%d/%m/%Y", "%m/%d/%Y")),
    (r"\d{1,2}-\d{1,2}-\d{4}", ("%d-%m-%Y", "%m-%d-%Y")),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", ("%d.%m.%Y", "%m.%d.%Y")),
    (r"\d{1,2}/\d{1,2}/\d{2}", ("%d/%m/%y", "%m/%d/%y")),
    (r"\d{1,2}-\d{1,2}-\d{2}", ("%d-%m-%y", "%m-%d-%y")),
    (r"\d{1,2}\.\d{1,2}\.\d{2}", ("%d.%m.%y", "%m.%d.%y")),
    (r"\d{1,2} [A-Za-z]{3,9} \d{4}", ("%d %B %Y",)),
    (r"\d{1,2}-[A-Za-z]{3,9}-\d{4}", ("%d-%B-%Y",)),
    (r"\d{1,2}-[A-Za-z]{3,9}-\d{2}", ("%d-%B-%y",)),
    (r"[A-Za-z]{3,9} \d{1,2}, \d{4}", ("%B %d, %Y",)),
)
_TIMES = (
    ("", ""),
    (r"\d{1,2}:\d{2}", "%H:%M"),
    (r"\d{1,2}:\d{2}:\d{2}", "%H:%M:%S"),
    (r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)", "%H:%M:%S%.f"),
    (r"\d{1,2}:\d{2} [AaPp][Mm]", "%I:%M %p"),
    (r"\d{1,2}:\d{2}:\d{2} [AaPp][Mm]", "%I:%M:%S %p"),
)
_ZONE = r"(?:Z|[+\-]\d{2}:?\d{2})"


def _datetime(table: pl.DataFrame) -> dict[str, Any] | None:
    """One format for all: the shapes are tried on a few values with ``re``, the formats that fit on all with Polars."""
    import polars as pl

    few = table.sort("count", descending=True, maintain_order=True)["value"].head(100).to_list()
    total = int(table["count"].sum())
    for date, formats in _DATES:
        if sum(bool(re.match(date + "(?![0-9])", value)) for value in few) < 0.8 * len(few):
            continue
        for time, time_format in _TIMES:
            for zone in ("", "%#z") if time else ("",):
                gap = next((gap for gap in " T" if time and any(gap in value[6:] for value in few)), "")
                shape = f"^{date}{f'{gap}{time}' if time else ''}{_ZONE if zone else ''}$"
                fits = table["value"].str.contains(shape)
                read: dict[str, int] = {}
                for form in formats:
                    parsing = {"as": "datetime", "format": form + gap + time_format + zone}
                    parsed = table.select(parse(pl.col("value"), parsing).is_not_null()).to_series() & fits
                    read[parsing["format"]] = int(table["count"].filter(parsed).sum())
                share = max(read.values())
                if total - share > TOLERATED * total:
                    continue
                form = next(f for f, n in read.items() if n == share)
                found: dict[str, Any] = {"as": "datetime", "format": form}
                if len(read) > 1 and len(set(read.values())) == 1:
                    found["ambiguous"] = True
                return _with_unparsed(table, found)
    return None


def _compact_date(table: pl.DataFrame) -> dict[str, Any] | None:
    """Dates such as 20240131, told from numbers by many values that are all real days between 1900 and 2100."""
    import polars as pl

    value = pl.col("value")
    if table.height < 3 or not table.select(value.str.contains(r"^(19|20)\d{6}$").all()).item():
        return None
    parsing = {"as": "datetime", "format": "%Y%m%d"}
    return parsing if table.select(parse(value, parsing).is_not_null().all()).item() else None


def _with_unparsed(table: pl.DataFrame, parsing: dict[str, Any]) -> dict[str, Any]:
    import polars as pl

    failed = table.filter(parse(pl.col("value"), parsing).is_null())
    if failed.is_empty():
        return parsing
    share = int(failed["count"].sum()) / int(table["count"].sum())
    return parsing | {"unparsed": failed["value"].head(5).to_list(), "share": round(share, 6)}
