"""Draws from normal distributions, and how far these are from the standard one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class NormalDraw(keras.layers.Layer):
    """A draw from normals with given means and logarithms of variances, through which gradients pass; their means where
    nothing is learnt.

    Shapes: two of (batch, n) -> (batch, n).

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(self, both: list[Any], training: bool = False) -> Any:
        mean, log_variance = both
        if not training:
            return mean
        return mean + ops.exp(0.5 * log_variance) * keras.random.normal(
            ops.shape(mean), dtype=mean.dtype, seed=self.draws
        )

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


def divergence(mean: Any, log_variance: Any) -> Any:
    """The Kullback-Leibler divergence of normals from the standard one, summed over their dimensions: (batch,).

    Source: appendix B of Kingma and Welling, Auto-Encoding Variational Bayes (ICLR 2014).
    """
    return 0.5 * ops.sum(ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0, axis=-1)
