"""Isolation forest: how few random cuts set a row apart."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.detectors.base import Detector, Fitted

TREES = 200


class IsolationForestFit(Fitted):
    """
    Args:
        starts: the number of each tree's root among all nodes (trees,).
        children: the two nodes below each node, of a leaf the leaf itself (nodes, 2).
        feature: the column that a node cuts (nodes,), 0 of a leaf.
        threshold: values up to it go to the first child (nodes,).
        depth: of a leaf, how many cuts set apart the rows in it on average (nodes,).
        usual: the mean of that over rows at random, ().
    """

    def __init__(
        self,
        starts: np.ndarray,
        children: np.ndarray,
        feature: np.ndarray,
        threshold: np.ndarray,
        depth: np.ndarray,
        usual: np.ndarray,
    ):
        self.starts, self.children, self.feature = starts, children, feature
        self.threshold, self.depth, self.usual = threshold, depth, usual

    def score(self, rows: np.ndarray) -> np.ndarray:
        # Trees are grown on values in single precision.
        values, every = rows.astype(np.float32), np.arange(len(rows))
        total = np.zeros(len(rows))
        for start in self.starts:
            node = np.full(len(rows), start)
            while True:
                right = values[every, self.feature[node]] > self.threshold[node]
                below = self.children[node, right.astype(np.int64)]
                if (below == node).all():
                    break
                node = below
            total += self.depth[node]
        return 2.0 ** (-total / (len(self.starts) * float(self.usual)))

    def arrays(self) -> dict[str, np.ndarray]:
        return dict(vars(self))

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Self:
        return cls(**arrays)


class IsolationForest(Detector):
    """Trees that cut random columns at random places; the fewer cuts set a row apart, the odder it is.

    Source: F. T. Liu et al., Isolation Forest, ICDM 2008; scikit-learn grows the trees, here twice as many as there.
    """

    name = "isolation_forest"
    summary = "how few random cuts set a row apart"
    fitted = IsolationForestFit

    def learn(self, rows: np.ndarray, seed: int) -> IsolationForestFit:
        from sklearn.ensemble import IsolationForest as Forest

        made = Forest(n_estimators=TREES, random_state=seed).fit(rows)
        starts, first = [], 0
        parts: dict[str, list[np.ndarray]] = {name: [] for name in ("children", "feature", "threshold", "depth")}
        for tree, columns in zip(made.estimators_, made.estimators_features_, strict=True):
            grown = tree.tree_
            leaf = grown.children_left < 0
            own = np.arange(grown.node_count)
            both = np.column_stack([grown.children_left, grown.children_right])
            starts.append(first)
            parts["children"].append(first + np.where(leaf[:, None], own[:, None], both))
            parts["feature"].append(np.asarray(columns)[np.where(leaf, 0, grown.feature)])
            parts["threshold"].append(grown.threshold)
            parts["depth"].append(_levels(both, leaf) + cuts(grown.n_node_samples))
            first += grown.node_count
        usual = np.asarray(cuts(np.array([made.max_samples_]))[0])
        joined = {name: np.concatenate(one) for name, one in parts.items()}
        return IsolationForestFit(np.array(starts), usual=usual, **joined)


def _levels(children: np.ndarray, leaf: np.ndarray) -> np.ndarray:
    """How far below the root each node is (nodes,); nodes stand behind those above them."""
    levels = np.zeros(len(leaf))
    for node in np.flatnonzero(~leaf):
        levels[children[node]] = levels[node] + 1
    return levels


def cuts(rows: np.ndarray) -> np.ndarray:
    """How many random cuts set one of so many rows apart, on average: equation 1 of the paper."""
    counted = np.asarray(rows, dtype=np.float64)
    many = np.maximum(counted, 3)
    found = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.select([counted <= 1, counted == 2], [0.0, 1.0], found)
