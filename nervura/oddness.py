"""From the scores of several detectors to one, and from that to a p-value, an alarm and reasons. It knows no detector."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

TAIL = 0.1
"""The share of the highest scores that the tail is fitted to."""

MOST_KEPT = 2_000
"""Of more scores, so many are kept, taken evenly in their order."""

MOST_REASONS, LEAST_SHARE = 3, 0.1
"""A row has so many reasons at most, each of which is at least this share of its oddness."""

MOST_LABELS = 20
"""A column of labels has so many values at most."""


@dataclass(frozen=True)
class Surprise:
    """How seldom usual rows score as high: minus the logarithm of the share of them that do.

    Above the highest tenth of the known scores it goes on as an exponential tail fitted to that tenth, so that rows beyond
    all known ones are still told apart.

    Attributes:
        ordered: known scores in ascending order (scores,).
        logarithmic: whether they are compared by their logarithms.
    """

    ordered: np.ndarray
    logarithmic: bool

    @classmethod
    def of(cls, scores: np.ndarray) -> Surprise:
        logarithmic = bool((scores > 0).all())
        ordered = np.sort(_scaled(scores, logarithmic))
        kept = np.linspace(0, len(ordered) - 1, min(MOST_KEPT, len(ordered))).round().astype(int)
        return cls(ordered[kept], logarithmic)

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        values, known = _scaled(scores, self.logarithmic), len(self.ordered)
        border = float(np.quantile(self.ordered, 1 - TAIL))
        beyond = max(float((self.ordered[self.ordered >= border] - border).mean()), 1e-9)
        # Between two known scores the share changes evenly, so that few known scores make no steps.
        shares = np.interp(values, *steps(self.ordered, known))
        inside = -np.log(np.maximum(1 - shares, TAIL))
        return np.where(values > border, (values - border) / beyond - math.log(TAIL), inside)


def _scaled(scores: np.ndarray, logarithmic: bool) -> np.ndarray:
    return np.log(np.maximum(scores, 1e-12)) if logarithmic else np.asarray(scores, dtype=np.float64)


def steps(ordered: np.ndarray, known: int) -> tuple[np.ndarray, np.ndarray]:
    """The different known scores and the share of scores below each, counting half of those equal to it."""
    values, counts = np.unique(ordered, return_counts=True)
    return values, (np.cumsum(counts) - counts / 2) / known


def combined(surprises: Iterable[np.ndarray]) -> np.ndarray:
    """The mean of several surprises (rows,).

    Source: R. A. Fisher, Statistical Methods for Research Workers, 1932, who adds up the logarithms of p-values. Here these
    depend on each other, so that their sum is calibrated anew (``p_values``) and not taken from a table.
    """
    return np.mean(list(surprises), axis=0)


def p_values(scores: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """The share of rows like those of ``calibration`` that would score as high or higher, (rows,).

    Args:
        calibration: scores of held-out rows, ascending.

    Source: conformal anomaly detection, R. Laxhammar and G. Falkman, 2011; S. Bates et al., Testing for Outliers with
    Conformal p-values, Annals of Statistics 2023. Of rows from the same distribution at most a share p has a value of p or
    less, whatever the detector.
    """
    higher = len(calibration) - np.searchsorted(calibration, scores, "left")
    return (1 + higher) / (len(calibration) + 1)


def alarming(calibration: int, level: float) -> float:
    """The p-value up to which a row is an alarm: the stated false-alarm rate or, of too few rows to tell so small a share,
    the smallest p-value that there is."""
    return max(1 - level + 1e-12, 1 / (calibration + 1))


def shares_of(parts: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """What each group of values adds to a row's oddness, as shares of the whole: (rows, count).

    Args:
        parts: what each value adds, not below zero (rows, values).
        groups: the number of each value's group (values,).
    """
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(count))
    summed = np.add.reduceat(parts[:, order], starts, axis=1)
    return summed / np.maximum(summed.sum(1, keepdims=True), 1e-30)


def reasons(shares: np.ndarray, names: list[str], signs: np.ndarray, separator: str) -> list[str]:
    """The columns that made rows odd, for people: ``income high 62 %|age low 21 %``.

    Args:
        shares: (rows, columns), as ``shares_of`` gives them.
        signs: 1 where a value is higher than that of like rows, -1 where it is lower, 0 where neither can be said.
    """
    said = {1: " high", -1: " low", 0: ""}
    told = []
    for row, sign in zip(shares, signs, strict=True):
        order = np.argsort(-row, kind="stable")[:MOST_REASONS]
        chosen = [place for rank, place in enumerate(order) if row[place] >= LEAST_SHARE or rank == 0]
        told.append(separator.join(f"{names[place]}{said[int(sign[place])]} {row[place]:.0%}" for place in chosen))
    return told


def odd_labels(labels: pl.Series) -> list[str]:
    """Which values of a column of labels mean an anomaly: of two the rarer one, of more all but the commonest.

    Empty where the labels do not tell: one value, or more than ``MOST_LABELS``.
    """
    counts = labels.drop_nulls().value_counts(name="rows").sort(["rows", labels.name], descending=[True, False])
    names = counts[labels.name].to_list()
    return names[1:] if 2 <= len(names) <= MOST_LABELS else []


def truth_of(labels: pl.Series | None, odd: list[str], rows: int) -> np.ndarray:
    """1 for rows labelled as anomalies, 0 for others, nan for those without a label: (rows,) float64."""
    if labels is None:
        return np.full(rows, np.nan)
    found = labels.is_in(odd).cast(pl.Float64)
    return pl.select(pl.when(labels.is_not_null()).then(found)).to_series().fill_null(float("nan")).to_numpy()


def agreement(scores: Mapping[str, np.ndarray], own: np.ndarray, share: float) -> dict[str, tuple[float, float]]:
    """For each detector the rank correlation of its scores with ``own``, and the part of the oddest rows that both name.
    Scores that do not vary have no correlation with others.

    Args:
        share: of the rows that count as the oddest.
    """
    from scipy.stats import spearmanr

    count = max(1, round(share * len(own)))

    def oddest(values: np.ndarray) -> set[int]:
        return set(np.argsort(-values, kind="stable")[:count].tolist())

    def correlation(values: np.ndarray) -> float:
        return float(spearmanr(values, own).statistic) if np.ptp(values) and np.ptp(own) else 0.0

    return {name: (correlation(values), len(oddest(values) & oddest(own)) / count) for name, values in scores.items()}
