"""Groupings of rows: what two have in common, for many sets of weights at once, and how well one agrees with the rows.

As in ``nervura.metrics``, ``weights`` are (sets, rows) and each score is (sets,). Groups are numbered from 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEIGHBOURS = 15
"""A row is tied to so many others."""


LEARNT_ROWS, LEARNT_VALUES = 20_000, 2**26
"""Of more rows so many, or of wide ones as many as have so many values together, are grouped, taken evenly; the others
are then placed as new rows are."""

KNOWN_ROWS = 2_000
"""The silhouette of a row is told by its distances to so many rows that were learnt from."""


def grouped_rows(width: int) -> int:
    """How many rows of so many values are grouped at most."""
    return max(2, min(LEARNT_ROWS, LEARNT_VALUES // width))


def common(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weight of the rows of each group of ``one`` in each group of ``other``: (sets, groups, groups)."""
    from scipy.sparse import csr_matrix

    groups, others = int(one.max(initial=0)) + 1, int(other.max(initial=0)) + 1
    pairs = (one.astype(np.int64) * others + other, np.arange(len(one)))
    marks = csr_matrix((np.ones(len(one)), pairs), (groups * others, len(one)))
    return (marks @ weights.T.astype(np.float64)).T.reshape(-1, groups, others)


def adjusted_rand(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The share of pairs of rows that both groupings treat alike, 0 where that is chance and 1 where they are the same.

    Source: L. Hubert and P. Arabie, Comparing Partitions, 1985.
    """
    table = common(one, other, weights)

    def pairs(counts: np.ndarray) -> np.ndarray:
        return (counts * (counts - 1) / 2).reshape(len(counts), -1).sum(1)

    both, first, second = pairs(table), pairs(table.sum(2)), pairs(table.sum(1))
    rows = table.sum((1, 2))
    chance = first * second / np.maximum(rows * (rows - 1) / 2, 1)
    most = (first + second) / 2
    # Two groupings that put all rows together, or each apart, are the same.
    return np.divide(both - chance, most - chance, out=np.ones(len(table)), where=most - chance > 1e-9)


def normalized_mutual_info(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The information that two groupings share, over the mean of what each holds: 0 to 1."""
    table = common(one, other, weights)
    table = table / np.maximum(table.sum((1, 2), keepdims=True), 1e-12)

    def entropy(shares: np.ndarray) -> np.ndarray:
        return -(shares * np.log(np.where(shares > 0, shares, 1.0))).reshape(len(shares), -1).sum(1)

    first, second, both = entropy(table.sum(2)), entropy(table.sum(1)), entropy(table)
    mean = (first + second) / 2
    return np.divide(first + second - both, mean, out=np.ones(len(table)), where=mean > 1e-12)


def matched_accuracy(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The share of rows in the right group where each group of one is called by one of the other, as fits best.

    Source: H. W. Kuhn, The Hungarian Method for the Assignment Problem, 1955.
    """
    from scipy.optimize import linear_sum_assignment

    found = [
        table[linear_sum_assignment(table, maximize=True)].sum() / max(table.sum(), 1e-12)
        for table in common(one, other, weights)
    ]
    return np.array(found)


ROWS_AT_ONCE = 4_000


def silhouettes(rows: np.ndarray, groups: np.ndarray, known: np.ndarray, known_groups: np.ndarray) -> np.ndarray:
    """How much nearer each row is, on the mean, to known rows of its own group than to those of the next: (rows,), -1 to 1;
    0 where its group has no known row.

    Args:
        groups: of the rows, (rows,).
        known: rows (known, features) of the groups ``known_groups``.

    Source: P. Rousseeuw, Silhouettes, 1987; there each row is told by all others.
    """
    from scipy.spatial.distance import cdist

    count = int(max(groups.max(initial=0), known_groups.max(initial=0))) + 1
    marks = np.eye(count)[known_groups]
    sizes = marks.sum(0)
    found = np.empty(len(rows))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = cdist(rows[part], known) @ marks / sizes
        own = np.take_along_axis(means, groups[part, None], 1)[:, 0]
        np.put_along_axis(means, groups[part, None], np.nan, 1)
        next_to = np.where(np.isnan(means), np.inf, means).min(1)
        told = np.isfinite(own) & np.isfinite(next_to)
        apart = np.where(told, next_to - own, 0.0)
        found[part] = apart / np.maximum(np.where(told, np.maximum(next_to, own), 1.0), 1e-12)
    return found


def graph(rows: np.ndarray) -> csr_matrix:
    """How firmly each row is tied to each other one, 0 to 1, symmetric (rows, rows): to its nearest, the more firmly the
    nearer they are beside its others.

    Source: L. McInnes, J. Healy and J. Melville, UMAP, 2018.
    """
    from scipy.sparse import csr_matrix
    from sklearn.neighbors import NearestNeighbors

    count = max(1, min(NEIGHBOURS, len(rows) - 1))
    distances, numbers = NearestNeighbors(n_neighbors=count + 1).fit(rows).kneighbors(rows)
    distances, numbers = distances[:, 1:].astype(np.float64), numbers[:, 1:]
    beyond, usual = distances - distances[:, :1], max(float(distances.mean()), 1e-12)
    low, high, scale = np.zeros((len(rows), 1)), np.full((len(rows), 1), np.inf), np.full((len(rows), 1), usual)
    # The scale at which a row's ties sum to the binary logarithm of their number, by halving.
    for _ in range(32):
        much = np.exp(-beyond / scale).sum(1, keepdims=True) > np.log2(count + 1)
        low, high = np.where(much, low, scale), np.where(much, scale, high)
        scale = np.where(np.isinf(high), 2 * scale, (low + high) / 2)
    weights = np.exp(-beyond / np.maximum(scale, 1e-3 * usual))
    places = (np.repeat(np.arange(len(rows)), count), numbers.ravel())
    one_way = csr_matrix((weights.ravel(), places), (len(rows), len(rows)))
    other_way = one_way.T.tocsr()
    return (one_way + other_way - one_way.multiply(other_way)).tocsr()


def cut(ties: csr_matrix, groups: np.ndarray) -> float:
    """The mean, over groups, of the share of their rows' ties that lead out of them: 0 where groups are apart.

    Source: J. Shi and J. Malik, Normalized Cuts and Image Segmentation, 2000.
    """
    marks = np.eye(int(groups.max()) + 1)[groups]
    own = (marks * (ties @ marks)).sum(0)
    whole = np.asarray(ties.sum(1)).ravel() @ marks
    there = whole > 0
    return float((1 - own[there] / whole[there]).mean())
