"""Neighbouring moments of a series as one step."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class Patches(keras.layers.Layer):
    """Neighbouring moments side by side as one step, so that a long series has few of them.

    Shapes: float (batch, length, channels) -> (batch, length / size rounded up, size x channels).

    Args:
        size: moments of a step; what the last one lacks is NaN.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, x: Any) -> Any:
        _, steps, width = self.compute_output_shape(x.shape)
        lacking = steps * self.size - x.shape[1]
        if lacking:
            x = ops.pad(x, [[0, 0], [0, lacking], [0, 0]], constant_values=float("nan"))
        return ops.reshape(x, (-1, steps, width))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[Any, ...]:
        batch, length, channels = input_shape
        return (batch, -(-(length or 1) // self.size), self.size * (channels or 1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
