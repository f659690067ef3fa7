"""Local outlier factor: how much sparser the rows lie around a row than around its neighbours."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.detectors.base import Detector, Fitted, Index

NEIGHBOURS = 20


class LocalOutlierFactorFit(Fitted):
    """
    Args:
        known: the rows that were learnt from (rows, features).
        reach: the distance from each of them to the last of its neighbours (rows,).
        density: of each of them (rows,).
    """

    def __init__(self, known: np.ndarray, reach: np.ndarray, density: np.ndarray):
        self.index, self.reach, self.density = Index(known), reach, density

    def score(self, rows: np.ndarray) -> np.ndarray:
        distances, numbers = self.index.nearest(rows, NEIGHBOURS)
        return self.density[numbers].mean(1) / densities(self.reach, distances, numbers)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"known": self.index.known, "reach": self.reach, "density": self.density}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["known"], arrays["reach"], arrays["density"])


class LocalOutlierFactor(Detector):
    """The density around a row's neighbours over that around the row.

    Source: M. Breunig et al., LOF: Identifying Density-Based Local Outliers, SIGMOD 2000.
    """

    name = "local_outlier_factor"
    summary = "how much sparser the rows lie around a row than around its neighbours"
    fitted = LocalOutlierFactorFit

    def learn(self, rows: np.ndarray, seed: int) -> LocalOutlierFactorFit:
        distances, numbers = Index(rows).nearest(rows, NEIGHBOURS)
        reach = distances[:, -1]
        return LocalOutlierFactorFit(rows, reach, densities(reach, distances, numbers))


def densities(reach: np.ndarray, distances: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """One over the mean reachability distance of rows from their neighbours, (rows,)."""
    return 1 / (np.maximum(reach[numbers], distances).mean(1) + 1e-10)
