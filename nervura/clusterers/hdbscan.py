"""HDBSCAN: dense places that thinner ones part, and rows that belong to none."""

from __future__ import annotations

import numpy as np

from nervura.clusterers.base import Clusterer, Nearest, numbered

SMALLEST, SMALLEST_SHARE = 5, 0.01
"""A cluster has at least so many rows, and at least this share of them."""


class Hdbscan(Clusterer):
    """Dense places that last longest as the density that counts as dense is raised; scikit-learn finds them.

    It finds out by itself how many there are, and leaves out rows in thin places: these are a group of their own here. New
    rows belong where the nearest known row does.

    Source: R. Campello, D. Moulavi and J. Sander, Density-Based Clustering Based on Hierarchical Density Estimates, 2013.
    """

    name = "hdbscan"
    summary = "dense places that thinner ones part, and rows that belong to none"
    fitted = Nearest

    def learn(self, rows: np.ndarray, clusters: int, seed: int) -> Nearest:
        from sklearn.cluster import HDBSCAN

        least = max(SMALLEST, round(SMALLEST_SHARE * len(rows)))
        # A copy is what scikit-learn does by itself up to 1.9; said, so that it does not warn.
        labels = HDBSCAN(min_cluster_size=min(least, max(2, len(rows) - 1)), copy=True).fit_predict(rows)
        return Nearest(np.asarray(rows, np.float32), numbered(labels), 1)
