"""Robust Gaussian: how far a row is from the middle of most rows, by how these vary together."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.detectors.base import Detector, Fitted

KEPT = 0.75
"""The share of the rows that the middle and the covariance rest on; the others may be anything."""

STEPS, HELD = 20, 3.0
RIDGE = 1e-3
"""So much of the mean variance is added to each, so that columns that say the same can be told from."""


class RobustGaussianFit(Fitted):
    """
    Args:
        mean: of the rows that lie closest together (features,).
        precision: the inverse of their covariance (features, features).
    """

    def __init__(self, mean: np.ndarray, precision: np.ndarray):
        self.mean, self.precision = mean, precision

    def score(self, rows: np.ndarray) -> np.ndarray:
        return self.shares(rows).sum(1)

    def shares(self, rows: np.ndarray) -> np.ndarray:
        """What each feature adds to the squared Mahalanobis distance, (rows, features); some may be below zero."""
        away = rows - self.mean
        return away * (away @ self.precision)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"mean": self.mean, "precision": self.precision}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["mean"], arrays["precision"])


class RobustGaussian(Detector):
    """The squared Mahalanobis distance to mean and covariance of the three quarters of the rows that lie closest together.

    Sources: the concentration steps of P. Rousseeuw and K. Van Driessen, A Fast Algorithm for the Minimum Covariance
    Determinant Estimator, Technometrics 1999. Here they begin from one start that is a function of the rows, as in M. Hubert
    et al., A Deterministic Algorithm for Robust Location and Scatter, 2012: their covariance with each column held within
    three deviations of its median. Columns that depend on others are no trouble, since a little is added to the diagonal.
    """

    name = "robust_gaussian"
    summary = "how far a row is from the middle of most rows, by how these vary together"
    fitted = RobustGaussianFit

    def learn(self, rows: np.ndarray, seed: int) -> RobustGaussianFit:
        middle = np.median(rows, axis=0)
        spread = 1.4826 * np.median(np.abs(rows - middle), axis=0)
        spread[spread < 1e-9] = 1.0
        held = np.clip((rows - middle) / spread, -HELD, HELD)
        distances = _gaussian(held).score(held)
        kept: set[int] = set()
        for _ in range(STEPS):
            closest = np.argsort(distances, kind="stable")[: max(2, round(KEPT * len(rows)))]
            if kept == (kept := set(closest.tolist())):
                break
            found = _gaussian(rows[closest])
            distances = found.score(rows)
        return found


def _gaussian(rows: np.ndarray) -> RobustGaussianFit:
    covariance = np.atleast_2d(np.cov(rows, rowvar=False))
    ridge = RIDGE * np.trace(covariance) / len(covariance) + 1e-9
    return RobustGaussianFit(rows.mean(0), np.linalg.inv(covariance + ridge * np.eye(len(covariance))))
