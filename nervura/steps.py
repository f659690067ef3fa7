"""The even steps of a series in time: found in its moments, counted, and told as moments again."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nervura.errors import SchemaError
from nervura.parsing import infer_parsing, parse

if TYPE_CHECKING:
    import polars as pl

SECOND, DAY = 1_000_000, 86_400_000_000
"""In microseconds."""

MONTHS = ((28, 31, 1), (89, 92, 3), (181, 184, 6), (365, 366, 12))
"""Steps of so many days, from and to, are so many months."""

SEASONS = {1: 12, 3: 4, 6: 2, 12: 1}
"""How many steps of so many months repeat."""

UNEVEN = 0.02
"""Up to this share of moments may lie off the even steps; they are moved to the nearest."""

PLAIN_FORMS = {
    r"\d{4}-\d{2}": "%Y-%m",
    r"\d{4}/\d{2}": "%Y/%m",
    r"\d{2}/\d{4}": "%m/%Y",
    r"\d{4} [A-Za-z]{3}": "%Y %b",
    r"[A-Za-z]{3} \d{4}": "%b %Y",
    r"\d{4}M\d{2}": "%YM%m",
}
"""Months as text, and their format."""

QUARTER = r"\d{4}[ -]?Q[1-4]"


@dataclass(frozen=True)
class Step:
    """Moments at even distances.

    Attributes:
        unit: ``month``, ``microsecond``, ``business day`` or ``number``, where moments are numbers.
        size: of a step, in that unit.
        anchor: where steps are counted from: a moment in the unit; of months a time within the month.
        season: after how many steps a series is expected to repeat itself, 1: never.
        form: how the moments of the table are written: ``date``, ``datetime``, ``number``, ``quarter`` or a format of text.
        month_end: whether moments are the last days of months.
    """

    unit: str
    size: float
    anchor: float
    season: int
    form: str
    month_end: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        return cls(**told)

    @property
    def words(self) -> tuple[str, str]:
        """The step as people say it, in English and Portuguese."""
        if self.unit == "number" and self.size < 1 and self.season in (4, 12):
            return ("1 month", "1 mês") if self.season == 12 else ("3 months", "3 meses")
        if self.unit == "number":
            return f"{self.size:g}", f"{self.size:g}"
        if self.unit == "business day":
            return "1 working day", "1 dia útil"
        if self.unit == "month":
            count, one, um = int(self.size), "month", "mês"
            if count % 12 == 0:
                count, one, um = count // 12, "year", "ano"
            many = "meses" if um == "mês" else "anos"
            return f"{count} {one}{'' if count == 1 else 's'}", f"{count} {um if count == 1 else many}"
        for size, one, um in (
            (7 * DAY, "week", "semana"),
            (DAY, "day", "dia"),
            (3600 * SECOND, "hour", "hora"),
            (60 * SECOND, "minute", "minuto"),
            (SECOND, "second", "segundo"),
        ):
            if self.size % size == 0:
                count = int(self.size // size)
                return f"{count} {one}{'' if count == 1 else 's'}", f"{count} {um}{'' if count == 1 else 's'}"
        return f"{self.size / SECOND:g} seconds", f"{self.size / SECOND:g} segundos"

    def places(self, moments: np.ndarray) -> np.ndarray:
        """The number of the step that each moment is, int64 (n,)."""
        if self.unit == "month":
            return (_months(moments) // int(self.size)).astype(np.int64)
        if self.unit == "business day":
            days = moments.astype("datetime64[us]").astype("datetime64[D]")
            return np.busday_count(np.datetime64("1970-01-01"), days).astype(np.int64)
        return np.rint((moments - self.anchor) / self.size).astype(np.int64)

    def moments(self, places: np.ndarray) -> np.ndarray:
        """The moments of the steps of these numbers, in microseconds or as numbers (n,)."""
        if self.unit == "month":
            first = (places * int(self.size)).astype("datetime64[M]")
            if self.month_end:
                days = (first + 1).astype("datetime64[D]") - 1
                return days.astype("datetime64[us]").astype(np.int64) + int(self.anchor) % DAY
            return first.astype("datetime64[us]").astype(np.int64) + int(self.anchor)
        if self.unit == "business day":
            days = np.busday_offset(np.datetime64("1970-01-01"), places, roll="forward")
            return days.astype("datetime64[us]").astype(np.int64) + int(self.anchor)
        made = self.anchor + places * self.size
        return made if self.unit == "number" else np.rint(made).astype(np.int64)

    def written(self, places: np.ndarray, name: str) -> pl.Series:
        """The moments of steps as the table writes them."""
        import polars as pl

        found = self.moments(places)
        if self.unit == "number":
            whole = bool((found == np.rint(found)).all())
            return pl.Series(name, found.astype(np.int64) if whole else found)
        times = pl.Series(name, found, dtype=pl.Datetime("us"))
        if self.form == "datetime":
            return times
        if self.form == "date":
            return times.dt.date()
        if self.form == "quarter":
            quarters = [f"{year} Q{quarter}" for year, quarter in zip(times.dt.year(), times.dt.quarter(), strict=True)]
            return pl.Series(name, quarters, dtype=pl.String)
        return times.dt.to_string(self.form)

    def calendar(self, places: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """What the calendar tells of steps, float32 (n, features), and the names of the features: a sine and a cosine for
        each circle that is longer than a step."""
        if self.unit == "number":
            return np.zeros((len(places), 0), np.float32), []
        moments = self.moments(places)
        step = float(np.median(np.diff(moments))) if len(moments) > 1 else float(DAY)
        months = _months(moments)
        years = moments.astype("datetime64[us]").astype("datetime64[Y]")
        into = (moments - years.astype("datetime64[us]").astype(np.int64)) / (365.2425 * DAY)
        circles = {
            "time of day": (moments % DAY / DAY, step < DAY),
            "day of week": ((moments - 4 * DAY) % (7 * DAY) / (7 * DAY), step < 7 * DAY),
            "time of year": (months % 12 / 12 if self.unit == "month" else into, step < 365 * DAY),
        }
        kept = {name: turns for name, (turns, wanted) in circles.items() if wanted}
        made = [wave(2 * np.pi * turns) for turns in kept.values() for wave in (np.sin, np.cos)]
        names = [f"{wave} of {name}" for name in kept for wave in ("sine", "cosine")]
        return np.array(made, np.float32).reshape(len(made), len(places)).T, names


def _months(moments: np.ndarray) -> np.ndarray:
    """Months since 1970, whole, of microseconds."""
    return moments.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def read_moments(column: pl.Series) -> tuple[np.ndarray, str]:
    """The moments of a column, microseconds since 1970 int64 or numbers float64, NaN or the least integer where none is
    told, and the form that they are written in.

    Raises:
        SchemaError: the column holds no moments.
    """
    import polars as pl

    if column.dtype == pl.String:
        column, form = _of_text(column)
    elif column.dtype == pl.Date:
        form = "date"
    elif column.dtype == pl.Datetime:
        form = "datetime"
        column = column.dt.replace_time_zone(None)
    elif column.dtype.is_numeric():
        form = "number"
    else:
        raise SchemaError(
            f"A column of times holds dates, times or numbers; '{column.name}' is of type {column.dtype}."
        )
    if form == "number":
        return column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64), form
    known = column.cast(pl.Datetime("us"))
    return known.dt.epoch("us").fill_null(NOWHEN).to_numpy().astype(np.int64), form


NOWHEN = -(2**63)
"""In the place of a moment that is not told."""


def _of_text(column: pl.Series) -> tuple[pl.Series, str]:
    import polars as pl

    text = column.str.strip_chars()
    known = text.filter(text.is_not_null() & (text != ""))
    if known.is_empty():
        raise SchemaError(f"A column of times holds dates, times or numbers; '{column.name}' is empty.")
    if known.str.contains(f"^{QUARTER}$").all():
        month = (text.str.slice(-1).cast(pl.Int32, strict=False) * 3 - 2).cast(pl.String).str.zfill(2)
        return (text.str.slice(0, 4) + "-" + month + "-01").str.strptime(pl.Date, "%Y-%m-%d", strict=False), "quarter"
    for pattern, form in PLAIN_FORMS.items():
        if known.str.contains(f"^{pattern}$").all():
            read = (text + " 01").str.strptime(pl.Date, f"{form} %d", strict=False)
            if read.null_count() - text.null_count() <= 0:
                return read, form
    parsing = infer_parsing(known.unique())
    if parsing is None or parsing["as"] not in ("datetime", "number"):
        such = ", ".join(map(repr, known.unique(maintain_order=True).head(3)))
        raise SchemaError(f"A column of times holds dates, times or numbers; '{column.name}' holds such as {such}.")
    read = text.to_frame("t").select(parse(pl.col("t"), parsing).alias(column.name)).to_series()
    return read, "number" if parsing["as"] == "number" else re.sub(r"%#z$", "", parsing["format"])


def find_step(moments: list[np.ndarray], form: str, season: int = 0) -> Step:
    """The even step of the moments of series.

    Args:
        moments: of each series, ascending and each once.
        season: that is asked for; 0: what usually repeats at such steps.

    Raises:
        SchemaError: there is none.
    """
    found = _step(moments, form)
    if season:
        found = Step(**{**asdict(found), "season": season})
    _check_even(moments, found)
    return found


def _step(moments: list[np.ndarray], form: str) -> Step:
    longer = [one for one in moments if len(one) > 1]
    if not longer:
        raise SchemaError(
            "A series has several moments; each one here has one alone. Write --set keys=COLUMN with the columns that name "
            "the series, or --time with the column of times."
        )
    sizes, counts = np.unique(np.concatenate([np.diff(one) for one in longer]).round(9), return_counts=True)
    size, whole = float(sizes[counts.argmax()]), np.concatenate(moments)
    if form == "number":
        return _of_numbers(size, whole, float(longer[0][0]))
    days = size / DAY
    for low, high, months in MONTHS:
        if low <= days <= high and (np.mean((sizes >= low * DAY) & (sizes <= high * DAY)) > 0.5 or months == 1):
            if months == 1 and days == 28 and counts.max() / counts.sum() > 0.8:
                break  # four weeks
            return _of_months(whole, months, form)
    inside = int(longer[0][0]) % DAY
    if size == DAY:
        weekdays = (whole // DAY + 3) % 7
        if not (weekdays >= 5).any() and len(whole) > 10:
            return Step("business day", 1, inside, 5, form)
    return Step("microsecond", size, float(longer[0][0]), _season_of(size), form)


def _of_months(whole: np.ndarray, months: int, form: str) -> Step:
    first = whole.astype("datetime64[us]").astype("datetime64[M]")
    inside = whole - first.astype("datetime64[us]").astype(np.int64)
    ends = (((first + 1).astype("datetime64[us]").astype(np.int64) - whole) <= DAY).all()
    anchor = float(np.bincount(inside // DAY).argmax() * DAY + inside[0] % DAY)
    return Step("month", months, anchor, SEASONS[months], form, bool(ends))


def _of_numbers(size: float, whole: np.ndarray, first: float) -> Step:
    """Steps of numbers; fractions of a twelfth or a quarter are years told as numbers."""
    for parts in (12, 4):
        exact = np.rint(whole * parts)
        if abs(size * parts - 1) < 0.02 and np.abs(whole * parts - exact).max() < 0.2:
            return Step("number", 1 / parts, 0.0, parts, "number")
    return Step("number", size, first, 1, "number")


def _season_of(size: float) -> int:
    if size < 60 * SECOND:
        return 1
    if size < DAY:
        return int(round(DAY / size))
    return {1: 7, 7: 52}.get(int(round(size / DAY)), 1)


def _check_even(moments: list[np.ndarray], step: Step) -> None:
    whole = np.concatenate(moments)
    off = np.zeros(len(whole))
    if step.unit in ("microsecond", "number"):
        exact = (whole - step.anchor) / step.size
        off = np.abs(exact - np.rint(exact))
    uneven = float((off > 0.05).mean())
    twice = sum(len(one) - len(np.unique(step.places(one))) for one in moments)
    if uneven > UNEVEN or twice:
        raise SchemaError(
            f"The moments of a series lie at even steps; most here are {step.words[0]} apart, and {uneven:.0%} lie between "
            f"the steps{f', {twice:,} in the step of another' if twice else ''}. Bring them to even steps, as by a mean for "
            "each day, or name the columns of the series with --set keys=COLUMN."
        )
