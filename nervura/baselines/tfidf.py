"""TF-IDF and logistic or ridge regression: the usual first model of texts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura.baselines.base import Baseline, Fitted, Rows, X, chosen, height, held_out, spread

if TYPE_CHECKING:
    from nervura.encoding import Tensor
    from nervura.problems.base import Problem

FILE = "tfidf.npz"
STRENGTHS = (3.0, 30.0, 300.0)
"""How little large weights cost, from the simplest model to the most free; the best on held-out rows is taken."""

MOST_STEPS = 100


class Tfidf(Baseline):
    """Logistic or ridge regression on the words of a text and pairs of them, weighted by TF-IDF (``nervura.texts``).

    Written as tfidf.npz: the weights.
    """

    name = "tfidf"
    summary = "TF-IDF of words and their pairs, and logistic or ridge regression, by scikit-learn"
    kind = "linear"
    simplicity = 1
    needs = "terms"

    def learn(self, problem: Problem, tensors: list[Tensor], rows: Rows, held: Rows | None, seed: int) -> TfidfFit:
        width = 1 + max(int(part[0]["terms"][..., 0].max(initial=0)) for part in (rows, held or rows))
        labels = rows[1] if problem.supervised_by == "classifier" else np.zeros(len(rows[1]), dtype=np.int64)
        if held is None and (folds := next(held_out(labels, seed), None)) is not None:
            kept, rest = folds
            stopping, learning = chosen(rows, rest), chosen(rows, kept)
        else:
            stopping, learning = held or rows, rows
        best: tuple[float, float] = (np.inf, STRENGTHS[0])
        for strength in STRENGTHS:
            fitted = self._fitted(problem, learning, width, strength)
            loss = float(problem.row_losses(stopping[1], fitted.estimates(stopping[0])).mean())
            if loss >= best[0]:
                break
            best = (loss, strength)
        return self._fitted(problem, rows, width, best[1])

    def _fitted(self, problem: Problem, rows: Rows, width: int, strength: float) -> TfidfFit:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression, Ridge

        x, y = matrix(rows[0], width), rows[1]
        if problem.supervised_by == "regressor":
            ridge = Ridge(1 / strength).fit(x, y)
            return TfidfFit(problem, ridge.coef_.reshape(1, -1), np.atleast_1d(ridge.intercept_))
        model = LogisticRegression(C=strength, max_iter=MOST_STEPS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x, y)
        return TfidfFit(problem, model.coef_, model.intercept_, np.unique(y))

    def load(self, folder: Path, problem: Problem, tensors: list[Tensor]) -> TfidfFit:
        with np.load(folder / FILE, allow_pickle=False) as kept:
            return TfidfFit(problem, kept["weights"], kept["intercept"], kept["classes"] if "classes" in kept else None)

    def seconds(self, rows: int, features: int, outputs: int) -> float:
        return 2.0 + rows * outputs / 5_000


def matrix(x: X, width: int) -> Any:
    """The weights of terms as a sparse matrix (rows, width); terms that were not learnt are left out."""
    from scipy.sparse import csr_matrix

    numbers, weights = x["terms"][..., 0].astype(np.int64), x["terms"][..., 1]
    rows, places = np.nonzero((numbers > 0) & (numbers < width))
    found = (weights[rows, places].astype(np.float64), (rows, numbers[rows, places]))
    return csr_matrix(found, shape=(height(x), width))


@dataclass(frozen=True)
class TfidfFit(Fitted):
    """Weights (outputs, terms) and intercept (outputs,); one output does for two classes."""

    problem: Problem
    weights: np.ndarray
    intercept: np.ndarray
    classes: np.ndarray | None = None

    def estimates(self, x: X, without: int | None = None) -> np.ndarray:
        from scipy.special import expit, softmax

        outputs = np.asarray(matrix(x, self.weights.shape[1]) @ self.weights.T) + self.intercept
        if self.classes is None:
            return outputs[:, 0]
        both = outputs.shape[1] == 1
        shares = np.hstack([expit(-outputs), expit(outputs)]) if both else softmax(outputs, axis=1)
        return spread(shares, self.classes, self.problem)

    def write(self, folder: Path) -> None:
        classes = {} if self.classes is None else {"classes": self.classes}
        np.savez(folder / FILE, allow_pickle=False, weights=self.weights, intercept=self.intercept, **classes)
