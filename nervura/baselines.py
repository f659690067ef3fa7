"""What a network is judged beside and Keras is not needed for: the constant guess, a linear model and boosted trees.

Each learns from the encoded tensors and the truth of the training rows (class codes, or values in the target's units)
and gives estimates in the problem's form: probabilities of all its classes, or values.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nervura.encoding import Tensor
    from nervura.problems.base import Problem

MOST_TREE_CODES = 255
"""Scikit-learn's trees split freely among up to this many codes; more are taken as ranks of frequency."""

MOST_TREES = 500
"""More rounds of boosting than this are not tried; with several classes, each of which is a tree a round, fewer."""

MANY_ROWS = 10_000
"""From this many rows trees are grown on all cores."""

FEW_ROWS = 2_000
"""Up to this many rows the number of rounds is found on five folds, since one small sample of rows says little."""


class Baseline(Protocol):
    """Something fitted that gives estimates for encoded rows."""

    def estimates(self, x: dict[str, np.ndarray]) -> np.ndarray: ...


@dataclass(frozen=True)
class Constant:
    """The same guess for every row."""

    problem: Problem
    truth: np.ndarray

    def estimates(self, x: dict[str, np.ndarray]) -> np.ndarray:
        return self.problem.constant(self.truth, _height(x))


@dataclass(frozen=True)
class Fitted:
    """A scikit-learn model with the tensors that it reads; ``rounds`` is the number of boosting rounds, if any."""

    problem: Problem
    tensors: list[Tensor]
    model: Any
    encoder: Any = None
    rounds: int = 0

    def estimates(self, x: dict[str, np.ndarray]) -> np.ndarray:
        design = _side_by_side(self.tensors, x) if self.encoder is None else self.encoder.transform(x)
        if self.problem.supervised_by == "regressor":
            return np.asarray(self.model.predict(design), dtype=np.float64)
        shares = np.zeros((_height(x), len(self.problem.coding["classes"])))
        # A class without a training row has no column in scikit-learn, and no chance here.
        shares[:, self.model.classes_] = self.model.predict_proba(design)
        return shares / shares.sum(1, keepdims=True)


def constant(problem: Problem, y_train: np.ndarray) -> Constant:
    """The mean, or the classes' shares, of the training target."""
    return Constant(problem, y_train)


def boosting(
    problem: Problem,
    tensors: list[Tensor],
    x_train: dict[str, np.ndarray],
    y_train: np.ndarray,
    seed: int = 0,
    most_rows: int = 200_000,
) -> Baseline:
    """Scikit-learn's histogram gradient boosting, with the number of rounds found on rows held out of the training rows.

    The model is then fitted to all of them with that many rounds. Of more than ``most_rows`` rows, a sample is used.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    x_train, y_train = _sample(x_train, y_train, seed, most_rows)
    classes = problem.supervised_by == "classifier"
    if not _varies(y_train):
        return constant(problem, y_train)
    design = _side_by_side(tensors, x_train)
    names = np.unique(y_train) if classes else np.zeros(1)
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    options: dict[str, Any] = {"categorical_features": _categorical(tensors), "random_state": seed}
    most_rounds = MOST_TREES if len(names) <= 2 else max(20, 3 * MOST_TREES // len(names))
    found = []
    # Of few rows, threads spend longer waiting for each other than working, and on a busy machine far longer.
    with threadpool_limits(1 if len(y_train) < MANY_ROWS else None, "openmp"):
        for kept, held in _folds(y_train if classes else np.zeros(len(y_train), int), seed):
            trial = kind(max_iter=most_rounds, early_stopping=True, **options)
            trial.fit(design[kept], y_train[kept], X_val=design[held], y_val=y_train[held])
            found.append(int(np.argmax(trial.validation_score_)))
        rounds = max(1, int(np.median(found))) if found else 20
        model = kind(max_iter=rounds, early_stopping=False, **options).fit(design, y_train)
    return Fitted(problem, tensors, model, rounds=rounds)


def linear(
    problem: Problem,
    tensors: list[Tensor],
    x_train: dict[str, np.ndarray],
    y_train: np.ndarray,
    seed: int = 0,
    most_rows: int = 200_000,
) -> Baseline:
    """Logistic or ridge regression on standardised numbers and flags and one column per level."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    x_train, y_train = _sample(x_train, y_train, seed, most_rows)
    if not _varies(y_train):
        return constant(problem, y_train)
    encoder = _OneHot(tensors, x_train)
    model = LogisticRegression(max_iter=500) if problem.supervised_by == "classifier" else Ridge(random_state=seed)
    with warnings.catch_warnings():
        # A linear model that stopped a little short of its optimum is still the linear baseline.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(encoder.transform(x_train), y_train)
    return Fitted(problem, tensors, model, encoder)


class _OneHot:
    """Numbers and flags standardised on the training rows, and a sparse column for each code seen there."""

    def __init__(self, tensors: list[Tensor], x: dict[str, np.ndarray]):
        from sklearn.preprocessing import OneHotEncoder

        self.dense = [tensor for tensor in tensors if tensor.name != "categories"]
        self.sparse = [tensor for tensor in tensors if tensor.name == "categories"]
        values = _side_by_side(self.dense, x)
        self.mean = values.mean(0)
        spread = values.std(0)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.levels = OneHotEncoder(handle_unknown="ignore")
        if self.sparse:
            self.levels.fit(_side_by_side(self.sparse, x))

    def transform(self, x: dict[str, np.ndarray]) -> Any:
        from scipy.sparse import csr_matrix, hstack

        parts = []
        if self.dense:
            parts.append(csr_matrix((_side_by_side(self.dense, x) - self.mean) / self.spread))
        if self.sparse:
            parts.append(self.levels.transform(_side_by_side(self.sparse, x)))
        return hstack(parts, format="csr")


def _side_by_side(tensors: list[Tensor], x: dict[str, np.ndarray]) -> np.ndarray:
    parts = [x[tensor.name] for tensor in tensors]
    return np.hstack(parts).astype(np.float64) if parts else np.zeros((_height(x), 0))


def _categorical(tensors: list[Tensor]) -> np.ndarray:
    """Which columns are codes that trees may regroup; the codes of a long list of levels are in order of frequency."""
    marks = [
        size <= MOST_TREE_CODES
        for tensor in tensors
        for size in (tensor.sizes if tensor.name == "categories" else (MOST_TREE_CODES + 1,) * tensor.width)
    ]
    return np.array(marks, dtype=bool)


def _sample(
    x: dict[str, np.ndarray], y: np.ndarray, seed: int, most_rows: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    if len(y) <= most_rows:
        return x, y
    chosen = np.sort(np.random.default_rng(seed).choice(len(y), most_rows, replace=False))
    return {name: values[chosen] for name, values in x.items()}, y[chosen]


def _folds(labels: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs (kept, held out) of row numbers: five of few rows, one of many; a rare class is never held out.

    Scikit-learn's own early stopping fails on a class with one row.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    # Dealing out the rows of each class in turn stratifies; a class with fewer than five rows is never held out.
    dealt = order[np.argsort(labels[order], kind="stable")]
    fold = np.arange(len(labels)) % 5
    fold[np.bincount(labels)[labels[dealt]] < 5] = -1
    for number in range(5 if len(labels) <= FEW_ROWS else 1):
        held = np.sort(dealt[fold == number])
        if len(held):
            yield np.sort(dealt[fold != number]), held


def _varies(y: np.ndarray) -> bool:
    return bool((y != y[0]).any())


def _height(x: dict[str, np.ndarray]) -> int:
    return len(next(iter(x.values())))
