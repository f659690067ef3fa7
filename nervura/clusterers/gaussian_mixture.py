"""Gaussian mixture: one Gaussian for each cluster."""

from __future__ import annotations

import numpy as np

from nervura.clusterers.base import Clusterer, Gaussians

RIDGE = 1e-3
"""Added to each variance, in units of the columns' own."""

BEGINNINGS, WIDE = 3, 30
"""Fits begin so often anew; of rows with more values than the second of these once, since each takes long."""


class GaussianMixture(Clusterer):
    """A Gaussian with a covariance of its own for each cluster; scikit-learn fits them.

    Source: A. P. Dempster et al., Maximum Likelihood from Incomplete Data via the EM Algorithm, 1977.
    """

    name = "gaussian_mixture"
    summary = "one Gaussian for each cluster"
    fitted = Gaussians

    def learn(self, rows: np.ndarray, clusters: int, seed: int) -> Gaussians:
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture as Fit

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            beginnings = 1 if rows.shape[1] > WIDE else BEGINNINGS
            made = Fit(clusters, reg_covar=RIDGE, n_init=beginnings, random_state=seed)
            made.fit(np.asarray(rows, np.float64))
        return Gaussians(made.weights_, made.means_, made.precisions_cholesky_, np.arange(clusters))
