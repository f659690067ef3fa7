"""The contract of a detector: it learns what usual rows are like from a matrix, and gives others a score. A subclass of
``Detector`` in a file of this folder is found by the shelf.

Rows are matrices (rows, features) of comparable columns; scores are (rows,), higher is odder, and on no scale of their own.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from nervura.problems.base import FEWEST_HALVED

SAME = 1e-5
"""Rows nearer than this, for each root of the number of features, are the same row."""


FOLDS = 5
"""Of few validation rows each such part is scored by detectors that have learnt from the others."""


class Fitted:
    """A detector that has learnt. Its whole state is arrays, so that it is kept without pickle."""

    def score(self, rows: np.ndarray) -> np.ndarray:
        """How odd each row is (rows,), float64; higher is odder. A row that was learnt from is not held against itself."""
        raise NotImplementedError

    def arrays(self) -> dict[str, np.ndarray]:
        """All that ``Fitted.of`` needs."""
        raise NotImplementedError

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        """The same again from its ``arrays``."""
        raise NotImplementedError


class Detector:
    """One way to tell odd rows from usual ones.

    Attributes:
        fitted: the class of what ``fit`` gives.
        most: it learns from at most so many rows, taken evenly.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    fitted: ClassVar[type[Fitted]]
    most: ClassVar[int] = 10_000

    def learn(self, rows: np.ndarray, seed: int) -> Fitted:
        """Learns from rows (rows, features), two or more, as a function of them and the seed."""
        raise NotImplementedError

    def fit(self, rows: np.ndarray, seed: int = 0) -> Fitted:
        """``learn`` from the rows or, of many, from ``most`` of them taken evenly."""
        return self.learn(rows[:: max(1, -(-len(rows) // self.most))], seed)


def learnt(detector: Detector, rows: np.ndarray, validation: np.ndarray) -> tuple[Fitted, np.ndarray]:
    """A detector that has learnt, and the scores of validation rows by one that has not learnt from them.

    Of many validation rows the detector learns from ``rows`` alone. Of fewer than ``FEWEST_HALVED``, none of which can be
    spared, it learns from these too; each fifth of them is scored by one that has learnt from all the others.

    Source: cross-conformal prediction, V. Vovk, Annals of Mathematics and Artificial Intelligence 2015.
    """
    if len(validation) >= FEWEST_HALVED:
        fitted = detector.fit(rows)
        return fitted, fitted.score(validation)
    held, fold = np.empty(len(validation)), np.arange(len(validation)) % FOLDS
    for number in range(FOLDS):
        own = fold == number
        if own.any():
            held[own] = detector.fit(np.vstack([rows, validation[~own]])).score(validation[own])
    return detector.fit(np.vstack([rows, validation])), held


class Index:
    """Finds the nearest of some rows (rows, features)."""

    def __init__(self, known: np.ndarray):
        self.known = np.asarray(known, dtype=np.float64)
        self._search: Any = None

    def nearest(self, rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Distances to the ``count`` nearest, or to as many as there are, ascending, and their numbers: (rows, count) both.

        A row is not its own neighbour: of those that equal it, one is left out.
        """
        most = min(count + 1, len(self.known))
        if not len(rows):
            return np.empty((0, max(1, most - 1))), np.empty((0, max(1, most - 1)), np.int64)
        if self._search is None:
            from sklearn.neighbors import NearestNeighbors

            self._search = NearestNeighbors().fit(self.known)
        distances, numbers = self._search.kneighbors(rows, n_neighbors=most)
        own = distances[:, 0] < SAME * np.sqrt(rows.shape[1])
        chosen = np.minimum(own[:, None] + np.arange(max(1, most - 1)), most - 1)
        return np.take_along_axis(distances, chosen, 1), np.take_along_axis(numbers, chosen, 1)
