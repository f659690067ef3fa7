"""Series in time as windows: what lies before a moment, the origin of a forecast, and what comes after it.

A table in long form has a row for each moment of each series; in wide form each series is a column. Both become a
``Panel``: the values of all series at even steps. A window is told to networks in units of its own spread around its own
level, so that series of any size are alike; see ``Windows``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nervura.errors import SchemaError, did_you_mean
from nervura.parsing import infer_parsing, parse
from nervura.steps import NOWHEN, Step, find_step, read_moments

if TYPE_CHECKING:
    import polars as pl

Encoding = dict[str, Any]
"""What a run keeps as JSON: ``form``, the columns of the table (see ``read_panel``), ``step``, ``window``, ``horizon``,
``season``, ``transform``, ``unit``, ``floor``, and ``length`` and ``channels`` of the tensor."""

SERIES = "series"
"""What a series is named by where the table is in wide form."""

MOST_GAPS = 0.5
"""Series of which a larger share of steps is missing have no even steps."""

LIMIT = 30.0
"""Targets are held to so many units of their window's spread, so that one window does not outweigh all others."""

SMALLEST_SPREAD = 0.1
"""A window's unit is at least so many times what is usual."""

COPIED_VALUES = 2**26
"""Windows of up to so many values are cut once and kept; of more, each is cut when it is asked for."""


