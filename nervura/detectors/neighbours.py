"""Nearest neighbours: how far the rows that are most like it are from a row."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.detectors.base import Detector, Fitted, Index

NEIGHBOURS = 10


class NeighboursFit(Fitted):
    def __init__(self, known: np.ndarray):
        self.index = Index(known)

    def score(self, rows: np.ndarray) -> np.ndarray:
        return self.index.nearest(rows, NEIGHBOURS)[0].mean(1)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"known": self.index.known}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["known"])


class Neighbours(Detector):
    """The mean distance to the nearest rows that were learnt from.

    Sources: F. Angiulli and C. Pizzuti, Fast Outlier Detection in High Dimensional Spaces, PKDD 2002; up to a constant it
    is also DTE-NP of V. Livernoche et al., On Diffusion Modeling for Anomaly Detection, ICLR 2024, there with 5 neighbours.
    """

    name = "neighbours"
    summary = "the mean distance to the nearest rows that were learnt from"
    fitted = NeighboursFit

    def learn(self, rows: np.ndarray, seed: int) -> NeighboursFit:
        return NeighboursFit(rows)
