"""The arithmetic of topics: a mixture on the sphere of codes, leading words, and how good topics are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

ROWS_AT_ONCE = 5_000
FITTED_ROWS = 50_000
"""Of more documents so many, taken evenly, tell where topics lie."""

LEADING, NAMING = 10, 3
"""So many leading words tell a topic, and so many of them name it."""

PASSES = 30
SHARPEST = 1e3


def directed(rows: np.ndarray) -> np.ndarray:
    """Rows of unit length, (rows, n) float32; rows of zeros stay."""
    rows = np.asarray(rows, np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


@dataclass
class Mixture:
    """Topics as von Mises-Fisher distributions of the directions of codes, all as sharp.

    Attributes:
        centres: directions (topics, length).
        shares: (topics,).
        sharpness: what cosines are multiplied by.
    """

    centres: np.ndarray
    shares: np.ndarray
    sharpness: float

    @classmethod
    def of(cls, codes: np.ndarray, topics: int, seed: int = 0) -> Self:
        """The mixture that codes (rows, length) are likeliest under, from where k-means ends.

        Source: Banerjee et al., Clustering on the Unit Hypersphere Using von Mises-Fisher Distributions (JMLR, 2005), with
        one sharpness for all topics.
        """
        from sklearn.cluster import KMeans

        rows = directed(codes[:: max(1, -(-len(codes) // FITTED_ROWS))])
        topics, length = min(topics, len(np.unique(rows, axis=0))), rows.shape[1]
        found = KMeans(topics, n_init=4, random_state=seed).fit(rows)
        made = cls(directed(found.cluster_centers_), np.bincount(found.labels_, minlength=topics) / len(rows), 1.0)
        given = np.eye(topics, dtype=np.float32)[found.labels_]
        for _ in range(PASSES):
            sums = given.T @ rows
            mean = np.linalg.norm(sums, axis=1).sum() / len(rows)
            sharpness = (mean * length - mean**3) / max(1 - mean**2, 1e-6)
            before, made = made, cls(directed(sums), given.mean(0), float(np.clip(sharpness, 1.0, SHARPEST)))
            if np.abs(before.centres - made.centres).max() < 1e-4 and before.sharpness == made.sharpness:
                break
            given = made(rows)
        return made

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """The probability of each topic for each code, (rows, topics)."""
        logits = self.sharpness * directed(codes) @ self.centres.T + np.log(np.maximum(self.shares, 1e-9))
        logits -= logits.max(1, keepdims=True)
        weights = np.exp(logits)
        return weights / weights.sum(1, keepdims=True)


def damped(counts: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """log(1 + count) of counts (rows, words), part by part."""
    for start in range(0, len(counts), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        yield part, np.log1p(counts[part], dtype=np.float32)


def words_of_topics(counts: np.ndarray, given: np.ndarray) -> np.ndarray:
    """How much a word leads a topic, (topics, words): its weight in the topic's documents times the logarithm of how many
    times as large that is as in all documents.

    Args:
        counts: of the documents (rows, words).
        given: the probabilities of their topics (rows, topics).

    Source: class-based TF-IDF of Grootendorst, BERTopic (2022), with the surprise of a word in place of its rarity.
    """
    sums = np.zeros((given.shape[1], counts.shape[1]))
    for part, weights in damped(counts):
        sums += given[part].T @ weights
    whole = sums.sum(0) / max(len(counts), 1)
    means = sums / np.maximum(given.sum(0), 1e-9)[:, None]
    return means * np.log1p(means / np.maximum(whole, 1e-9))


def leading(scores: np.ndarray, count: int = LEADING) -> np.ndarray:
    """The places of the words that lead each topic most, (topics, count), by scores (topics, words)."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :count]


def coherence(leaders: np.ndarray, counts: np.ndarray) -> float:
    """The mean normalised pointwise mutual information of the pairs of a topic's leading words, -1 to 1, over documents.

    Source: Bouma (2009); Lau, Newman and Baldwin, Machine Reading Tea Leaves (EACL, 2014).
    """
    used = np.unique(leaders)
    together = np.zeros((len(used), len(used)))
    for start in range(0, len(counts), ROWS_AT_ONCE):
        there = (counts[start : start + ROWS_AT_ONCE][:, used] > 0).astype(np.float32)
        together += there.T @ there
    shares = together / max(len(counts), 1)
    alone, found = np.diag(shares), []
    for topic in leaders:
        at = np.searchsorted(used, topic)
        both = shares[np.ix_(at, at)][np.tril_indices(len(at), -1)]
        chance = np.outer(alone[at], alone[at])[np.tril_indices(len(at), -1)]
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(both > 0, np.log(both / chance) / -np.log(both), -1.0)
        found.append(np.where(both >= 1, 1.0, value).mean())
    return float(np.mean(found))


def diversity(leaders: np.ndarray) -> float:
    """The share of the leading words that are different ones."""
    return len(np.unique(leaders)) / leaders.size


