"""Which steps of a sequence are there."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class Present(keras.layers.Layer):
    """Which steps of a sequence are there: those of which a value is a number, or of tokens those that are not 0.

    Shapes: float (batch, length, channels) or int (batch, length) -> bool (batch, length).
    """

    def call(self, x: Any) -> Any:
        if len(x.shape) == 2:
            return ops.not_equal(x, 0)
        return ops.logical_not(ops.all(ops.isnan(x), axis=-1))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape[:2]

    def compute_output_spec(self, x: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(x.shape), dtype="bool")
