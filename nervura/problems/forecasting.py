"""What comes next: several steps ahead of one series or many, judged at origins that roll over the end of the series."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from nervura import plots, references
from nervura.errors import ProblemError
from nervura.problems.base import (
    Answers,
    Appraisal,
    Both,
    Declined,
    Finding,
    Forecaster,
    Head,
    Metric,
    Rival,
    Trained,
)
from nervura.schema import Column
from nervura.windows import Windows
from nervura.zoo.base import option

COUNT, ABSOLUTE, SQUARED, SCALED, SIZE = range(5)
"""What the metrics are made of, summed over the steps of a block of windows: their number, their absolute and squared errors,
the absolute ones in units of what the series usually change from season to season, and the values themselves."""

MOST_REFERRED = 40
"""Exponential smoothing is fitted to so many series; of more, so many are judged by."""

FEWEST_BLOCKS = 5
"""Neighbouring origins are judged in blocks as long as the horizon, or shorter ones where there would be fewer than these."""

SHOWN_STEPS, SHOWN_BEFORE = 12, 3
SMOOTHED = 2
"""The width of intervals is a mean over so many steps to either side."""


def _metric(made: Any) -> Any:
    return lambda truth, estimates, weights: made(weights @ estimates)


class Forecasting(Forecaster):
    name = "forecasting"
    summary = "What comes next: several steps ahead of one series or many, with intervals."
    metric = "mase"
    metrics = {
        "mase": Metric(
            _metric(lambda sums: sums[:, SCALED] / sums[:, COUNT]),
            False,
            "mean absolute scaled error: 1 is what the series change from one season to the next",
        ),
        "mae": Metric(
            _metric(lambda sums: sums[:, ABSOLUTE] / sums[:, COUNT]),
            False,
            "mean absolute error, in the target's units",
        ),
        "rmse": Metric(
            _metric(lambda sums: np.sqrt(sums[:, SQUARED] / sums[:, COUNT])),
            False,
            "root of the mean squared error, in the target's units",
        ),
        "wape": Metric(
            _metric(lambda sums: sums[:, ABSOLUTE] / np.maximum(sums[:, SIZE], 1e-300)),
            False,
            "sum of the absolute errors as a share of the sum of the values",
        ),
    }
    targets = frozenset({"number"})
    network = "linear_window"
    beside: ClassVar[tuple[str, ...]] = ("linear_window", "residual_window")
    answered: ClassVar[frozenset[str]] = frozenset({"validation", "test"})

    @dataclass
    class Options:
        horizon: int = option(0, "steps ahead; 0: one season, or an eighth of the series", low=0, high=10_000)
        keys: str = option("", "the columns that name the series, such as store,item; empty: found out")
        known: str = option("", "columns that are known beforehand, such as price,holiday")
        window: int = option(0, "steps before that a network is given; 0: by rule", low=0, high=100_000)
        season: int = option(
            0, "steps after which the series repeat themselves; 0: by the step, 1: never", low=0, high=100_000
        )
        transform: str = option(
            "auto",
            "what is taken of the values; auto: logarithms where that answers validation windows better",
            choices=("auto", "none", "log"),
        )

    def fits(self, target: Column, values: pl.Series) -> str:
        raise Declined("a forecast is asked for by name")

    def insist(self, target: Column, values: pl.Series) -> None:
        if target.kind != "number":
            raise ProblemError(
                f"A forecast is made of numbers; '{target.name}' is a {target.kind}. Name another target."
            )

    def head(self, label_smoothing: float = 0.0) -> Head:
        loss = "MeanSquaredError" if self.metric == "rmse" else "MeanAbsoluteError"
        return Head(self.coding.get("horizon", 1), "linear", loss, {}, ahead=True)

    def designed(self, tensors: Any, model: Any) -> Self:
        return self

    def truth(self, encoded: np.ndarray) -> np.ndarray:
        """Zeros: how good a forecast is stands in the estimates."""
        return np.zeros(len(encoded))

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        """The steps ahead of each window, in units of its spread around its level; see ``forecast``."""
        return pl.DataFrame({f"step_{step}": values for step, values in enumerate(estimates.T.astype(np.float64), 1)})

    def settle(self, parts: dict[str, Answers]) -> Self:
        held = parts["validation"]
        assert held.windows is not None, "forecasts are made of windows"
        return self.calibrated(held.windows, held.outputs)

    def calibrated(self, held: Windows, outputs: np.ndarray) -> Self:
        """A copy that knows how far from forecasts to expect the truth, by validation windows.

        For each step ahead the errors are measured by their mean size, smoothed over neighbouring steps; quantiles of the
        errors of all steps in these units bound the intervals.
        """
        level, given = self.coding["level"], np.isfinite(held.truth())
        errors = np.where(given, held.targets() - outputs.astype(np.float64), np.nan)
        sizes = np.nanmean(np.abs(errors), axis=0)
        sizes = np.where(np.isfinite(sizes) & (sizes > 0), sizes, max(1e-9, float(np.nanmean(sizes))))
        padded = np.pad(sizes, SMOOTHED, mode="edge")
        sizes = np.convolve(padded, np.full(2 * SMOOTHED + 1, 1 / (2 * SMOOTHED + 1)), mode="valid")
        scaled = (errors / sizes)[given]
        # The bounds are wider than the quantiles where there are few windows that do not overlap.
        apart = len(held) / held.horizon
        tail = (1 - level) / 2 * apart / (apart + 4)
        low, high = np.quantile(scaled, [tail, 1 - tail])
        told = {"level": level, "low": (low * sizes).tolist(), "high": (high * sizes).tolist(), "windows": len(held)}
        return type(self)({**self.coding, "interval": told}, self.arrays)

    def uncalibrated(self) -> Self:
        return type(self)({key: value for key, value in self.coding.items() if key != "interval"}, self.arrays)

    def interval(self, asked: Windows, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The bounds of each forecast (windows, horizon), in the units of the series."""
        told = self.coding["interval"]
        return tuple(asked.values_of(outputs + np.array(told[bound])) for bound in ("low", "high"))  # type: ignore[return-value]

    def forecast(self, asked: Windows, outputs: np.ndarray) -> pl.DataFrame:
        """What is expected after the origins of windows: the keys, the time, ``prediction`` and the interval, one row for each
        step of each window."""
        horizon, panel = asked.horizon, asked.panel
        form = asked.encoding["form"]
        places = (asked.moments()[:, None] + np.arange(horizon)).reshape(-1)
        made = panel.names[np.repeat(asked.series, horizon)] if panel.names.width else pl.DataFrame()
        columns = [
            panel.step.written(places, form["time"] or "row"),
            pl.Series("prediction", asked.values_of(outputs).reshape(-1)),
        ]
        if "interval" in self.coding:
            bounds = zip(("low", "high"), self.interval(asked, outputs), strict=True)
            columns += [pl.Series(name, bound.reshape(-1)) for name, bound in bounds]
        return made.with_columns(columns) if made.width else pl.DataFrame(columns)

    def facts(self, asked: Windows, forecasts: np.ndarray, units: np.ndarray) -> np.ndarray:
        """What the metrics are made of, for blocks of windows of one series whose steps overlap, (blocks, 5): so that resamples
        of blocks tell how much luck there is.

        Args:
            forecasts: in the units of the series (n, horizon).
            units: of each series (series,).
        """
        truth = asked.truth()
        given = np.isfinite(truth)
        missed = np.where(given, np.abs(forecasts - truth), 0.0)
        each = np.column_stack(
            [
                given.sum(1),
                missed.sum(1),
                np.square(missed).sum(1),
                missed.sum(1) / units[asked.series],
                np.where(given, np.abs(truth), 0.0).sum(1),
            ]
        )
        origins = asked.moments()
        length = max(1, min(asked.horizon, len(np.unique(origins)) // FEWEST_BLOCKS))
        blocks = np.stack([asked.series, (origins - origins.min()) // length])
        _, place = np.unique(blocks, axis=1, return_inverse=True)
        made = np.zeros((place.max() + 1, each.shape[1]))
        np.add.at(made, place.reshape(-1), each)
        return made[made[:, COUNT] > 0]

    def measured(self, outputs: np.ndarray, labels: pl.Series | None = None) -> tuple[np.ndarray, np.ndarray]:
        raise ProblemError(
            "A forecast is judged by what follows each origin, which training does at origins that roll over the end of the "
            "series. Train with the new rows as --test, or compare the answers of predict with what came."
        )

    def appraise(self, trained: Trained) -> Appraisal:
        held, tested = (_some_series(trained.parts[part]) for part in ("validation", "test"))
        assert held.windows is not None and tested.windows is not None, "forecasts are made of windows"
        units = references.naive_errors(tested.windows, int(tested.windows.moments().min()))
        found = Appraisal([])
        forecasts: dict[str, np.ndarray] = {}

        def rival(
            name: str, kind: str, simplicity: int, both: tuple[np.ndarray, np.ndarray], seconds: float, **kept: Any
        ) -> None:
            forecasts[name] = both[1]
            held_facts, test_facts = (
                self.facts(one.windows, values, units)  # type: ignore[arg-type]
                for one, values in zip((held, tested), both, strict=True)
            )
            found.rivals.append(Rival(name, kind, simplicity, held_facts, test_facts, seconds, **kept))

        def answers(one: Trained) -> tuple[np.ndarray, np.ndarray]:
            parts = (_some_series(one.parts[part]) for part in ("validation", "test"))
            return tuple(part.windows.values_of(part.outputs) for part in parts)  # type: ignore[union-attr, return-value]

        for one in (trained, *trained.beside):
            linear = one.name == "linear_window"
            kind, simplicity = ("linear", 3) if linear else ("deep", 5)
            kept: dict[str, Any] = {}
            if one is not trained:
                own = one.parts["validation"]
                assert own.windows is not None, "forecasts are made of windows"
                interval = self.calibrated(own.windows, own.outputs).coding["interval"]
                kept = {"model": one.model, "coding": {"interval": interval}}
            rival(one.name, kind, simplicity, answers(one), one.seconds, **kept)
        began = time.monotonic()
        rival(
            "seasonal_naive",
            "reference",
            0,
            (references.seasonal_naive(held.windows), references.seasonal_naive(tested.windows)),
            time.monotonic() - began,
        )
        if find_spec("statsmodels") is None:
            found.notes.append(
                "Exponential smoothing was left out: it needs the package 'statsmodels'. Write: pip install 'nervura[forecast]'"
            )
        elif trained.left() < 10.0:
            found.notes.append("Exponential smoothing did not fit into the time budget.")
        else:
            trained.tell("exponential_smoothing")
            began = time.monotonic()
            both = references.exponential_smoothing(held.windows, tested.windows)
            rival("exponential_smoothing", "reference", 1, both, time.monotonic() - began)
        if len(tested.windows) < len(trained.parts["test"].outputs):
            found.notes.append(f"Of the series {MOST_REFERRED}, spread evenly over them, take part in the comparison.")
        found.truth = {part: np.zeros(len(getattr(found.rivals[0], part))) for part in ("validation", "test")}
        self._show(found, tested, forecasts, trained.name)
        found.findings += [self._steps(trained.parts["test"]), _by_step(tested.windows, forecasts)]
        return found

    def _steps(self, tested: Answers) -> Finding:
        """How often the interval held the truth, by step ahead."""
        asked = tested.windows
        assert asked is not None
        truth, (low, high) = asked.truth(), self.interval(asked, tested.outputs)
        given = np.isfinite(truth)
        inside = given & (truth >= low) & (truth <= high)
        width = np.where(given, high - low, np.nan)
        rows: list[list[Any]] = [[["all", "todos"], float(inside.sum() / given.sum()), float(np.nanmean(width))]]
        for step in _shown(asked.horizon):
            rows.append(
                [
                    step + 1,
                    float(inside[:, step].sum() / max(1, given[:, step].sum())),
                    float(np.nanmean(width[:, step])),
                ]
            )
        level, windows = self.coding["level"], self.coding["interval"]["windows"]
        return Finding(
            ("How often the interval held the truth", "Quantas vezes o intervalo conteve a verdade"),
            (
                f"The intervals from low to high were to hold {level:.0%} of the values. They are made of the errors at "
                f"{windows:,} validation windows, and measured at {len(asked):,} test windows, which overlap.",
                f"Os intervalos de low a high deviam conter {level:.0%} dos valores. São feitos dos erros em {windows:,} janelas "
                f"de validação e medidos em {len(asked):,} janelas de teste, que se sobrepõem.",
            ),
            [("Steps ahead", "Passos à frente"), ("share inside", "parte dentro"), ("mean width", "largura média")],
            rows,
        )

    def _show(self, found: Appraisal, tested: Answers, forecasts: dict[str, np.ndarray], name: str) -> None:
        """The forecasts of a few windows: of the best, the middle and the worst series, or origins where there is one."""
        asked = tested.windows
        assert asked is not None
        truth = asked.truth()
        errors = np.nanmean(np.abs(forecasts[name] - truth), axis=1) / np.maximum(
            np.nanmean(np.abs(truth), axis=1), 1e-300
        )
        chosen = _best_middle_worst(asked, errors)
        low, high = self.interval(asked[chosen], tested.outputs[chosen])
        others = [other for other in ("exponential_smoothing", "seasonal_naive") if other in forecasts][:1]
        panels = []
        for place, row in enumerate(chosen):
            window = asked[np.array([row])]
            origin, series = int(window.origins[0]), int(window.series[0])
            before = min(origin, max(SHOWN_BEFORE * asked.horizon, 2 * asked.encoding["season"]))
            line = asked.panel.history(series, origin)[-before:]
            ends = np.array([window.moments()[0], window.moments(asked.horizon - 1)[0]])
            first, last = asked.panel.step.written(ends, "t").to_list()
            title = ", ".join(
                [*filter(None, [asked.panel.name(series)]), f"{first} \u2013 {last}", f"{errors[row]:.1%}"]
            )
            lines = [forecasts[name][row], *(forecasts[other][row] for other in others)]
            panels.append(plots.Forecast(title, line, truth[row], lines, low[place], high[place]))
        found.arrays["forecasts"] = plots.forecasts(panels)
        found.findings.append(
            Finding(
                ("Forecasts", "Previsões"),
                (
                    "The best, the middle and the worst of the series, or of the origins where there is one series, with the mean "
                    "error as a share of the mean value: what was known (grey), what came (black), what "
                    f"{name} expected (blue) with its interval (light blue), and what {others[0]} expected (orange, dashed).",
                    "A melhor, a do meio e a pior das séries, ou das origens se há uma só série, com o erro médio como parte do "
                    f"valor médio: o que se sabia (cinzento), o que veio (preto), o que {name} esperava (azul) com o seu "
                    f"intervalo (azul claro), e o que {others[0]} esperava (laranja, tracejado).",
                ),
                picture="forecasts",
            )
        )


def _shown(horizon: int) -> list[int]:
    """Some of the steps ahead, spread evenly, the first and the last among them."""
    return sorted({round(step) for step in np.linspace(0, horizon - 1, min(horizon, SHOWN_STEPS))})


def _some_series(answers: Answers) -> Answers:
    """The windows of as many series as exponential smoothing is fitted to."""
    asked = answers.windows
    assert asked is not None
    count = len(asked.panel)
    if count <= MOST_REFERRED:
        return answers
    chosen = np.unique(np.linspace(0, count - 1, MOST_REFERRED).round().astype(int))
    kept = np.isin(asked.series, chosen)
    return Answers({}, answers.outputs[kept], windows=asked[kept])


def _best_middle_worst(asked: Windows, errors: np.ndarray) -> list[int]:
    """Three windows: the last of the series with the least, the middle and the largest mean error, or so of origins."""
    numbers = np.unique(asked.series)
    if len(numbers) < 3:
        order = np.argsort(errors, kind="stable")
        return list(dict.fromkeys([int(order[0]), int(order[len(order) // 2]), int(order[-1])]))
    means = np.array([np.nanmean(errors[asked.series == number]) for number in numbers])
    order = numbers[np.argsort(means, kind="stable")]
    return [int(np.flatnonzero(asked.series == number)[-1]) for number in (order[0], order[len(order) // 2], order[-1])]


def _by_step(asked: Windows, forecasts: dict[str, np.ndarray]) -> Finding:
    """The mean absolute error of each rival, by step ahead."""
    truth = asked.truth()
    rows: list[list[Any]] = []
    for step in _shown(asked.horizon):
        rows.append(
            [step + 1, *(float(np.nanmean(np.abs(values[:, step] - truth[:, step]))) for values in forecasts.values())]
        )
    heads: list[Both] = [("Steps ahead", "Passos à frente"), *((name, name) for name in forecasts)]
    return Finding(
        ("The error by step ahead", "O erro por passo à frente"),
        (
            "The mean absolute error of each model at test origins, in the units of the target, by how many steps ahead it looks.",
            "O erro absoluto médio de cada modelo nas origens de teste, nas unidades do alvo, por quantos passos à frente olha.",
        ),
        heads,
        rows,
    )
