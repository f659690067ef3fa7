"""The contract of a clusterer: it learns groups of rows from a matrix, and says of other rows to which they belong. A
subclass of ``Clusterer`` in a file of this folder is found by the shelf.

Rows are matrices (rows, features) of comparable columns; probabilities are (rows, clusters) and sum to one.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

ROWS_AT_ONCE = 4_000
COUNTED_ROWS, MOST_COUNTED = 2_000, 12
"""How many groups there are is told by so many rows, up to so many groups, unless a clusterer has a way of its own."""


class Fitted:
    """Clusters that have been learnt. Their whole state is arrays, so that they are kept without pickle."""

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """How probably each row belongs to each cluster (rows, clusters), float64."""
        raise NotImplementedError

    def arrays(self) -> dict[str, np.ndarray]:
        """All that ``Fitted.of`` needs."""
        raise NotImplementedError

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        """The same again from its ``arrays``."""
        raise NotImplementedError


class Clusterer:
    """One way to group rows.

    Attributes:
        fitted: the class of what ``fit`` gives.
        most: it learns from at most so many rows, taken evenly.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    fitted: ClassVar[type[Fitted]]
    most: ClassVar[int] = 10_000

    def learn(self, rows: np.ndarray, clusters: int, seed: int) -> Fitted:
        """Learns ``clusters`` groups, two or more, from at least as many rows (rows, features), as a function of both and
        the seed. One that finds out by itself how many there are may give another number."""
        raise NotImplementedError

    def count(self, rows: np.ndarray, seed: int = 0) -> int:
        """How many groups the rows tell, two or more: by default as many as have the largest mean silhouette.

        Source: P. Rousseeuw, Silhouettes, 1987.
        """
        from sklearn.metrics import silhouette_score

        some = rows[:: max(1, -(-len(rows) // COUNTED_ROWS))]
        scores: dict[int, float] = {}
        for count in range(2, min(MOST_COUNTED, len(some) - 1) + 1):
            groups = self.learn(some, count, seed).probabilities(some).argmax(1)
            if len(np.unique(groups)) > 1:
                scores[count] = float(silhouette_score(some, groups))
        return max(scores, key=scores.__getitem__, default=2)

    def fit(self, rows: np.ndarray, clusters: int, seed: int = 0) -> Fitted:
        """``learn`` from the rows or, of many, from ``most`` of them taken evenly."""
        return self.learn(rows[:: max(1, -(-len(rows) // self.most))], clusters, seed)


class Gaussians(Fitted):
    """Gaussians, each of which belongs to one cluster.

    Args:
        weights: of the Gaussians (components,).
        means: their means (components, features).
        factors: Cholesky factors of their inverse covariances (components, features, features).
        owners: the cluster of each, (components,).
    """

    def __init__(self, weights: np.ndarray, means: np.ndarray, factors: np.ndarray, owners: np.ndarray):
        self.weights, self.means, self.factors, self.owners = weights, means, factors, owners

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        shares = self.components(rows)
        return shares @ np.eye(int(self.owners.max()) + 1)[self.owners]

    def components(self, rows: np.ndarray) -> np.ndarray:
        """How probably each row is of each Gaussian (rows, components)."""
        from scipy.special import softmax

        parts = np.empty((len(rows), len(self.weights)))
        for place, (weight, mean, factor) in enumerate(zip(self.weights, self.means, self.factors, strict=True)):
            away = (rows - mean) @ factor
            parts[:, place] = np.log(weight) + np.log(np.diag(factor)).sum() - (away**2).sum(1) / 2
        return softmax(parts, axis=1)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights, "means": self.means, "factors": self.factors, "owners": self.owners}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["weights"], arrays["means"], arrays["factors"], arrays["owners"])


class Nearest(Fitted):
    """The clusters of the nearest known rows, averaged.

    Args:
        known: rows (known, features).
        shares: how probably each belongs to each cluster (known, clusters).
        count: so many of the nearest are asked.
    """

    def __init__(self, known: np.ndarray, shares: np.ndarray, count: int):
        self.known, self.shares, self.count = known, shares, count
        self._search: Any = None

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        if self._search is None:
            from sklearn.neighbors import NearestNeighbors

            self._search = NearestNeighbors(n_neighbors=min(self.count, len(self.known))).fit(self.known)
        found = np.empty((len(rows), self.shares.shape[1]))
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = np.asarray(rows[start : start + ROWS_AT_ONCE], dtype=self.known.dtype)
            found[start : start + ROWS_AT_ONCE] = self.shares[self._search.kneighbors(part)[1]].mean(1)
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        return {"known": self.known, "shares": self.shares, "count": np.array(self.count)}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["known"], arrays["shares"], int(arrays["count"]))


def numbered(labels: np.ndarray) -> np.ndarray:
    """Labels of rows (rows,) as zeros and a one (rows, clusters); -1, rows that belong nowhere, is the last cluster."""
    outside = labels < 0
    count = int(labels.max(initial=-1)) + 1
    return np.eye(count + bool(outside.any()))[np.where(outside, count, labels)]
