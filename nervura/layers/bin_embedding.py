"""Numbers as learnt vectors that bend at the quantiles of the training rows."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.quantile_bins import QuantileBins


@keras.saving.register_keras_serializable(package="nervura")
class BinEmbedding(QuantileBins):
    """A vector for each number: linear in the number, plus one learnt step for each quantile bin that it has come through.

    The steps begin at zero, so that training begins with a linear embedding and bends it where the data ask for that.

    Shapes: (batch, columns) -> (groups, batch, columns x width); each group has vectors of its own.
    Source: the piecewise-linear embedding, version B, of TabM (Gorishniy et al., ICLR 2025; package
    rtdl_num_embeddings). The linear part takes the number as it is given.
    Beyond the outermost edges the steps stay as they are, where the paper's first and last go on as straight lines.

    Args:
        width: the length of the vector of each column.
        bins: most bins per column.
        groups: how many.
        seed: of the first linear parts, uniform within 1 / sqrt(width).
    """

    def __init__(
        self, width: int = 16, bins: int = 48, groups: int = 1, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(bins, **kwargs)
        self.width, self.groups, self.seed = width, groups, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        columns, wide = input_shape[-1], self.groups * self.width
        bound = self.width**-0.5
        start = keras.initializers.RandomUniform(-bound, bound, seed=self.seed)
        begin = keras.initializers.RandomUniform(-bound, bound, seed=None if self.seed is None else self.seed + 1)
        self.linear = self.add_weight(shape=(columns, 1, wide), initializer=start, name="linear")
        self.bias = self.add_weight(shape=(columns, 1, wide), initializer=begin, name="bias")
        self.steps = self.add_weight(shape=(columns, self.bins, wide), initializer="zeros", name="steps")

    def call(self, numbers: Any) -> Any:
        columns = self.low.shape[0]
        through = ops.clip((ops.expand_dims(numbers, -1) - self.low) * self.slope, 0.0, 1.0)
        by_column = ops.expand_dims(ops.transpose(numbers), -1)
        vectors = ops.matmul(ops.transpose(through, (1, 0, 2)), self.steps) + by_column * self.linear + self.bias
        apart = ops.reshape(vectors, (columns, -1, self.groups, self.width))
        return ops.reshape(ops.transpose(apart, (2, 1, 0, 3)), (self.groups, -1, columns * self.width))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (self.groups, input_shape[0], (input_shape[-1] or 0) * self.width)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "width": self.width, "groups": self.groups, "seed": self.seed}
