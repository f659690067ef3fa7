"""Values that in training are those of other rows."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class Swapped(keras.layers.Layer):
    """A share of the values of each row is replaced by those of another row of the batch; of pictures, squares of pixels.

    A value that is swapped in is one that the column has, so that only the other columns tell that it is wrong. Held-out
    rows have always the same places replaced, so that two epochs can be compared.

    Shapes: (batch, n) or (batch, height, width, channels) -> alike, of any type.
    Source: the swap noise of tables, and the corruption of Bahri et al., SCARF: Self-Supervised Contrastive Learning
    using Random Feature Corruption (ICLR 2022).

    Args:
        share: of the values.
        side: of the squares, in pixels.
        seed: of the draws.
    """

    def __init__(self, share: float, side: int = 1, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share, self.side, self.seed = share, side, seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, x: Any, training: bool = False) -> Any:
        rows = ops.shape(x)[0]
        places = x.shape[1:] if len(x.shape) == 2 else [-(-size // self.side) for size in x.shape[1:3]]
        seed = self.draws if training else self.seed
        swapped = keras.random.uniform((rows, *places), seed=seed) < self.share
        if len(x.shape) > 2:
            height, width = x.shape[1:3]
            swapped = ops.repeat(ops.repeat(swapped, self.side, 1), self.side, 2)[:, :height, :width, None]
        # The row before in a batch that is in random order is a random one.
        return ops.where(swapped, ops.roll(x, 1, axis=0), x)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "share": self.share, "side": self.side, "seed": self.seed}
