"""Neighbours in samples: how far a row is from its nearest in a few small samples of the rows."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.detectors.base import Detector, Fitted, Index

SAMPLES, ROWS, NEIGHBOURS = 8, 256, 3


class SampledNeighboursFit(Fitted):
    def __init__(self, samples: np.ndarray):
        """
        Args:
            samples: (samples, rows, features).
        """
        self.indices = [Index(sample) for sample in samples]

    def score(self, rows: np.ndarray) -> np.ndarray:
        each = [np.log(index.nearest(rows, NEIGHBOURS)[0].mean(1) + 1e-9) for index in self.indices]
        return np.exp(np.mean(each, axis=0))

    def arrays(self) -> dict[str, np.ndarray]:
        return {"samples": np.stack([index.known for index in self.indices])}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["samples"])


class SampledNeighbours(Detector):
    """The geometric mean, over eight samples of 256 rows, of the mean distance to the three nearest rows of a sample.

    Odd rows that resemble each other are each other's neighbours among all rows; in a small sample they seldom meet.
    Sources: M. Sugiyama and K. Borgwardt, Rapid Distance-Based Outlier Detection via Sampling, NeurIPS 2013; C. Aggarwal and
    S. Sathe, Theoretical Foundations and Algorithms for Outlier Ensembles, 2015. Of fewer rows a sample is half of them.
    """

    name = "sampled_neighbours"
    summary = "how far a row is from its nearest in a few small samples of the rows"
    fitted = SampledNeighboursFit

    def learn(self, rows: np.ndarray, seed: int) -> SampledNeighboursFit:
        draw, size = np.random.default_rng(seed), min(ROWS, max(2, len(rows) // 2))
        return SampledNeighboursFit(np.stack([rows[draw.permutation(len(rows))[:size]] for _ in range(SAMPLES)]))
