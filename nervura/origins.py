"""Forecasts on paper: horizon, window and transformation by rule and by validation data, and which origins are learnt from,
decide, and judge.

The parts follow one another in time for all series together: whatever the test rows tell lies after all that is learnt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from nervura import windows
from nervura.errors import SchemaError
from nervura.regressing import plain_forecasts, regress
from nervura.schema import Column, Schema
from nervura.sources.base import PART_COLUMNS, PART_NAMES
from nervura.splitting import LEFT_OUT, TEST, TRAIN, VALIDATION, Split
from nervura.steps import DAY
from nervura.windows import Panel, Windows

MOST_HORIZON_SHARE, MOST_WINDOW_SHARE = 8, 0.45
"""By rule the horizon is at most one in so many steps of the longest series, and the window so large a share of what it has
to learn from."""

FEWEST_WINDOWS = 8
"""So many windows to learn from are the fewest."""

LONG_SEASON, MIDDLE_SEASON = 24, 12
"""Windows have 14 seasons of so many steps or more (the days of two weeks), 3 of the second or more, else 8."""

WITHOUT_SEASON = 16
GAIN = 0.98
"""Logarithms are taken where they leave at most this share of the error."""

MOST_TRIED = 2_000
UNITS = ("series", "window")
"""In units of what a window is told, see ``Windows``; that which answers validation windows better is taken."""


@dataclass
class Framed:
    """A table as windows: ``parts`` holds the part of each window, int8 (n,)."""

    panel: Panel
    windows: Windows
    schema: Schema
    split: Split
    reason: str


def framed(
    frame: pl.DataFrame,
    target: str | None,
    time: str | None,
    options: Any,
    *,
    seed: int,
    test_share: float,
    validation_share: float,
    test: pl.DataFrame | None = None,
    squared: bool = False,
) -> Framed:
    """The windows of a table.

    Args:
        options: of the problem ``forecasting``.
        test: the later rows of the same series, which alone are judged by.
        squared: whether the squared or the absolute error decides on the transformation.

    Raises:
        SchemaError: the table holds no series, or they are too short.
    """
    part = part_column(frame)
    named = windows.names_in(options.keys), windows.names_in(options.known)
    form, notes = windows.find_form(frame.drop(part) if part else frame, target, time, *named)
    first_test = None
    if test is not None:
        lacking = [name for name in windows.columns_of(form) if name not in test.columns]
        if lacking or not form["time"]:
            raise SchemaError(
                f"Test rows of a forecast have the columns of the others, a column of times too; missing: "
                f"{', '.join(map(repr, lacking)) or 'the times'}."
            )
        names = windows.columns_of(form)
        first_test = windows.read_moments(test[form["time"]])[0].min()
        frame = pl.concat([frame.select(names), test.select(names)], how="vertical_relaxed")
    panel = windows.read_panel(frame, form, None, max(1, options.horizon), options.season)
    cuts = _cuts_given(frame, form, panel, part) if part else (None, None)
    if first_test is not None:
        cuts = None, int(panel.step.places(np.array([first_test]))[0])
    horizon = options.horizon or _horizon(panel)
    if not options.horizon:  # what is to come is made room for
        panel = windows.read_panel(frame, form, panel.step, horizon)
    validation, test_cut = _cuts(panel, horizon, test_share, validation_share, *cuts)
    season, window = _window(panel, horizon, options, validation)
    encoding = _encoding(panel, form, horizon, window, season)
    whole = Windows(panel, encoding, *_origins(panel, window, horizon))
    parts = _parts(whole, validation, test_cut)
    if min((parts == code).sum() for code in (TRAIN, VALIDATION, TEST)) < 1 or (parts == TRAIN).sum() < FEWEST_WINDOWS:
        raise _too_short(panel, horizon, window)
    learnt = parts == TRAIN
    _add_covariates(panel, encoding, whole[learnt])
    encoding["rows"] = int(learnt.sum())
    encoding["at_once"] = max(1, round(encoding["rows"] / len(np.unique(whole[learnt].moments()))))
    _choose_transform(whole, parts, options, squared, notes)
    panel.notes[:0] = notes
    short = np.setdiff1d(np.arange(len(panel)), whole.series[learnt])
    if len(short):
        panel.notes.append(
            f"{len(short):,} of {len(panel):,} series have fewer than {window + horizon:,} steps to learn from; they are "
            "forecast by what the others teach."
        )
    told, dates = panel.step.words[0], _dates(panel, (validation, test_cut))
    method = (
        f"the origins roll over the end of the series: from {dates[1]} on they are the test, from {dates[0]} on the "
        "validation"
    )
    split = Split(parts, seed, method, list(panel.notes))
    many = f"{len(panel):,} series" if len(panel) > 1 else "one series"
    reason = f"asked for by name: {many} at steps of {told}, {horizon:,} steps ahead"
    return Framed(panel, whole, _schema(frame, form, encoding), split, reason)


def part_column(frame: pl.DataFrame) -> str | None:
    """The column that says to which part of the split each row belongs, where there is one: it is called as such, and holds
    nothing else."""
    for name in frame.columns:
        if name.lower() in PART_COLUMNS and frame[name].dtype == pl.String:
            held = {PART_NAMES.get(value.strip().lower()) for value in frame[name].drop_nulls().unique()}
            if None not in held and "train" in held and len(held) > 1:
                return name
    return None


def _cuts_given(frame: pl.DataFrame, form: dict[str, Any], panel: Panel, part: str) -> tuple[int | None, int | None]:
    """The steps at which validation and test begin, as a column of the table says."""
    named = frame[part].cast(pl.String).str.strip_chars().str.to_lowercase()
    parts = named.replace_strict(PART_NAMES, default="train", return_dtype=pl.String)
    moments = windows.read_moments(frame[form["time"]])[0] if form["time"] else np.arange(frame.height, dtype=float)
    found = []
    for name in ("validation", "test"):
        own = moments[(parts == name).to_numpy()]
        found.append(int(panel.step.places(np.array([own.min()]))[0]) if len(own) else None)
    return found[0], found[1]


def _spans(panel: Panel) -> np.ndarray:
    """The number of the step of every known value, ascending."""
    return np.sort(
        np.concatenate([first + np.arange(end) for first, end in zip(panel.firsts, panel.ends, strict=True)])
    )


def _horizon(panel: Panel) -> int:
    season, longest = panel.step.season, int(panel.ends.max())
    return max(1, min(season if season > 1 else 6, longest // MOST_HORIZON_SHARE))


def _cuts(
    panel: Panel, horizon: int, test_share: float, validation_share: float, validation: int | None, test: int | None
) -> tuple[int, int]:
    """The first steps of the validation and the test period: shares of all steps, and the horizon at least."""
    steps = _spans(panel)
    last = int((panel.firsts + panel.ends).max())
    if test is None:
        test = min(int(steps[int(len(steps) * (1 - test_share))]), last - horizon)
    before = steps[steps < test]
    if validation is None:
        place = int(len(before) * (1 - validation_share))
        validation = min(int(before[place]) if place < len(before) else test, test - horizon)
    return validation, test


def _window(panel: Panel, horizon: int, options: Any, validation: int) -> tuple[int, int]:
    """The season and the window: asked for, or by rule."""
    season, longest = panel.step.season, int(np.minimum(panel.ends, validation - panel.firsts).max())
    most = int((longest - horizon) * MOST_WINDOW_SHARE)
    if options.window:
        if longest < options.window + horizon + FEWEST_WINDOWS - 1:
            raise _too_short(panel, horizon, options.window)
        return (season if season <= options.window else 1), options.window
    seasons = 14 if season >= LONG_SEASON and panel.step.size < DAY else 3 if season >= MIDDLE_SEASON else 8
    wanted = max(WITHOUT_SEASON, 2 * horizon) if season == 1 else seasons * season
    window = min(wanted, most)
    if season > 1:
        window = max(window // season, 1) * season
        if longest < window + horizon + FEWEST_WINDOWS - 1:
            season, window = 1, min(WITHOUT_SEASON, most)
    if window < 2:
        raise _too_short(panel, horizon, 2)
    return season, window


def _too_short(panel: Panel, horizon: int, window: int) -> SchemaError:
    needed = window + 3 * horizon + FEWEST_WINDOWS - 1
    return SchemaError(
        f"To learn, decide and judge forecasts of {horizon:,} steps from windows of {window:,} takes a series of about "
        f"{needed:,} steps; the longest has {int(panel.ends.max()):,}. Write --set horizon= or window= with fewer steps, or add "
        "rows."
    )


def _encoding(panel: Panel, form: dict[str, Any], horizon: int, window: int, season: int) -> dict[str, Any]:
    return {
        "form": form,
        "step": panel.step.to_json(),
        "horizon": horizon,
        "window": window,
        "season": season,
        "transform": "none",
        "unit": UNITS[0],
        "floor": 0.0,
        "smallest": 0.0,
        "known": len(form["known"]),
        "length": window,
        "channels": 1,
    }


def _origins(panel: Panel, window: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """The series and origins of all whole windows, in the order of time."""
    each = [np.arange(window, end - horizon + 1) for end in panel.ends]
    origins = np.concatenate(each).astype(np.int64)
    series = np.repeat(np.arange(len(panel)), [len(one) for one in each])
    # In each step the series stand in another order: of many windows every n-th is taken, and must not be of one series.
    drawn = np.random.default_rng(0).random(len(series))
    order = np.lexsort((drawn, panel.places(series, origins)))
    return series[order], origins[order]


def _parts(whole: Windows, validation: int, test: int) -> np.ndarray:
    """The part of each window; one whose steps ahead reach into the next part belongs to none."""
    begins, ends = whole.moments(), whole.moments(whole.horizon)
    parts = np.full(len(whole), LEFT_OUT, np.int8)
    parts[ends <= validation] = TRAIN
    parts[(begins >= validation) & (ends <= test)] = VALIDATION
    parts[begins >= test] = TEST
    return parts


def _add_covariates(panel: Panel, encoding: dict[str, Any], learnt: Windows) -> None:
    """Learns the scale of what is known beforehand, and puts it and the calendar beside the series."""
    used = panel.covariates[np.unique(learnt._at(-encoding["window"], encoding["window"] + encoding["horizon"]))]
    middle, spread = used.mean(0), used.std(0)
    encoding["covariates"] = {
        "middle": [float(value) for value in middle],
        "spread": [float(value) if value > 0 else 1.0 for value in spread],
    }
    encoding["calendar"] = panel.step.calendar(np.arange(3))[1]
    windows.add_covariates(panel, encoding)
    count = panel.covariates.shape[1]
    if count:
        encoding["channels"], encoding["length"] = 2 + count, encoding["window"] + encoding["horizon"]


def _choose_transform(whole: Windows, parts: np.ndarray, options: Any, squared: bool, notes: list[str]) -> None:
    """Sets the units of windows, and takes logarithms, as answers validation windows better."""
    encoding, panel = whole.encoding, whole.panel
    learnt, held = (_some(whole[parts == part]) for part in (TRAIN, VALIDATION))
    past = whole[parts != TEST]
    seen = panel.values[past._at(-encoding["window"], encoding["window"] + encoding["horizon"])]
    positive, smallest = bool((seen > 0).all()), float(seen.min())
    if options.transform == "log" and not positive:
        raise SchemaError(
            f"Logarithms are taken of values above zero; the least here is {smallest:g}. Write --set transform=none."
        )
    kinds = (
        ("none", "log") if options.transform == "auto" and positive else (options.transform.replace("auto", "none"),)
    )
    # Squared errors add up as the metric adds them where all windows have the same unit.
    units = ("table",) if squared else UNITS
    forms = [
        {**encoding, "transform": kind, "unit": unit, "smallest": 0.1 * smallest} for kind in kinds for unit in units
    ]
    errors = {}
    for place, form in enumerate(forms):
        own = replace(learnt, encoding=form)
        values = own.past()
        form["usual"] = float(np.median(values.std(1))) or 1.0
        size = np.ones(len(values)) if form["transform"] == "log" else np.maximum(np.abs(values).mean(1), 1e-300)
        form["floor"] = float(windows.SMALLEST_SPREAD * np.median(values.std(1) / size))
        errors[place] = _validation_error(own, replace(held, encoding=form), squared)
    many = len(units)
    plain, logarithmic = (min(errors[place + at] for at in range(many)) for place in (0, len(errors) - many))
    taken = range(many, 2 * many) if len(kinds) > 1 and logarithmic < GAIN * plain else range(many)
    encoding.update(forms[min(taken, key=lambda place: errors[place])])
    if len(kinds) > 1:
        said = "are taken" if encoding["transform"] == "log" else "are not taken"
        notes.append(
            f"Logarithms {said}: the error of a ridge regression on validation windows is {logarithmic / plain:.2f} times "
            "that without them."
        )


def _some(given: Windows) -> Windows:
    return given[:: max(1, -(-len(given) // MOST_TRIED))]


def _validation_error(learnt: Windows, held: Windows, squared: bool) -> float:
    """The error of a ridge regression on windows that it has not seen, in units of what their series usually move."""
    form = learnt.encoding
    rows, wanted = (_values(one) for one in (learnt, held))
    towards = plain_forecasts(form["window"], form["horizon"], form["season"], form["window"])
    gap = form["horizon"] * max(1, round(len(learnt) / len(np.unique(learnt.moments()))))
    found = regress(rows, learnt.targets(), towards, gap, squared, (wanted, held.targets()))
    truth = held.truth()
    missed = (held.values_of(found(wanted)) - truth) / np.maximum(
        1e-300, np.nanstd(truth, axis=1, keepdims=True).mean()
    )
    return float(np.nanmean(np.square(missed) if squared else np.abs(missed)))


def _values(given: Windows) -> np.ndarray:
    past = given.past()
    level, unit = given.levels(past)
    return (past - level) / unit


def _dates(panel: Panel, cuts: tuple[int, int]) -> list[str]:
    return [str(value) for value in panel.step.written(np.array(cuts), "t").to_list()]


HISTORY = "series"


def _schema(frame: pl.DataFrame, form: dict[str, Any], encoding: dict[str, Any]) -> Schema:
    """The columns and what they are for; what networks are given is one column, of the kind series."""
    columns = []
    used = {form["target"]: "target", form["time"]: "time", **dict.fromkeys(form["keys"], "key")}
    used |= dict.fromkeys(form["known"], "known") | dict.fromkeys(form["wide"], "target")
    for name in frame.columns:
        column = frame[name]
        kind = (
            "number"
            if used.get(name) in ("target", "known")
            else "datetime"
            if used.get(name) == "time"
            else "category"
        )
        role = used.get(name, "aside")
        examples = [str(value) for value in column.drop_nulls().unique(maintain_order=True).head(3)]
        reason = "" if role != "aside" else "it is no part of the series"
        missing, distinct = column.null_count(), column.n_unique()
        columns.append(Column(name, kind, role, reason, str(column.dtype), None, missing, distinct, examples))
    name = HISTORY
    while name in frame.columns:
        name += "_"
    parsing = {"as": "windows", "channels": [[one] for one in windows.columns_of(form)]}
    examples = [f"{encoding['window']:,} steps before, {encoding['horizon']:,} after"]
    columns.append(Column(name, "series", parsing=parsing, examples=examples, encoding=encoding))
    return Schema(columns, frame.height)
