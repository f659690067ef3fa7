"""How much rows have moved away from those that a run was trained on, told by histograms: no row of the data is kept."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura import encoding, pictures
from nervura.schema import Column, Schema

if TYPE_CHECKING:
    import polars as pl

    from nervura.problems.base import Problem

MOST_ROWS = 100_000
"""Histograms are counted of so many training rows, taken evenly."""

BINS, MOST_LEVELS = 10, 20
"""Numbers are counted between their deciles, levels one by one as far as the second of these."""

FEW = 16
"""The bins of so many values are looked up one by one, of more by NumPy, which takes longer to begin."""

COUNTED = ("number", "datetime", "boolean", "category")
"""The kinds of columns that have a histogram each; pictures have two."""

BRIGHTNESS, CONTRAST = "brightness", "contrast"
"""What is counted of pictures: mean and deviation of their values, as shares of white."""

PREDICTION, PROBABILITY = "prediction", "probability"
"""What is counted of answers: the class or value, and of classes the probability of the likeliest."""

MODERATE, LARGE = 0.1, 0.25
"""A stability index from the first on is a moderate change and from the second on a large one, as is usual with it
(Siddiqi, Credit Risk Scorecards, 2006)."""

CHANCE = 2.326
"""The normal quantile that chance alone exceeds once in a hundred times."""


def histograms(
    schema: Schema, frame: pl.DataFrame | np.ndarray, problem: Problem, estimates: np.ndarray
) -> dict[str, Any]:
    """Training rows and answers as histograms, in JSON.

    Args:
        frame: training rows as the run's source reads them, or pictures (rows, height, width, channels).
        estimates: the problem's estimates of rows that the network has not learnt from.
    """
    typed = _of_pictures(frame) if isinstance(frame, np.ndarray) else _of_table(schema, frame)
    return {
        "rows": len(frame),
        "columns": {name: _histogram(values) for name, values in typed.items()},
        "answers": {
            "rows": len(estimates),
            "columns": {name: _histogram(values) for name, values in _told(problem, estimates).items()},
        },
    }


def _told(problem: Problem, estimates: np.ndarray) -> dict[str, np.ndarray]:
    classes = problem.coding.get("classes")
    if classes is None:
        return answer_columns(estimates, None)
    return answer_columns(np.array(classes, dtype=object)[problem.named(estimates)], estimates)


def answer_columns(predictions: np.ndarray, probabilities: np.ndarray | None) -> dict[str, np.ndarray]:
    """What is counted of answers: values (rows,), or classes (rows,) with probabilities (rows, classes)."""
    if probabilities is None:
        return {PREDICTION: np.asarray(predictions, dtype=np.float64)}
    return {PREDICTION: np.asarray(predictions, dtype=object), PROBABILITY: probabilities.max(axis=1)}


def _of_table(schema: Schema, frame: pl.DataFrame) -> dict[str, np.ndarray]:
    """The columns that are counted as float64 with NaN or, of levels, as strings with "" where missing."""
    import polars as pl

    columns = [column for column in encoding.adapted(schema, frame).inputs if column.kind in COUNTED]
    typed = frame.select(_counted(column) for column in columns)
    return {
        column.name: typed[column.name].fill_null("").to_numpy().astype(object)
        if column.kind == "category"
        else typed[column.name].cast(pl.Float64).fill_null(math.nan).to_numpy()
        for column in columns
    }


def _counted(column: Column) -> pl.Expr:
    values = encoding.values(column)
    return values.dt.epoch("ms") if column.kind == "datetime" else values


def _of_pictures(pixels: np.ndarray) -> dict[str, np.ndarray]:
    return picture_columns(pixels[:: max(1, -(-len(pixels) // pictures.SIZES_SEEN))])


def picture_columns(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """What is counted of pictures (rows, height, width, channels)."""
    flat = pixels.reshape(len(pixels), -1) / 255.0
    return {BRIGHTNESS: flat.mean(axis=1), CONTRAST: flat.std(axis=1)}


def _histogram(values: np.ndarray) -> dict[str, Any]:
    if values.dtype == object:
        levels, counts = np.unique(values[values != ""].astype(str), return_counts=True)
        told: dict[str, Any] = {"levels": levels[np.argsort(-counts, kind="stable")][:MOST_LEVELS].tolist()}
    else:
        known = values[np.isfinite(values)]
        told = {"edges": _edges(known) if len(known) else []}
    histogram = Histogram.of(told)
    return {**told, "counts": np.bincount(histogram.bins(values), minlength=histogram.size).tolist()}


def _edges(known: np.ndarray) -> list[float]:
    """The deciles. Those that several tenths of the rows share are bins of their own; the others are rounded to a hundredth of
    their spread or less, so that they are no value of a row."""
    deciles, times = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]), return_counts=True)
    shared, single = deciles[times > 1], deciles[times == 1]
    spread = float(deciles[-1] - deciles[0])
    if spread > 0 and math.isfinite(spread):
        step = 10 ** math.floor(math.log10(spread)) / 100
        single = np.array([float(f"{edge:.12g}") for edge in np.rint(single / step) * step])
    return np.unique(np.concatenate([single, shared, np.nextafter(shared, -np.inf)])).tolist()


@dataclass
class Histogram:
    """The bins of one column: between edges, or one for each level and one for all others; the last is for what is missing."""

    edges: np.ndarray | None
    levels: dict[str, int]

    @classmethod
    def of(cls, told: dict[str, Any]) -> Histogram:
        if "edges" in told:
            return cls(np.array(told["edges"], dtype=np.float64), {})
        return cls(None, {level: place for place, level in enumerate(told["levels"])})

    @property
    def size(self) -> int:
        return (len(self.levels) if self.edges is None else len(self.edges)) + 2

    def bins(self, values: np.ndarray) -> np.ndarray:
        """The bin of each value (rows,)."""
        missing = self.size - 1
        if self.edges is None:
            known = {**self.levels, "": missing}
            return np.array([known.get(value, missing - 1) for value in values], dtype=np.int64)
        places = np.searchsorted(self.edges, values, side="left")
        return np.where(np.isnan(values), missing, places)


class Counts:
    """Counts the values of columns and answers in one array, so that several processes can add theirs to each other's.

    Args:
        told: as ``histograms`` gave it.
    """

    def __init__(self, told: dict[str, Any]):
        self.told = told
        self.kept = [
            (part, name, one) for part, columns in self._parts().items() for name, one in columns["columns"].items()
        ]
        self.of = {(part, name): Histogram.of(one) for part, name, one in self.kept}
        sizes = [one.size for one in self.of.values()]
        self.starts = dict(zip(self.of, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True)) if sizes else {}
        self.size = sum(sizes)
        self._each = [
            (
                part,
                name,
                self.starts[part, name],
                None if one.edges is None else one.edges.tolist(),
                one.levels,
                one.size,
            )
            for (part, name), one in self.of.items()
        ]

    def _parts(self) -> dict[str, dict[str, Any]]:
        return {"inputs": self.told, "answers": self.told["answers"]}

    def places(self, inputs: dict[str, np.ndarray], answers: dict[str, np.ndarray]) -> list[int]:
        """Where to add one for each value of the same rows, which all columns have: whole numbers below ``size``."""
        found: list[int] = []
        for part, name, start, edges, levels, size in self._each:
            values = (inputs if part == "inputs" else answers)[name]
            if len(values) > FEW:
                found += (start + self.of[part, name].bins(values)).tolist()
                continue
            missing = start + size - 1
            for value in values.tolist():
                if edges is None:
                    found.append(start + levels[value] if value in levels else missing if value == "" else missing - 1)
                else:
                    found.append(missing if value != value else start + bisect_left(edges, value))
        return found

    def sheet(self, counts: np.ndarray) -> dict[str, list[dict[str, Any]]]:
        """The stability of each column and of the answers, the least stable first.

        Args:
            counts: (size,) of all values that were counted.
        """
        made: dict[str, list[dict[str, Any]]] = {"inputs": [], "answers": []}
        for part, name, one in self.kept:
            start = self.starts[part, name]
            observed = counts[start : start + self.of[part, name].size]
            made[part].append({"column": name, **stability(np.array(one["counts"]), observed)})
        return {part: sorted(rows, key=lambda row: -(row["psi"] or 0.0)) for part, rows in made.items()}


def stability(expected: np.ndarray, observed: np.ndarray) -> dict[str, Any]:
    """The population stability index between two histograms of the same bins, and what it means.

    ``psi`` is the sum of (q - p) log(q / p) over the shares p and q of the bins, each bin with half a row more, so that an
    empty one counts as rare. ``chance`` is what rows that have not moved exceed once in a hundred times: the index times
    the harmonic mean of the rows is about chi-squared (Yurdakul and Naranjo, Statistical properties of the population
    stability index, 2020). ``status`` is ``stable``, ``moved`` or ``drifted``, none of which chance alone explains.
    """
    used = (expected > 0) | (observed > 0)
    p, q = expected[used] + 0.5, observed[used] + 0.5
    if not observed.sum() or not expected.sum():
        return {"psi": None, "chance": None, "status": "no rows"}
    p, q = p / p.sum(), q / q.sum()
    index = float(((q - p) * np.log(q / p)).sum())
    freedom = max(1, len(p) - 1)
    # Wilson and Hilferty's approximation of the quantile of chi-squared.
    quantile = freedom * (1 - 2 / (9 * freedom) + CHANCE * math.sqrt(2 / (9 * freedom))) ** 3
    chance = quantile * (1 / float(expected.sum()) + 1 / float(observed.sum()))
    status = "stable" if index < max(MODERATE, chance) else "moved" if index < max(LARGE, chance) else "drifted"
    return {"psi": round(index, 4), "chance": round(chance, 4), "status": status}
