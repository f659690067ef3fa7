"""The contract of a detector: it learns what usual rows are like from a matrix, and gives others a score.

Rows are matrices (rows, features) of comparable columns; scores are (rows,), higher is odder, and on no scale of their own.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

SAME = 1e-5
"""Rows nearer than this, for each root of the number of features, are the same row."""


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
    """One way to tell odd rows. A subclass in a file of this folder is found by the shelf.

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
