"""One-class support vector machine: a smooth surface around most of the rows."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.detectors.base import Detector, Fitted

ROWS_AT_ONCE = 2_000


class OneClassSvmFit(Fitted):
    """
    Args:
        vectors: the support vectors (vectors, features).
        weights: of each of them (vectors,).
        gamma: one over the square of the kernel's width, ().
    """

    def __init__(self, vectors: np.ndarray, weights: np.ndarray, gamma: np.ndarray):
        self.vectors, self.weights, self.gamma = vectors, weights, gamma

    def score(self, rows: np.ndarray) -> np.ndarray:
        from sklearn.metrics.pairwise import rbf_kernel

        parts = [
            -rbf_kernel(rows[start : start + ROWS_AT_ONCE], self.vectors, float(self.gamma)) @ self.weights
            for start in range(0, len(rows), ROWS_AT_ONCE)
        ]
        return np.concatenate([np.empty(0), *parts])

    def arrays(self) -> dict[str, np.ndarray]:
        return {"vectors": self.vectors, "weights": self.weights, "gamma": np.asarray(self.gamma)}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["vectors"], arrays["weights"], arrays["gamma"])


class OneClassSvm(Detector):
    """The distance outside a surface that holds most rows, with Gaussian kernels of scikit-learn's usual width.

    Source: B. Scholkopf et al., Estimating the Support of a High-Dimensional Distribution, Neural Computation 2001.
    """

    name = "one_class_svm"
    summary = "a smooth surface around most of the rows"
    fitted = OneClassSvmFit
    most = 5_000

    def learn(self, rows: np.ndarray, seed: int) -> OneClassSvmFit:
        from sklearn.svm import OneClassSVM

        gamma = 1 / (rows.shape[1] * max(float(rows.var()), 1e-12))
        made = OneClassSVM(gamma=gamma).fit(rows)
        return OneClassSvmFit(np.asarray(made.support_vectors_), made.dual_coef_[0], np.asarray(gamma))
