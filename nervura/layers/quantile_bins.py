"""Numbers as their place among the quantiles of the training rows."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class QuantileBins(keras.layers.Layer):
    """Piecewise-linear encoding: for each bin between two quantiles, how far through it the number has come, 0 to 1.

    Shapes: float (batch, columns) -> float (batch, columns x bins).
    Source: Gorishniy et al., On Embeddings for Numerical Features in Tabular Deep Learning, NeurIPS 2022. Columns with
    fewer different values than bins keep their surplus bins at zero, so that all columns have one width.

    Args:
        bins: most bins per column.
    """

    def __init__(self, bins: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bins = bins

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (input_shape[-1], self.bins)
        self.low = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="low")
        self.slope = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="slope")

    def adapt(self, numbers: Any) -> None:
        """Takes the bins' edges from ``numbers``, the training rows (rows, columns)."""
        numbers = np.asarray(numbers, dtype="float64")
        low = np.zeros((numbers.shape[1], self.bins))
        slope = np.zeros_like(low)
        for i, column in enumerate(numbers.T):
            edges = np.unique(np.quantile(column, np.linspace(0, 1, self.bins + 1)))
            # Edges closer than float32 can tell apart would give a slope without meaning.
            edges = edges[np.append(True, np.diff(edges) > 1e-6)]
            low[i, : len(edges) - 1] = edges[:-1]
            slope[i, : len(edges) - 1] = 1 / np.diff(edges)
        self.low.assign(low)
        self.slope.assign(slope)

    def call(self, numbers: Any) -> Any:
        through = ops.clip((ops.expand_dims(numbers, -1) - self.low) * self.slope, 0.0, 1.0)
        return ops.reshape(through, (-1, self.low.shape[0] * self.bins))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], (input_shape[-1] or 0) * self.bins)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "bins": self.bins}
