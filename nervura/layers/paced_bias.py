"""A bias that learns faster or slower than the other weights of a network."""

from __future__ import annotations

from typing import Any

import keras

from nervura.layers.paced import Paced


@keras.saving.register_keras_serializable(package="nervura")
class PacedBias(keras.layers.Layer):
    """x + b, one number for each channel.

    Shapes: (..., channels) -> alike.

    Args:
        pace: the learning rate of the bias, beside that of other weights, under Adam; its square under SGD, where a
            factor before a weight enlarges both its gradient and its steps.
    """

    def __init__(self, pace: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pace = pace

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.bias = Paced(self, "bias", (input_shape[-1],), "zeros", self.pace)

    def call(self, x: Any) -> Any:
        return x + self.bias.value

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pace": self.pace}
