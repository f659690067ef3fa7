"""Zeros in the place of what is not there."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class ZeroFilled(keras.layers.Layer):
    """Zeros in the place of values that are not there.

    Shapes: float (batch, length, channels), NaN beyond the end -> alike, without NaN.
    """

    def call(self, x: Any) -> Any:
        return ops.where(ops.isnan(x), ops.zeros_like(x), x)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
