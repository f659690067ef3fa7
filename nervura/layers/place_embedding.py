"""A learnt vector for each place of a sequence, added to the step that stands there."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="nervura")
class PlaceEmbedding(keras.layers.Layer):
    """A learnt vector for each place, added to the step that stands there.

    Shapes: (batch, steps, width) -> alike.

    Args:
        seed: of the first vectors, normal with a deviation of 0.02.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        start = keras.initializers.RandomNormal(stddev=0.02, seed=self.seed)
        self.places = self.add_weight(shape=tuple(input_shape[1:]), initializer=start, name="places")

    def call(self, x: Any) -> Any:
        return x + self.places

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
