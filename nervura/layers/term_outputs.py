"""An output layer on the terms of a text, whose first weights are computed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

STRENGTHS = (3.0, 30.0, 300.0)
"""How little large weights cost, from the simplest model to the most free."""

MOST_TRIED, MOST_STEPS = 5_000, 100


@keras.saving.register_keras_serializable(package="nervura")
class TermOutputs(keras.layers.Layer):
    """A full connection from as many inputs as there are terms, of which a text has few, begun at the logistic or ridge
    regression of the target on the weights of the terms.

    How much large weights cost is chosen by every fifth of the rows, which the regressions for it do not see. Before
    ``solve`` all weights are zero.

    Shapes: (batch, terms of a text, 2), numbers and weights -> (batch, units).

    Args:
        terms: how many numbers there are, 0 included, which stands for none.
        units: outputs.
        activation: ``softmax``, ``sigmoid`` or ``linear``, which tells classes from values.
    """

    most_solved = 50_000
    """Its weights are computed from at most so many rows."""

    def __init__(self, terms: int, units: int, activation: str = "linear", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.terms, self.units = terms, units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.table = self.add_weight(shape=(self.terms, self.units), initializer="zeros", name="table")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def solve(self, rows: Any, target: Any, folds: Any = None) -> None:
        """Computes the weights from terms (rows, terms of a text, 2) and codes of classes, or values (rows,)."""
        from scipy.sparse import csr_matrix

        rows, target = np.asarray(rows), np.asarray(target)
        numbers = rows[..., 0].astype(np.int64)
        at, places = np.nonzero(numbers)
        found = (rows[at, places, 1].astype(np.float64), (at, numbers[at, places]))
        x = csr_matrix(found, shape=(len(rows), self.terms))
        classes = self.activation.__name__ != "linear"
        y = target.astype(np.int64) if classes else target.astype(np.float64)
        if (y == y[0]).all():
            return
        some = np.arange(0, len(y), max(1, -(-len(y) // MOST_TRIED)))
        kept, held = some[np.arange(len(some)) % 5 > 0], some[::5]
        losses = [self._loss(self._regression(x[kept], y[kept], one), x[held], y[held]) for one in STRENGTHS]
        model = self._regression(x, y, STRENGTHS[int(np.argmin(losses))])
        table, bias = np.zeros(self.table.shape), np.zeros(self.units)
        weights, start = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
        if classes and self.units > 1:
            own = np.unique(y)
            if len(weights) == 1:  # one logit tells two classes
                weights, start = np.vstack([-weights, weights]) / 2, np.array([-start[0], start[0]]) / 2
            # A class without a row has next to no chance.
            bias[:] = start.min() - 10
            table[:, own], bias[own] = weights.T, start
        else:
            table, bias = weights.T, start
        self.table.assign(table)
        self.bias.assign(bias)

    def _regression(self, x: Any, y: np.ndarray, strength: float) -> Any:
        import warnings

        from sklearn.dummy import DummyClassifier
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression, Ridge

        if self.activation.__name__ == "linear":
            return Ridge(1 / strength).fit(x, y)
        if (y == y[0]).all():
            return DummyClassifier().fit(x, y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return LogisticRegression(C=strength, max_iter=MOST_STEPS).fit(x, y)

    def _loss(self, model: Any, x: Any, y: np.ndarray) -> float:
        if self.activation.__name__ == "linear":
            return float(np.square(model.predict(x) - y).mean())
        shares, places = model.predict_proba(x), np.searchsorted(model.classes_, y)
        places = np.minimum(places, len(model.classes_) - 1)
        chances = np.where(model.classes_[places] == y, shares[np.arange(len(y)), places], 0.0)
        return float(-np.log(np.maximum(chances, 1e-6)).mean())

    def call(self, x: Any) -> Any:
        numbers, weights = ops.cast(x[..., 0], "int32"), ops.cast(x[..., 1], self.compute_dtype)
        vectors = ops.take(self.table, numbers, axis=0)
        return self.activation(ops.squeeze(ops.matmul(ops.expand_dims(weights, 1), vectors), 1) + self.bias)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        own = {"terms": self.terms, "units": self.units}
        return {**super().get_config(), **own, "activation": keras.activations.serialize(self.activation)}