def nearest(asked: np.ndarray, known: np.ndarray, count: int, own: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The places of the ``count`` codes with the largest cosine, best first, and the cosines, (rows, count) both.

    Args:
        own: whether ``asked`` are ``known``, so that no row is its own neighbour.
    """
    count = min(count, len(known) - own)
    known, places, cosines = directed(known), [], []
    for start in range(0, len(asked), ROWS_AT_ONCE // 5):
        found = directed(asked[start : start + ROWS_AT_ONCE // 5]) @ known.T
        if own:
            found[np.arange(len(found)), start + np.arange(len(found))] = -np.inf
        best = (
            np.argpartition(-found, count - 1, axis=1)[:, :count] if count < found.shape[1] else np.argsort(-found, 1)
        )
        of_best = np.take_along_axis(found, best, 1)
        order = np.argsort(-of_best, axis=1, kind="stable")
        places.append(np.take_along_axis(best, order, 1))
        cosines.append(np.take_along_axis(of_best, order, 1))
    if not places:
        return np.empty((0, count), np.int64), np.empty((0, count), np.float32)
    return np.concatenate(places), np.concatenate(cosines)


def precisions(codes: np.ndarray, labels: np.ndarray, numbers: list[int]) -> np.ndarray:
    """Of each document the share of its 1, 3, 7 ... nearest others that have its label, (rows, numbers).

    Args:
        labels: codes of classes (rows,).
        numbers: of neighbours, ascending, each less than the number of rows.
    """
    known, found = directed(codes), []
    for start in range(0, len(known), ROWS_AT_ONCE // 5):
        cosines = known[start : start + ROWS_AT_ONCE // 5] @ known.T
        at = np.arange(len(cosines))
        cosines[at, start + at] = -np.inf
        order = np.argsort(-cosines, axis=1, kind="stable")[:, : numbers[-1]]
        right = np.cumsum(labels[order] == labels[start + at][:, None], axis=1, dtype=np.float64)
        found.append(np.column_stack([right[:, min(one, right.shape[1]) - 1] / one for one in numbers]))
    return np.concatenate(found)


def found_again(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """One over the rank of each document's other half among all other halves, (rows,), by the cosines of their codes."""
    one, other, found = directed(one), directed(other), []
    for start in range(0, len(one), ROWS_AT_ONCE // 5):
        cosines = one[start : start + ROWS_AT_ONCE // 5] @ other.T
        own = cosines[np.arange(len(cosines)), start + np.arange(len(cosines))]
        # Ties share the mean of their ranks, so that codes that are all the same find nothing.
        above, level = (cosines > own[:, None]).sum(1), (cosines == own[:, None]).sum(1)
        found.append(1 / (above + (level + 1) / 2))
    return np.concatenate(found)


def halves(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The words of each document dealt out to two halves by turns, (rows, words) each."""
    turn = np.cumsum(counts > 0, axis=1) % 2 == 0
    return np.where(turn, 0, counts), np.where(turn, counts, 0)


def table(topics: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """How many documents of each label each topic has, (topics, labels)."""
    size = (int(topics.max(initial=0)) + 1, int(labels.max(initial=0)) + 1)
    at = topics * size[1] + labels
    return np.bincount(at, weights, minlength=size[0] * size[1]).reshape(size).astype(np.float64)


def purity(found: np.ndarray) -> float:
    """The share of documents with the commonest label of their topic, by ``table``."""
    return float(found.max(1).sum() / max(found.sum(), 1e-12))


def mutual_information(found: np.ndarray) -> float:
    """The mutual information of topics and labels over the mean of their entropies, 0 to 1, by ``table``."""
    shares = found / max(found.sum(), 1e-12)
    rows, columns = shares.sum(1), shares.sum(0)

    def entropy(values: np.ndarray) -> float:
        values = values[values > 0]
        return float(-(values * np.log(values)).sum())

    mean = (entropy(rows) + entropy(columns)) / 2
    return (entropy(rows) + entropy(columns) - entropy(shares.ravel())) / mean if mean > 0 else 0.0


def tf_idf(counts: np.ndarray, rarity: np.ndarray) -> Any:
    """log(1 + count) times the inverse document frequency, rows of unit length, as a sparse matrix."""
    from scipy.sparse import csr_matrix, vstack

    parts = [csr_matrix(directed(weights * rarity)) for _, weights in damped(counts)]
    return vstack(parts, format="csr")


def rarity(counts: np.ndarray) -> np.ndarray:
    """The inverse document frequency of each word, (words,) float32."""
    there = np.zeros(counts.shape[1])
    for start in range(0, len(counts), ROWS_AT_ONCE):
        there += (counts[start : start + ROWS_AT_ONCE] > 0).sum(0)
    return (1 + np.log((1 + len(counts)) / (1 + there))).astype(np.float32)
