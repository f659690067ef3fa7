"""An output layer whose first weights are computed: ridge regression, for each group of rows."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

PENALTIES = np.logspace(-3, 5, 17)
SHARPEST = np.logspace(-1, 2, 61)
"""What sums are multiplied by to become the logits of probabilities, from the flattest to the sharpest."""


@keras.saving.register_keras_serializable(package="nervura")
class RidgeMembers(keras.layers.Layer):
    """A full connection for each group, begun at the ridge regression of the target on the features.

    Classes are told by a regression each on 1 and -1. The penalty is the one under which rows are answered best that a
    regression has not seen, which leaving out one row at a time tells exactly; so are the sums turned into logits. Group f
    is fitted without the rows of fold f. Before ``solve`` all weights are zero.

    Shapes: (batch, features) -> (batch, groups, units).

    Args:
        units: outputs.
        groups: of rows.
        activation: ``softmax``, ``sigmoid`` or ``linear``, which tells classes from values.
    """

    def __init__(self, units: int, groups: int = 1, activation: str = "linear", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.groups = units, groups
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (self.groups, input_shape[-1], self.units)
        self.kernel = self.add_weight(shape=shape, initializer="zeros", name="kernel")
        self.bias = self.add_weight(shape=(self.groups, self.units), initializer="zeros", name="bias")

    def solve(self, rows: Any, target: Any, folds: Any = None) -> None:
        """Computes the weights.

        Args:
            rows: features of the rows to learn from (rows, features).
            target: codes of classes, or values (rows,).
            folds: the fold of each row (rows,), where there are several groups.
        """
        rows, target = np.asarray(rows, dtype="float64"), np.asarray(target)
        kind = self.activation.__name__
        classes = {"softmax": self.units, "sigmoid": 2}.get(kind, 0)
        kernel, bias = np.zeros(self.kernel.shape), np.zeros(self.bias.shape)
        for group in range(self.groups):
            kept = np.ones(len(rows), bool) if folds is None or self.groups == 1 else np.asarray(folds) != group
            weights, start = ridge(rows[kept], target[kept], classes)
            if kind == "sigmoid":  # the logit of the second class, of sums that are each other's negative
                weights, start = weights[:, 1:] - weights[:, :1], start[1:] - start[:1]
            kernel[group], bias[group] = weights, start
        self.kernel.assign(kernel)
        self.bias.assign(bias)

    def call(self, x: Any) -> Any:
        made = ops.einsum("bf,gfu->bgu", x, self.kernel) + self.bias
        return self.activation(made)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.groups, self.units)

    def get_config(self) -> dict[str, Any]:
        own = {"units": self.units, "groups": self.groups}
        return {**super().get_config(), **own, "activation": keras.activations.serialize(self.activation)}


def ridge(rows: np.ndarray, target: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (features, outputs) and intercepts (outputs,): logits of the classes, or values where there are none."""
    codes = target.astype(int)
    wanted = np.eye(classes)[codes] * 2 - 1 if classes else target.reshape(-1, 1).astype("float64")
    centre, middle = rows.mean(0), wanted.mean(0)
    inner, outer = rows - centre, wanted - middle
    # There are more features than rows: what rows have in common tells all.
    spectrum, axes = np.linalg.eigh(inner @ inner.T)
    spectrum = np.maximum(spectrum, 0.0)
    along = axes.T @ outer
    best: tuple[float, float, float] = (np.inf, 1.0, 1.0)
    scale = max(1e-12, float(spectrum.mean()))
    for penalty in PENALTIES * scale:
        shares = 1 / (spectrum + penalty)
        errors = (axes @ (along * shares[:, None])) / np.maximum(1e-12, (axes**2) @ shares)[:, None]
        unseen = wanted - errors
        loss, sharp = _loss(unseen, wanted, codes, classes)
        if loss < best[0]:
            best = (loss, float(penalty), sharp)
    _, penalty, sharp = best
    weights = inner.T @ (axes @ (along / (spectrum + penalty)[:, None]))
    return weights * sharp, (middle - centre @ weights) * sharp


def _loss(unseen: np.ndarray, wanted: np.ndarray, codes: np.ndarray, classes: int) -> tuple[float, float]:
    """The loss of estimates of unseen rows and, of classes, what sums are best multiplied by to be logits."""
    if not classes:
        return float(np.square(unseen - wanted).mean()), 1.0
    # Few rows cannot tell that a class is certain, so a row's truth is held to be a little less than that.
    doubt = 1 / (len(codes) + 2)
    truth = np.eye(classes)[codes] * (1 - doubt) + doubt / classes
    found = (np.inf, 1.0)
    for sharp in SHARPEST:
        logits = unseen * sharp
        logits = logits - logits.max(1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(1, keepdims=True))
        found = min(found, (float(-(truth * logits).sum(1).mean()), float(sharp)))
    return found
