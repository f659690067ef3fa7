"""ECOD: how far out in the tails of the columns a row lies, each column for itself."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.detectors.base import Detector, Fitted


class EcodFit(Fitted):
    """
    Args:
        ordered: the values of each column in ascending order (rows, features).
        skewed_left: whether a column's long tail is the lower one, bool (features,).
    """

    def __init__(self, ordered: np.ndarray, skewed_left: np.ndarray):
        self.ordered, self.skewed_left = ordered, skewed_left

    def score(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([tails.sum(1) for tails in self.tails(rows)]).max(0)

    def tails(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Minus the logarithm of the share of values as far out: below, above, and on the side of the long tail; each
        (rows, features)."""
        known = len(self.ordered)
        below, above = np.empty(rows.shape), np.empty(rows.shape)
        for column in range(rows.shape[1]):
            values, ordered = rows[:, column], self.ordered[:, column]
            # One more row than there are, so that no share is none.
            below[:, column] = (np.searchsorted(ordered, values, "right") + 1) / (known + 1)
            above[:, column] = (known - np.searchsorted(ordered, values, "left") + 1) / (known + 1)
        below, above = -np.log(np.minimum(below, 1)), -np.log(np.minimum(above, 1))
        return below, above, np.where(self.skewed_left, below, above)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"ordered": self.ordered, "skewed_left": self.skewed_left}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["ordered"], arrays["skewed_left"])


class Ecod(Detector):
    """The surprise at a row's values, summed over the columns as if they were independent; the larger of three sums.

    Source: Z. Li et al., ECOD: Unsupervised Outlier Detection Using Empirical Cumulative Distribution Functions, IEEE TKDE
    2022. The distribution is that of the training rows alone; the authors' code takes the new rows into it too.
    """

    name = "ecod"
    summary = "how far out in the tails of the columns a row lies, each column for itself"
    fitted = EcodFit

    def learn(self, rows: np.ndarray, seed: int) -> EcodFit:
        third = ((rows - rows.mean(0)) ** 3).mean(0)
        return EcodFit(np.sort(rows, axis=0), third < 0)
