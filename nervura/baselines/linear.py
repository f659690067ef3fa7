"""A linear model: scikit-learn's logistic or ridge regression."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura.baselines.base import (
    Baseline,
    Fitted,
    Rows,
    X,
    height,
    shares_graph,
    side_by_side,
    side_by_side_graph,
    spread,
    spread_graph,
)
from nervura.encoding import WORDS

if TYPE_CHECKING:
    from nervura.encoding import Tensor
    from nervura.onnx_graph import Value
    from nervura.problems.base import Problem

FILE = "linear.npz"
MOST_STEPS, LEAST_STEPS, MOST_WORK = 500, 50, 5e9
"""Steps of the solver, fewer where steps x rows x features x classes would be more than the last of them."""


class Linear(Baseline):
    """Logistic or ridge regression on standardised numbers and flags, one column per level, and the words of documents
    by how rare they are.

    Written as linear.npz: the means and spreads, the levels of each column, the weights.
    """

    name = "linear"
    summary = "logistic or ridge regression, by scikit-learn"
    kind = "linear"
    simplicity = 1

    def learn(self, problem: Problem, tensors: list[Tensor], rows: Rows, held: Rows | None, seed: int) -> LinearFit:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression, Ridge

        x, y = rows
        columns = Columns.of(tensors, x)
        design = columns.design(x)
        if problem.supervised_by == "regressor":
            ridge = Ridge(random_state=seed).fit(design, y)
            return LinearFit(problem, columns, ridge.coef_.reshape(1, -1), np.atleast_1d(ridge.intercept_))
        names = np.unique(y)
        steps = MOST_WORK / max(1, design.shape[0] * design.shape[1] * len(names))
        model = LogisticRegression(max_iter=int(np.clip(steps, LEAST_STEPS, MOST_STEPS)))
        with warnings.catch_warnings():
            # A linear model that stopped a little short of its optimum is still the linear baseline.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(design, y)
        return LinearFit(problem, columns, model.coef_, model.intercept_, names)

    def load(self, folder: Path, problem: Problem, tensors: list[Tensor]) -> LinearFit:
        with np.load(folder / FILE, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        levels = np.split(arrays["levels"], np.cumsum(arrays["levels_of_column"])[:-1])
        if not len(arrays["levels_of_column"]):
            levels = []
        columns = Columns(tensors, arrays["mean"], arrays["deviation"], levels)
        return LinearFit(problem, columns, arrays["weights"], arrays["intercept"], arrays.get("classes"))

    def seconds(self, rows: int, features: int, outputs: int) -> float:
        return 0.5 + rows * features * outputs / 1e6


ROWS_AT_ONCE = 20_000
"""A sparse matrix is made of so many rows at a time, since on the way several dense copies of them are held."""

SPARSE = ("categories", WORDS)
"""The tensors of which most values are zero, or become so."""


def rarity(weights: np.ndarray) -> np.ndarray:
    """The inverse document frequency of each word, (words,), by the weights (rows, words) of the training rows."""
    return 1 + np.log((1 + len(weights)) / (1.0 + (weights > 0).sum(0)))


@dataclass(frozen=True)
class Columns:
    """Numbers and flags standardised on the training rows, words times how rare they are there, and a sparse column for
    each code seen there."""

    tensors: list[Tensor]
    mean: np.ndarray
    deviation: np.ndarray
    levels: list[np.ndarray]

    @classmethod
    def of(cls, tensors: list[Tensor], x: X) -> Columns:
        values = side_by_side([tensor for tensor in tensors if tensor.name not in SPARSE], x)
        deviation = values.std(0)
        rare = [rarity(x[WORDS])] if WORDS in x else []
        return cls(
            tensors,
            np.concatenate([values.mean(0), *(np.zeros(len(one)) for one in rare)]),
            np.concatenate([np.where(deviation > 0, deviation, 1.0), *(1 / one for one in rare)]),
            [np.unique(codes) for codes in x.get("categories", np.empty((0, 0))).T],
        )

    def design(self, x: X) -> Any:
        """A sparse matrix (rows, numbers + flags + levels); a code that was not seen has no column."""
        from scipy.sparse import vstack

        parts = list(self.blocks(x))
        return parts[0] if len(parts) == 1 else vstack(parts, format="csr")

    def blocks(self, x: X) -> Iterator[Any]:
        """The same, so many rows at a time."""
        for start in range(0, max(1, height(x)), ROWS_AT_ONCE):
            yield self._block({name: values[start : start + ROWS_AT_ONCE] for name, values in x.items()})

    def _block(self, x: X) -> Any:
        from scipy.sparse import csr_matrix, hstack

        dense = side_by_side([tensor for tensor in self.tensors if tensor.name not in SPARSE], x)
        width = dense.shape[1]
        parts = [csr_matrix((dense - self.mean[:width]) / self.deviation[:width])]
        if WORDS in x:
            parts.append(csr_matrix(x[WORDS]).multiply(1 / self.deviation[width:]).tocsr())
        for levels, codes in zip(self.levels, x["categories"].T if self.levels else (), strict=True):
            place = np.minimum(np.searchsorted(levels, codes), len(levels) - 1)
            rows = np.flatnonzero(levels[place] == codes)
            parts.append(csr_matrix((np.ones(len(rows)), (rows, place[rows])), shape=(len(codes), len(levels))))
        return hstack(parts, format="csr")


@dataclass(frozen=True)
class LinearFit(Fitted):
    """Weights (outputs, columns) and intercept (outputs,); one output does for two classes."""

    problem: Problem
    columns: Columns
    weights: np.ndarray
    intercept: np.ndarray
    classes: np.ndarray | None = None

    def estimates(self, x: X, without: int | None = None) -> np.ndarray:
        from scipy.special import expit, softmax

        outputs = np.concatenate([block @ self.weights.T + self.intercept for block in self.columns.blocks(x)])
        if self.classes is None:
            return outputs[:, 0]
        if outputs.shape[1] == 1:
            shares = np.hstack([expit(-outputs), expit(outputs)])
        else:
            shares = softmax(outputs, axis=1)
        return spread(shares, self.classes, self.problem)

    def graph(self, x: dict[str, Value]) -> Value:
        columns, weights = self.columns, self.weights.T
        parts = []
        dense = [tensor for tensor in columns.tensors if tensor.name != "categories"]
        if dense:
            values = (side_by_side_graph(dense, x) - columns.mean) / columns.deviation
            parts.append(values @ weights[: len(columns.mean)])
        sizes = next((tensor.sizes for tensor in columns.tensors if tensor.name == "categories"), ())
        first = len(columns.mean)
        for place, (levels, size) in enumerate(zip(columns.levels, sizes, strict=True)):
            # What each code adds; a code that was not seen adds nothing.
            table = np.zeros((size, weights.shape[1]))
            table[levels] = weights[first : first + len(levels)]
            first += len(levels)
            codes = x["categories"].columns([place]).flat()
            parts.append(codes.op("Gather", table, codes, axis=0))
        outputs = sum(parts[1:], start=parts[0]) + self.intercept
        if self.classes is None:
            return outputs
        return spread_graph(shares_graph(outputs, weights.shape[1]), self.classes, self.problem)

    def write(self, folder: Path) -> None:
        columns = self.columns
        classes = {} if self.classes is None else {"classes": self.classes}
        np.savez(
            folder / FILE,
            allow_pickle=False,
            mean=columns.mean,
            deviation=columns.deviation,
            levels=np.concatenate([*columns.levels, np.empty(0, dtype=np.int32)]),
            levels_of_column=np.array([len(levels) for levels in columns.levels], dtype=np.int64),
            weights=self.weights,
            intercept=self.intercept,
            **classes,
        )
