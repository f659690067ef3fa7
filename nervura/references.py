"""Forecasts of long standing that networks are set beside: the last season again, and exponential smoothing."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from nervura.windows import Windows

LONGEST = 1_500
"""Exponential smoothing is fitted to the last so many steps before the forecasts begin, and whole seasons of them."""

FEWEST_SEASONS = 2
MOST_SEASON = 400
"""Longer seasons have too many values to be smoothed each for itself."""


def seasonal_naive(asked: Windows) -> np.ndarray:
    """The values of the last season again, (n, horizon), in the units of the series."""
    season, steps = asked.encoding["season"], np.arange(asked.horizon)
    last = asked.panel.values[asked._at(-season, season)]
    return last[:, steps % season]


def naive_errors(asked: Windows, before: int) -> np.ndarray:
    """The mean absolute change of each series from one season to the next before a step, float64 (series,): the unit of the
    mean absolute scaled error. A series that does not change there has that of all."""
    panel, season = asked.panel, asked.encoding["season"]
    found = np.full(len(panel), np.nan)
    for number in range(len(panel)):
        end = int(np.clip(before - panel.firsts[number], 0, panel.ends[number]))
        line = panel.history(number, end)
        if len(line) > season:
            found[number] = np.abs(line[season:] - line[:-season]).mean()
    usable = found[np.isfinite(found) & (found > 0)]
    return np.where(np.isfinite(found) & (found > 0), found, usable.mean() if len(usable) else 1.0)


@dataclass(frozen=True)
class Form:
    """A kind of exponential smoothing: with a damped trend or none, and with seasons that are added, multiplied or none."""

    trend: bool
    season: str | None


def forms(season: int, positive: bool, length: int) -> list[Form]:
    """The kinds that suit a series of this length and sign."""
    kinds: list[str | None] = [None]
    if 1 < season <= MOST_SEASON and length >= FEWEST_SEASONS * season + 3:
        kinds = ["add", "mul"] if positive else ["add"]
    return [Form(trend, kind) for trend, kind in product((False, True), kinds)]


@dataclass
class Smoothing:
    """Exponential smoothing of one series, fitted by statsmodels to what lies before a step.

    Attributes:
        level, trend, seasons: after each step, float64 (steps,).
    """

    form: Form
    season: int
    level: np.ndarray
    trend: np.ndarray
    seasons: np.ndarray
    damping: float

    @classmethod
    def fit(cls, line: np.ndarray, end: int, season: int, form: Form) -> Smoothing:
        """Fits the first ``end`` values of a series, and follows the others with what was fitted.

        Raises:
            ValueError: the series cannot be fitted so.
        """
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        whole = season if form.season else 1
        begin = max(0, end - max(1, LONGEST // whole) * whole)
        kind: dict[str, Any] = {
            "trend": "add" if form.trend else None,
            "damped_trend": form.trend,
            "seasonal": form.season,
            "seasonal_periods": season if form.season else None,
        }
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model = ExponentialSmoothing(line[begin:end], initialization_method="estimated", **kind)
            told = model.fit().params
            known = {"initial_level": told["initial_level"]}
            known |= {"initial_trend": told["initial_trend"]} if form.trend else {}
            known |= {"initial_seasonal": told["initial_seasons"]} if form.season else {}
            follows = ExponentialSmoothing(line[begin:], initialization_method="known", **known, **kind)
            rates = {"smoothing_level": told["smoothing_level"]}
            rates |= (
                {"smoothing_trend": told["smoothing_trend"], "damping_trend": told["damping_trend"]}
                if form.trend
                else {}
            )
            rates |= {"smoothing_seasonal": told["smoothing_seasonal"]} if form.season else {}
            found = follows.fit(**rates, optimized=False)
        empty = np.full(begin, np.nan)
        level, trend, seasons = (
            np.concatenate([empty, np.asarray(part, dtype=np.float64)]) if used else np.zeros(len(line))
            for part, used in ((found.level, True), (found.trend, form.trend), (found.season, form.season))
        )
        if not np.isfinite(level[end - 1 :]).all():
            raise ValueError("the smoothing does not come to numbers")
        return cls(form, season, level, trend, seasons, float(told["damping_trend"]) if form.trend else 1.0)

    def forecast(self, origins: np.ndarray, horizon: int) -> np.ndarray:
        """What is expected of the steps after origins (n, horizon)."""
        steps = np.arange(1, horizon + 1)
        ahead = self.level[origins - 1][:, None] + self.trend[origins - 1][:, None] * np.cumsum(self.damping**steps)
        if not self.form.season:
            return ahead
        season = self.seasons[origins[:, None] - self.season + (steps - 1) % self.season]
        return ahead + season if self.form.season == "add" else ahead * season


def exponential_smoothing(held: Windows, tested: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts for validation and for test windows, (n, horizon) each, in the units of the series.

    Of each series the kind is the one that answers its validation windows best, fitted to what lies before them; then it is
    fitted again to all that lies before the test windows.
    """
    made = seasonal_naive(held), seasonal_naive(tested)
    season, horizon, panel = held.encoding["season"], held.horizon, held.panel
    for number in np.unique(np.concatenate([held.series, tested.series])):
        line, rows = panel.history(int(number)), [np.flatnonzero(one.series == number) for one in (held, tested)]
        truth = held[rows[0]].truth()
        best: tuple[float, Form] | None = None
        own = [one.origins[at] for one, at in zip((held, tested), rows, strict=True)]
        starts = [int(origins.min()) if len(origins) else 0 for origins in own]
        tried = forms(season, bool((line > 0).all()), starts[0] or starts[1])
        for form in tried if starts[0] else []:
            try:
                found = Smoothing.fit(line, starts[0], season, form).forecast(own[0], horizon)
            except (ValueError, ArithmeticError, IndexError):
                continue
            error = float(np.nanmean(np.abs(found - truth)))
            if np.isfinite(found).all() and (best is None or error < best[0]):
                best, made[0][rows[0]] = (error, form), found
        if starts[1]:
            try:
                found = Smoothing.fit(line, starts[1], season, best[1] if best else tried[-1]).forecast(own[1], horizon)
            except (ValueError, ArithmeticError, IndexError):
                continue
            if np.isfinite(found).all():
                made[1][rows[1]] = found
    return made
