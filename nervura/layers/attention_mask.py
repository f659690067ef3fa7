"""Which steps of a sequence may be looked at."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class AttentionMask(keras.layers.Layer):
    """Which steps may be looked at, alike for all steps that look; where none is there the first may be, so that shares are
    numbers.

    Shapes: bool (batch, steps) -> bool (batch, 1, steps).
    """

    def call(self, present: Any) -> Any:
        none = ops.logical_not(ops.any(present, axis=1, keepdims=True))
        first = ops.arange(present.shape[1]) == 0
        return ops.expand_dims(ops.logical_or(present, ops.logical_and(none, first)), 1)

    def compute_output_spec(self, present: Any) -> Any:
        return keras.KerasTensor((present.shape[0], 1, present.shape[1]), dtype="bool")
