"""Sums with a bias each, as outputs."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="nervura")
class Shifted(keras.layers.Layer):
    """Sums with a bias each, and an activation: the end of a full connection.

    Shapes: (batch, units) -> alike.

    Args:
        activation: what an output does with its sum.
    """

    def __init__(self, activation: str = "linear", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, x: Any) -> Any:
        return self.activation(x + self.bias)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": keras.activations.serialize(self.activation)}
