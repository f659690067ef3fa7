"""Features scaled by learnt numbers."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="nervura")
class FeatureScale(keras.layers.Layer):
    """Each feature of each net times a learnt number that begins at 1: a soft choice of features.

    The number is stored divided by ``pace``, so that under Adam it moves that many times as fast as other weights.

    Shapes: (nets, batch, features) -> (nets, batch, features).
    Source: the scaling layer of RealMLP (Holzmüller et al., Better by Default, NeurIPS 2024).

    Args:
        pace: of the scales, beside that of the weights.
    """

    def __init__(self, pace: float = 6.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pace = pace

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        nets, _, features = input_shape
        start = keras.initializers.Constant(1 / self.pace)
        self.scale = self.add_weight(shape=(nets, 1, features), initializer=start, name="scale")

    def call(self, x: Any) -> Any:
        return x * (self.pace * self.scale)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pace": self.pace}