@dataclass
class Panel:
    """The values of several series at even steps, end to end.

    Attributes:
        names: the key columns, one row a series.
        starts: where each series begins in ``values``, and the end of the last, int64 (series + 1,).
        firsts: the number of the first step of each series (``Step.places``), int64 (series,).
        ends: after how many steps each series is no longer known, int64 (series,). Steps after that are to come.
        values: float64; gaps are filled along straight lines, what is to come is NaN.
        given: bool, where the table has a value.
        covariates: what is known of each step beside the series, float32 (steps, features).
        step: from one to the next.
        notes: what people should know of how it was read.
        sums: of changes from season to season, up to each step, by how they were counted.
    """

    names: pl.DataFrame
    starts: np.ndarray
    firsts: np.ndarray
    ends: np.ndarray
    values: np.ndarray
    given: np.ndarray
    covariates: np.ndarray
    step: Step
    notes: list[str] = field(default_factory=list)
    sums: dict[Any, np.ndarray] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.firsts)

    def history(self, series: int, end: int | None = None) -> np.ndarray:
        """The values of a series, before the ``end``-th."""
        start = self.starts[series]
        return self.values[start : start + (self.ends[series] if end is None else end)]

    def name(self, series: int) -> str:
        """What a series is called, as one text; empty where it is the only one."""
        return ", ".join(str(value) for value in self.names.row(series)) if self.names.width else ""

    def places(self, series: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """The numbers of the steps at positions within series."""
        return self.firsts[series] + positions


def names_in(given: Any) -> list[str]:
    """Names of columns from a list, or from text with commas between them."""
    if isinstance(given, str):
        return [name.strip() for name in given.split(",") if name.strip()]
    return [str(name) for name in given or ()]


def find_form(
    frame: pl.DataFrame, target: str | None, time: str | None, keys: Sequence[str], known: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Which columns hold the times, the values, the names of the series and what is known beforehand, and notes on what was
    found out.

    Raises:
        SchemaError: a column is not there, or it cannot be told which one is meant.
    """
    notes: list[str] = []
    for what, names in (("target", [target]), ("time", [time]), ("key", keys), ("known", known)):
        for name in names:
            if name is not None and name not in frame.columns:
                raise SchemaError(
                    f"The {what} column must be in the table; '{name}' is not. {did_you_mean(name, frame.columns)}"
                )
    roles = [*([target] if target else []), *([time] if time else []), *keys, *known]
    if twice := next((name for name in roles if roles.count(name) > 1), None):
        raise SchemaError(f"A column has one role; '{twice}' is named for two. Leave one of them out.")
    if time is None:
        time = _time_column(frame.drop(roles))
        notes.append(
            f"The times are those of '{time}'." if time else "There is no column of times; rows follow in order."
        )
    rest = [name for name in frame.columns if name not in {*roles, time}]
    wide = [] if target is not None else [name for name in rest if _is_numeric(frame[name])]
    if target is None and not wide:
        raise SchemaError("A forecast is made of a column of numbers, and there is none. Write --target COLUMN.")
    if target is None and len(wide) == 1 and not keys:
        target, wide = wide[0], []
    if target is None:
        notes.append(f"No target was named: each of the {len(wide)} columns of numbers is a series.")
    if not keys and target is not None and time is not None:
        keys = _key_columns(frame, time, [name for name in rest if name != target])
        if keys:
            notes.append(f"Each moment stands several times; the series are named by {', '.join(map(repr, keys))}.")
    return {"time": time, "target": target, "keys": list(keys), "wide": wide, "known": list(known)}, notes


TIME_NAMES = ("time", "date", "ds", "datetime", "timestamp", "month", "year", "day", "week", "quarter", "period")


def _time_column(frame: pl.DataFrame) -> str | None:
    import polars as pl

    moments, named = [], []
    for name in frame.columns:
        column = frame[name]
        if column.dtype in (pl.Date, pl.Datetime):
            moments.append(name)
        elif column.dtype == pl.String and not _is_numeric(column):
            try:
                read_moments(column.head(200))
            except SchemaError:
                continue
            moments.append(name)
        elif name.lower() in TIME_NAMES:
            named.append(name)
    found = moments or named
    if len(found) > 1:
        raise SchemaError(
            f"A forecast follows one column of times; there are {', '.join(map(repr, found))}. Write --time COL."
        )
    return found[0] if found else None


def _is_numeric(column: pl.Series) -> bool:
    import polars as pl

    if column.dtype == pl.String:
        parsing = infer_parsing(column.drop_nulls().unique())
        return parsing is not None and parsing["as"] == "number"
    return column.dtype.is_numeric()


MOST_KEYS = 6


def _key_columns(frame: pl.DataFrame, time: str, rest: list[str]) -> list[str]:
    """The fewest columns of names, from the left, with which each moment stands once; none where it does so anyway."""
    import polars as pl

    if not frame[time].is_duplicated().any():
        return []
    names = [
        name
        for name in rest
        if frame[name].dtype in (pl.String, pl.Categorical, pl.Enum) and not _is_numeric(frame[name])
    ]
    chosen: list[str] = []
    counts = frame.n_unique(subset=[time])
    for name in names[:MOST_KEYS]:
        found = frame.n_unique(subset=[time, *chosen, name])
        if found > counts:
            chosen.append(name)
            counts = found
        if counts == frame.height:
            return [
                one for one in chosen if frame.n_unique(subset=[time, *(c for c in chosen if c != one)]) < frame.height
            ]
    return []


def columns_of(form: dict[str, Any]) -> list[str]:
    """The columns of the table that a form reads."""
    return [name for name in (form["time"], form["target"], *form["keys"], *form["wide"], *form["known"]) if name]


def read_panel(frame: pl.DataFrame, form: dict[str, Any], step: Step | None, ahead: int, season: int = 0) -> Panel:
    """The series of a table.

    Rows may stand in any order. A row without a value is a gap or, after the last value, a step to come of which the
    columns that are ``known`` beforehand tell.

    Args:
        form: ``time``, ``target``, ``keys``, ``wide`` (the columns of series, in place of the target) and ``known``; see
            ``find_form``.
        step: as learnt; None: found out.
        ahead: so many steps after the last value are made room for.
        season: as for ``find_step``.

    Raises:
        SchemaError: moments stand twice, are not even, or values are no numbers.
    """
    import polars as pl

    notes: list[str] = []
    missing = [name for name in columns_of(form) if name not in frame.columns]
    if form["target"] in missing and len(missing) == 1:
        missing = []
    if missing or (form["target"] and form["target"] not in frame.columns):
        lacking = ", ".join(map(repr, missing or [form["target"]]))
        raise SchemaError(
            f"A forecast needs the columns of the training data, for the series up to now. Missing: {lacking}."
        )
    if form["time"] is None:
        written, moments = "number", np.arange(frame.height, dtype=np.float64)
    else:
        moments, written = read_moments(frame[form["time"]])
    known = np.isfinite(moments) if written == "number" else moments != NOWHEN
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows have no time and are left out.")
        frame, moments = frame.filter(pl.Series(known)), moments[known]
    if not len(moments):
        raise SchemaError("A forecast is made of rows with a time; there is none.")
    covariates = np.column_stack([_known(frame[name]) for name in form["known"]] or [np.zeros((frame.height, 0))])
    if form["wide"]:
        count = len(form["wide"])
        names = pl.DataFrame({SERIES: form["wide"]})
        codes = np.repeat(np.arange(count), frame.height)
        values = np.concatenate([_numbers(frame[name]) for name in form["wide"]])
        moments, covariates = np.tile(moments, count), np.tile(covariates, (count, 1))
    else:
        names, codes = _coded(frame, form["keys"])
        values = _numbers(frame[form["target"]])
    order = np.lexsort((moments, codes))
    codes, moments, values, covariates = codes[order], moments[order], values[order], covariates[order]
    _check_once(names, codes, moments, written, form)
    bounds = np.searchsorted(codes, np.arange(names.height + 1))
    pieces = [slice(a, b) for a, b in zip(bounds, bounds[1:], strict=False)]
    if step is None:
        step = find_step([moments[piece] for piece in pieces], written, season)
    return _panel(names, pieces, step.places(moments), values, covariates, step, ahead, notes)


def _panel(
    names: pl.DataFrame,
    pieces: list[slice],
    places: np.ndarray,
    values: np.ndarray,
    covariates: np.ndarray,
    step: Step,
    ahead: int,
    notes: list[str],
) -> Panel:
    kept, firsts, ends, lines, there, beside = [], [], [], [], [], []
    gaps = steps = 0
    for number, piece in enumerate(pieces):
        own, told = places[piece], np.isfinite(values[piece])
        if not told.any():
            continue
        first, last = own[told][0], own[told][-1]
        own_values, inside = values[piece], own >= first
        length, whole = int(last - first) + 1, int(max(own[-1], last + ahead) - first) + 1
        line, known = np.full(whole, np.nan), np.zeros(whole, bool)
        line[own[told] - first] = own_values[told]
        known[own[told] - first] = True
        gaps, steps = gaps + length - int(known.sum()), steps + length
        line[:length] = np.interp(np.arange(length), np.flatnonzero(known), line[known])
        kept.append(number)
        firsts.append(first)
        ends.append(length)
        lines.append(line)
        there.append(known)
        beside.append(_carried(covariates[piece][inside], own[inside] - first, whole))
    if not kept:
        raise SchemaError("A forecast is made of known values; the column to forecast has none.")
    if len(kept) < len(pieces):
        notes.append(f"{len(pieces) - len(kept):,} series have no value and are left out.")
    if gaps > MOST_GAPS * steps:
        raise SchemaError(
            f"The moments of a series lie at even steps; at steps of {step.words[0]}, {gaps:,} of {steps:,} are missing. Bring "
            "the rows to even steps, as by a sum for each day."
        )
    if gaps:
        notes.append(
            f"{gaps:,} of {steps:,} steps have no value; they are filled along straight lines, and not judged."
        )
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    counts = np.array(firsts, np.int64), np.array(ends, np.int64)
    joined = np.concatenate(lines), np.concatenate(there), np.concatenate(beside).astype(np.float32)
    return Panel(names[kept], starts, *counts, *joined, step, notes)


def _carried(rows: np.ndarray, places: np.ndarray, whole: int) -> np.ndarray:
    """Covariates at each of so many steps; where none are told, those of the step before."""
    made = np.full((whole, rows.shape[1]), np.nan)
    made[places] = rows
    for column in made.T:
        known = np.flatnonzero(np.isfinite(column))
        if len(known):
            before = np.searchsorted(known, np.arange(whole), side="right") - 1
            column[:] = column[known[np.maximum(before, 0)]]
    return np.nan_to_num(made)


def _coded(frame: pl.DataFrame, keys: list[str]) -> tuple[pl.DataFrame, np.ndarray]:
    """The different keys, and which of them each row has."""
    import polars as pl

    if not keys:
        return pl.DataFrame({"": [0]}).drop(""), np.zeros(frame.height, np.int64)
    groups = frame.select(keys).with_row_index("__row").group_by(keys, maintain_order=True).agg(pl.col("__row"))
    codes = np.empty(frame.height, np.int64)
    for number, rows in enumerate(groups["__row"]):
        codes[rows.to_numpy()] = number
    return groups.select(keys), codes


def _check_once(names: pl.DataFrame, codes: np.ndarray, moments: np.ndarray, form: str, told: dict[str, Any]) -> None:
    twice = (codes[1:] == codes[:-1]) & (moments[1:] == moments[:-1])
    if not twice.any():
        return
    at = int(twice.argmax())
    moment = moments[at]
    shown = f"{moment:g}" if form == "number" else str(moment.astype("datetime64[us]")).removesuffix(".000000")
    where = f" of {', '.join(map(str, names.row(int(codes[at]))))}" if names.width else ""
    raise SchemaError(
        f"A series has each moment once; {shown}{where} stands several times, and {int(twice.sum()):,} rows in all repeat a "
        f"moment. Write --set keys=COLUMN,COLUMN with the columns that name the series"
        f"{' (now ' + ', '.join(told['keys']) + ')' if told['keys'] else ''}, or bring these rows together first."
    )


def _numbers(column: pl.Series) -> np.ndarray:
    """The values of a column, NaN where there is none."""
    import polars as pl

    if column.dtype == pl.String:
        known = column.drop_nulls().unique()
        parsing = infer_parsing(known) if len(known) else {"as": "number", "decimal": ".", "thousands": ""}
        if parsing is None or parsing["as"] != "number":
            such = ", ".join(map(repr, known.head(3)))
            raise SchemaError(
                f"What is forecast is a number; '{column.name}' holds such as {such}. Name another column."
            )
        column = column.to_frame("v").select(parse(pl.col("v"), parsing)).to_series()
    elif not (column.dtype.is_numeric() or column.dtype == pl.Null):
        raise SchemaError(
            f"What is forecast is a number; '{column.name}' is of type {column.dtype}. Name another column."
        )
    made = column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64)
    return np.where(np.isfinite(made), made, np.nan)


def _known(column: pl.Series) -> np.ndarray:
    """A column that is known beforehand as numbers; yes is 1."""
    import polars as pl

    if column.dtype == pl.String:
        parsing = infer_parsing(column.drop_nulls().unique())
        if parsing is not None and parsing["as"] == "boolean":
            column = column.to_frame("v").select(parse(pl.col("v"), parsing).alias(column.name)).to_series()
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Float64)
    return _numbers(column)


@dataclass
class Windows:
    """Windows of the series of a panel.

    A window's values are told around its level, the mean of its last season; where ``transform`` is ``log``, of their
    logarithms. Where ``unit`` is ``window``, they are told in units of the window's spread, where it is ``series``, of
    what the series changed from season to season in all that is known before the origin, and where it is ``table``, of what is
    usual for all windows.

    Attributes:
        series, origins: the series of each window, and the position of the first step that it does not know, int64 (n,).
    """

    panel: Panel
    encoding: Encoding
    series: np.ndarray
    origins: np.ndarray

    def __len__(self) -> int:
        return len(self.series)

    def __getitem__(self, rows: Any) -> Self:
        return replace(self, series=self.series[rows], origins=self.origins[rows])

    @property
    def horizon(self) -> int:
        return self.encoding["horizon"]

    def _at(self, first: int, count: int) -> np.ndarray:
        """Places in ``panel.values`` of steps from the ``first`` after each origin on, (n, count)."""
        wanted = self.origins[:, None] + np.arange(first, first + count)
        starts = self.panel.starts[self.series]
        # What lies before the beginning of a series is like its first value.
        return np.clip(starts[:, None] + wanted, starts[:, None], self.panel.starts[self.series + 1][:, None] - 1)

    def past(self) -> np.ndarray:
        """The values before the origins, transformed, (n, window)."""
        return self._transformed(self.panel.values[self._at(-self.encoding["window"], self.encoding["window"])])

    def _transformed(self, values: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(values, self.encoding["smallest"])) if self.encoding["transform"] == "log" else values

    def levels(self, past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The level and the unit of each window (n, 1)."""
        level = past[:, -self.encoding["season"] :].mean(1, keepdims=True)
        spread = past.std(1, keepdims=True)
        size = 1.0 if self.encoding["transform"] == "log" else np.abs(past).mean(1, keepdims=True)
        unit = np.maximum(spread, self.encoding["floor"] * size)
        if self.encoding["unit"] == "table":
            return level, np.full_like(level, self.encoding["usual"])
        if self.encoding["unit"] == "series":
            changes = self._changes()[:, None]
            unit = np.where(changes > self.encoding["floor"] * size, changes, unit)
        return level, np.where(unit > 0, unit, 1.0)

    def _changes(self) -> np.ndarray:
        """The mean absolute change from one season to the next in all that is known before each origin (n,), 0 where less than
        two seasons are."""
        panel, season = self.panel, self.encoding["season"]
        key = (self.encoding["transform"], season, self.encoding["smallest"])
        if key not in panel.sums:
            values = self._transformed(panel.values)
            changes = np.zeros(len(values) + 1)
            changes[season + 1 :] = np.nan_to_num(np.abs(values[season:] - values[:-season]))
            for start in panel.starts[:-1]:
                changes[start + 1 : start + season + 1] = 0.0
            panel.sums[key] = np.cumsum(changes)
        starts = panel.starts[self.series]
        summed = panel.sums[key][starts + self.origins] - panel.sums[key][starts]
        return summed / np.maximum(1, self.origins - season)

    def inputs(self) -> np.ndarray:
        """What a network is given, float32 (n, length, channels): the values, 0 from the origin on; then what is known
        beside them and whether a step is to come, where anything is known."""
        past, count = self.past(), self.encoding["channels"]
        level, unit = self.levels(past)
        made = np.zeros((len(self), self.encoding["length"], count), np.float32)
        window = self.encoding["window"]
        made[:, :window, 0] = (past - level) / unit
        if count > 1:
            made[:, :, 1 : count - 1] = self.panel.covariates[self._at(-window, self.encoding["length"])]
            made[:, window:, -1] = 1.0
        return made

    def truth(self) -> np.ndarray:
        """What came after the origins, float64 (n, horizon), NaN where the table does not tell."""
        at = self._at(0, self.horizon)
        return np.where(self.panel.given[at], self.panel.values[at], np.nan)

    def targets(self) -> np.ndarray:
        """What came after the origins as a network learns it, float32 (n, horizon)."""
        level, unit = self.levels(self.past())
        values = self._transformed(self.panel.values[self._at(0, self.horizon)])
        return np.clip((values - level) / unit, -LIMIT, LIMIT).astype(np.float32)

    def values_of(self, outputs: np.ndarray) -> np.ndarray:
        """A network's outputs (n, horizon) in the units of the series, float64."""
        level, unit = self.levels(self.past())
        values = outputs.astype(np.float64) * unit + level
        return np.exp(np.minimum(values, 700.0)) if self.encoding["transform"] == "log" else values

    def moments(self, ahead: int = 0) -> np.ndarray:
        """The number of the step so many after each origin (n,)."""
        return self.panel.places(self.series, self.origins + ahead)


class Gathered:
    """An array of windows (n, ...) whose rows are cut when they are asked for; it is read like NumPy's."""

    def __init__(self, windows: Windows, cut: Callable[[Windows], np.ndarray]):
        self.windows, self.cut = windows, cut
        one = cut(windows[:1])
        self.shape, self.dtype = (len(windows), *one.shape[1:]), one.dtype
        self.ndim = len(self.shape)
        self.nbytes = int(np.prod(self.shape)) * one.dtype.itemsize
        self.size = int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        if isinstance(rows, int | np.integer):
            return self.cut(self.windows[np.array([rows])])[0]
        return self.cut(self.windows[rows])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        made = self[:]
        return made if dtype is None else made.astype(dtype)


def gathered(windows: Windows, cut: Callable[[Windows], np.ndarray], width: int) -> Any:
    """What is cut of windows, ``width`` values each: an array or, where that would be large, one whose rows are cut as they
    are asked for."""
    if not len(windows):
        return np.zeros((0, *cut(windows).shape[1:]), np.float32)
    return cut(windows) if len(windows) * width <= COPIED_VALUES else Gathered(windows, cut)


def latest(frame: pl.DataFrame, encoding: Encoding) -> Windows:
    """The window at the end of each series of a table: its forecasts are of what follows."""
    panel = read_panel(frame, encoding["form"], Step.of(encoding["step"]), encoding["horizon"])
    add_covariates(panel, encoding)
    return Windows(panel, encoding, np.arange(len(panel)), panel.ends)


def add_covariates(panel: Panel, encoding: Encoding) -> None:
    """Scales what is known beforehand as the encoding says, and puts the calendar beside it."""
    told = encoding["covariates"]
    scaled = (panel.covariates - np.array(told["middle"])) / np.array(told["spread"])
    spans = [first + np.arange(length) for first, length in zip(panel.firsts, np.diff(panel.starts), strict=True)]
    calendar = panel.step.calendar(np.concatenate(spans))[0]
    panel.covariates = np.hstack([scaled, calendar]).astype(np.float32)
