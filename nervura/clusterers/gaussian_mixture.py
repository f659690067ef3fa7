"""Gaussian mixture: one Gaussian for each cluster."""

from __future__ import annotations

import numpy as np

from nervura.clusterers import base

RIDGE = 1e-3
"""Added to each variance, in units of the columns' own."""


class GaussianMixture(base.Clusterer):
    """A Gaussian with a covariance of its own for each cluster; scikit-learn fits them, from three beginnings.

    Source: A. P. Dempster et al., Maximum Likelihood from Incomplete Data via the EM Algorithm, 1977.
    """

    name = "gaussian_mixture"
    summary = "one Gaussian for each cluster"
    fitted = base.Mixture

    def learn(self, rows: np.ndarray, clusters: int, seed: int) -> base.Mixture:
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Gaussians

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            made = Gaussians(clusters, reg_covar=RIDGE, n_init=3, random_state=seed).fit(np.asarray(rows, np.float64))
        return base.Mixture(made.weights_, made.means_, made.precisions_cholesky_, np.arange(clusters))
