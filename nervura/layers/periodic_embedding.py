"""Numbers as learnt vectors of waves."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from nervura.layers.paced import Paced


@keras.saving.register_keras_serializable(package="nervura")
class PeriodicEmbedding(keras.layers.Layer):
    """Each number beside a learnt mix of cosines of it: concat(x, cos(2 pi w x + b) V + c).

    Shapes: (batch, columns) -> (nets, batch, columns x width); each net has waves of its own.
    Source: the "PBLD" embedding of RealMLP (Holzmüller et al., Better by Default, NeurIPS 2024), after Gorishniy et
    al., On Embeddings for Numerical Features, NeurIPS 2022.

    Args:
        width: the length of the vector of each column, the number itself included.
        waves: cosines of each column.
        deviation: of the first frequencies w, which are normal.
        nets: how many.
        pace: of all weights, beside that of other layers.
        seed: of the first weights.
    """

    def __init__(
        self,
        width: int = 4,
        waves: int = 16,
        deviation: float = 0.1,
        nets: int = 1,
        pace: float = 0.1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.width, self.waves, self.deviation = width, waves, deviation
        self.nets, self.pace, self.seed = nets, pace, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (self.nets, input_shape[-1])
        # An initialiser gives the same numbers whenever it is called: each weight has a seed of its own.
        seeds = [None if self.seed is None else self.seed + i for i in range(4)]
        normal = keras.initializers.RandomNormal(stddev=self.deviation, seed=seeds[0])
        circle = keras.initializers.RandomUniform(-math.pi, math.pi, seed=seeds[1])
        bound = self.waves**-0.5
        mix = keras.initializers.RandomUniform(-bound, bound, seed=seeds[2])
        begin = keras.initializers.RandomUniform(-bound, bound, seed=seeds[3])
        self.frequency = Paced(self, "frequency", (*shape, 1, self.waves), normal, self.pace)
        self.phase = Paced(self, "phase", (*shape, 1, self.waves), circle, self.pace)
        self.mix = Paced(self, "mix", (*shape, self.waves, self.width - 1), mix, self.pace)
        self.bias = Paced(self, "bias", (*shape, 1, self.width - 1), begin, self.pace)

    def call(self, numbers: Any) -> Any:
        columns = self.mix.start.shape[1]
        by_column = ops.expand_dims(ops.transpose(numbers), -1)
        waves = ops.cos(2 * math.pi * by_column * self.frequency.value + self.phase.value)
        mixed = ops.matmul(waves, self.mix.value) + self.bias.value
        same = ops.broadcast_to(by_column, (*mixed.shape[:2], ops.shape(by_column)[1], 1))
        vectors = ops.transpose(ops.concatenate([same, mixed], axis=-1), (0, 2, 1, 3))
        return ops.reshape(vectors, (self.nets, -1, columns * self.width))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (self.nets, input_shape[0], (input_shape[-1] or 0) * self.width)

    def get_config(self) -> dict[str, Any]:
        own = {
            "width": self.width,
            "waves": self.waves,
            "deviation": self.deviation,
            "nets": self.nets,
            "pace": self.pace,
            "seed": self.seed,
        }
        return {**super().get_config(), **own}
