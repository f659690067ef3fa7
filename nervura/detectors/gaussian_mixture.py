"""Gaussian mixture: how thin the density of the rows is where a row lies."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.detectors.base import Detector, Fitted

COMPONENTS, ROWS_EACH = 5, 20
"""So many Gaussians at most, and so many rows at least for each."""

RIDGE = 1e-2
"""Added to each variance, in units of the columns' own."""


class GaussianMixtureFit(Fitted):
    """
    Args:
        weights: of the Gaussians (components,).
        means: their means (components, features).
        factors: Cholesky factors of their inverse covariances (components, features, features).
    """

    def __init__(self, weights: np.ndarray, means: np.ndarray, factors: np.ndarray):
        self.weights, self.means, self.factors = weights, means, factors

    def score(self, rows: np.ndarray) -> np.ndarray:
        from scipy.special import logsumexp

        parts = []
        for weight, mean, factor in zip(self.weights, self.means, self.factors, strict=True):
            away = (rows - mean) @ factor
            parts.append(np.log(weight) + np.log(np.diag(factor)).sum() - (away**2).sum(1) / 2)
        return rows.shape[1] / 2 * np.log(2 * np.pi) - logsumexp(parts, axis=0)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights, "means": self.means, "factors": self.factors}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(arrays["weights"], arrays["means"], arrays["factors"])


class GaussianMixture(Detector):
    """Minus the logarithm of the density of up to five Gaussians with full covariances; scikit-learn fits them.

    Source: A. P. Dempster et al., Maximum Likelihood from Incomplete Data via the EM Algorithm, 1977.
    """

    name = "gaussian_mixture"
    summary = "how thin the density of the rows is where a row lies"
    fitted = GaussianMixtureFit

    def learn(self, rows: np.ndarray, seed: int) -> GaussianMixtureFit:
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Mixture

        count = max(1, min(COMPONENTS, len(rows) // ROWS_EACH))
        with warnings.catch_warnings():
            # A few more rounds would change the ranks of no rows.
            warnings.simplefilter("ignore", ConvergenceWarning)
            made = Mixture(count, reg_covar=RIDGE, random_state=seed, max_iter=50).fit(rows)
        return GaussianMixtureFit(made.weights_, made.means_, made.precisions_cholesky_)
