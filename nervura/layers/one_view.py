"""One of several views of each row, by chance."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class OneView(keras.layers.Layer):
    """Of the views of a row, in training one that chance takes, otherwise the first.

    Shapes: (batch, views, ...) -> float (batch, ...).

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, views: Any, training: bool = False) -> Any:
        views = ops.cast(views, "float32")
        if not training or views.shape[1] == 1:
            return views[:, 0]
        shape = (ops.shape(views)[0], *[1] * (len(views.shape) - 1))
        chosen = keras.random.randint(shape, 0, views.shape[1], seed=self.draws)
        return ops.take_along_axis(views, chosen, axis=1)[:, 0]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], *input_shape[2:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
