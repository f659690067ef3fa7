"""k-means: the nearest of a few centres."""

from __future__ import annotations

import numpy as np

from nervura.clusterers.base import Clusterer, Gaussians


class KMeans(Clusterer):
    """Centres that are the means of the rows nearest to them; scikit-learn finds them.

    A row's probabilities are those of Gaussians around the centres that are alike in all directions and of one size.

    Source: S. Lloyd, Least Squares Quantization in PCM, 1982; D. Arthur and S. Vassilvitskii, k-means++, 2007.
    """

    name = "k_means"
    summary = "the nearest of a few centres"
    fitted = Gaussians
    most = 50_000

    def learn(self, rows: np.ndarray, clusters: int, seed: int) -> Gaussians:
        from sklearn.cluster import KMeans as Means

        made = Means(clusters, n_init=10, random_state=seed).fit(rows)
        spread = max(made.inertia_ / rows.size, 1e-12)
        factors = np.tile(np.eye(rows.shape[1]) / np.sqrt(spread), (clusters, 1, 1))
        centres = np.asarray(made.cluster_centers_, dtype=np.float64)
        return Gaussians(np.full(clusters, 1 / clusters), centres, factors, np.arange(clusters))
