"""Values that are hidden at random in training."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class Masked(keras.layers.Layer):
    """In training, sets a share of the values to zero, each by chance; unlike dropout it does not scale up the rest.

    Shapes: float (batch, n) -> float (batch, n).

    Args:
        share: of the values.
        seed: of the draws.
    """

    def __init__(self, share: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share, self.seed = share, seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x
        return x * ops.cast(keras.random.uniform(ops.shape(x), seed=self.draws) >= self.share, x.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "share": self.share, "seed": self.seed}
