"""Two copies of each document, each with some of its words, and the loss by which their codes find each other."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class Thinned(keras.layers.Layer):
    """Two copies of rows, in each of which a share of the values is kept, by chance, and the others are zero.

    Out of training one copy has every second value and the other has the others, so that held-out rows are judged alike
    each time.

    Shapes: float (batch, n) -> two of (batch, n).

    Args:
        share: of the values that are kept.
        seed: of the draws.
    """

    def __init__(self, share: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share, self.seed = share, seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, rows: Any, training: bool = False) -> Any:
        if training:
            return tuple(rows * self._drawn(rows) for _ in range(2))
        even = ops.cast(ops.arange(rows.shape[-1]) % 2 == 0, rows.dtype)
        return rows * even, rows * (1 - even)

    def _drawn(self, rows: Any) -> Any:
        return ops.cast(keras.random.uniform(ops.shape(rows), seed=self.draws) < self.share, rows.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "share": self.share, "seed": self.seed}


def twins_loss(one: Any, other: Any, temperature: float) -> Any:
    """The cross-entropy with which each row of two matrices of codes finds its twin in the other by their cosines, (batch,).

    Source: the symmetric form of van den Oord et al., Representation Learning with Contrastive Predictive Coding (2018).
    """
    cosines = ops.matmul(ops.normalize(one, axis=-1), ops.transpose(ops.normalize(other, axis=-1))) / temperature
    both = ops.log_softmax(cosines, axis=-1) + ops.log_softmax(cosines, axis=0)
    return -0.5 * ops.diagonal(both)
