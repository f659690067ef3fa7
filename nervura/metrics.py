"""Scores of estimates against the truth, named as in scikit-learn without the sign, for many sets of weights at once.

Every function takes ``truth`` (rows,), ``estimates`` (rows, classes) or (rows,), and ``weights`` (sets, rows) of
counts, and gives one score per set: shape (sets,). A bootstrap of a score is one call. Scores that depend on the class
that a row is named as, and not on its probabilities, take the ``counts`` of what was named instead.
"""

from __future__ import annotations

import numpy as np

SMALLEST = 1e-7
"""Probabilities are held this far from 0 and 1, the resolution of a float32 softmax, so that log loss is finite."""


def row_log_loss(truth: np.ndarray, estimates: np.ndarray) -> np.ndarray:
    """Minus the log of the probability given to the true class, per row."""
    chosen = estimates[np.arange(len(truth)), truth]
    return -np.log(np.clip(chosen, SMALLEST, 1 - SMALLEST))


def log_loss(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _mean(row_log_loss(truth, estimates), weights)


def brier(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Squared error of the probabilities: of the second class for two classes, summed over classes for more."""
    if estimates.shape[1] == 2:
        return _mean((estimates[:, 1] - truth) ** 2, weights)
    return _mean(((estimates - np.eye(estimates.shape[1])[truth]) ** 2).sum(1), weights)


def counts(
    truth: np.ndarray, named: np.ndarray, weights: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the scores of named classes rest on: for each class (sets, classes) the rows of it that are named rightly,
    the rows that are named so, and the rows that are so.

    Args:
        named: the class that each row is named as (rows,).
    """
    codes = np.arange(classes)
    is_so, is_named = truth[:, None] == codes, named[:, None] == codes
    hits, all_named, size = (weights @ marks.astype(float) for marks in (is_so & is_named, is_named, is_so))
    return hits, all_named, size


def accuracy(hits: np.ndarray, named: np.ndarray, size: np.ndarray) -> np.ndarray:
    return hits.sum(1) / size.sum(1)


def balanced_accuracy(hits: np.ndarray, named: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Mean over the classes present of the share of their rows that is found."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _mean_over((hits / size).T)


def f1_macro(hits: np.ndarray, named: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Mean over the classes present of 2 TP / (2 TP + FP + FN)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _mean_over(np.where(size > 0, 2 * hits / (size + named), np.nan).T)


def f1(hits: np.ndarray, named: np.ndarray, size: np.ndarray) -> np.ndarray:
    """2 TP / (2 TP + FP + FN) of the second class; 0 where it is neither present nor named."""
    both = size[:, 1] + named[:, 1]
    return np.divide(2 * hits[:, 1], both, out=np.zeros_like(both), where=both > 0)


def roc_auc(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of the second class; for more classes the mean over classes of one against the rest."""
    if estimates.shape[1] == 2:
        return _area(truth == 1, estimates[:, 1], weights)
    return _mean_over(np.array([_area(truth == c, estimates[:, c], weights) for c in range(estimates.shape[1])]))


def average_precision(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum over thresholds of precision times the gain in recall, of the second class."""
    order = np.argsort(-estimates[:, 1], kind="stable")
    last = _last_of_ties(estimates[order, 1])
    hits = np.cumsum(weights[:, order] * (truth[order] == 1), axis=1)[:, last]
    named = np.cumsum(weights[:, order], axis=1)[:, last]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(named > 0, hits / named, 0.0)
        recall = hits / hits[:, -1:]
    return (precision * np.diff(recall, axis=1, prepend=0.0)).sum(1)


def rmse(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.sqrt(_mean((truth - estimates) ** 2, weights))


def mae(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _mean(np.abs(truth - estimates), weights)


def r2(truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One minus the squared error over that of the mean."""
    error = _mean((truth - estimates) ** 2, weights)
    mean = _mean(truth, weights)
    # Centred first: the difference of two large squares would lose the digits.
    centred = truth - truth.mean()
    variance = _mean(centred**2, weights) - (mean - truth.mean()) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(variance > 0, 1 - error / variance, np.nan)


def _mean(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ rows.astype(float) / weights.sum(1)


def _mean_over(found: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is defined; nan where nothing is."""
    known = ~np.isnan(found)
    count = known.sum(0)
    return np.where(count > 0, np.where(known, found, 0.0).sum(0) / np.maximum(count, 1), np.nan)


def _area(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    order = np.argsort(score, kind="stable")
    last = _last_of_ties(score[order])
    hits = np.cumsum(weights[:, order] * positive[order], axis=1)[:, last]
    misses = np.cumsum(weights[:, order] * ~positive[order], axis=1)[:, last]
    # Each positive beats the negatives below it and half of those it is tied with.
    gained = np.diff(hits, axis=1, prepend=0.0)
    tied = np.diff(misses, axis=1, prepend=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        area = (gained * (misses - tied / 2)).sum(1) / (hits[:, -1] * misses[:, -1])
    return area


def _last_of_ties(ordered: np.ndarray) -> np.ndarray:
    return np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
