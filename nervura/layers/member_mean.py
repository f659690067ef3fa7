"""What the members answer together."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class MemberMean(keras.layers.Layer):
    """What the members answer together: the mean of their values or probabilities.

    Shapes: (batch, members, units) -> (batch, units).
    """

    def call(self, x: Any) -> Any:
        return ops.mean(x, axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], input_shape[-1])
