"""Numbers in units of their own deviation."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class StandardScale(keras.layers.Layer):
    """(x - mean) / deviation, each feature by its own over the training rows, held within ``limit``.

    A feature that does not vary keeps its own unit, so that a change of it shows.

    Shapes: float (batch, n) -> float (batch, n).

    Args:
        limit: the bound, in deviations: no wild value is to outweigh all others.
    """

    def __init__(self, limit: float = 10.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.factor = self.add_weight(shape=shape, initializer="ones", trainable=False, name="factor")

    def adapt(self, rows: Any) -> None:
        """Takes means and deviations from ``rows``, the training rows (rows, n)."""
        rows = np.asarray(rows, dtype="float64")
        deviation = rows.std(0)
        self.mean.assign(rows.mean(0))
        self.factor.assign(np.divide(1.0, deviation, out=np.ones_like(deviation), where=deviation > 1e-12))

    def call(self, numbers: Any) -> Any:
        return ops.clip((numbers - self.mean) * self.factor, -self.limit, self.limit)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "limit": self.limit}
