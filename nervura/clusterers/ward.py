"""Ward: pairs of groups are joined where that adds least to the squared distances within."""

from __future__ import annotations

import numpy as np

from nervura.clusterers.base import Clusterer, Nearest, numbered


class Ward(Clusterer):
    """Begins with every row alone and joins the two groups whose union adds least to the sum of squared distances from the
    means, until as many are left as are asked for; scikit-learn joins them. New rows belong where the nearest known row does.

    Source: J. H. Ward, Hierarchical Grouping to Optimize an Objective Function, 1963.
    """

    name = "ward"
    summary = "pairs of groups are joined, those first that are most alike"
    fitted = Nearest
    most = 5_000

    def learn(self, rows: np.ndarray, clusters: int, seed: int) -> Nearest:
        from sklearn.cluster import AgglomerativeClustering

        labels = AgglomerativeClustering(clusters).fit_predict(rows)
        return Nearest(np.asarray(rows, np.float32), numbered(labels), 1)
