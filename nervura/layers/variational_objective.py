"""What an autoencoder is trained by whose codes are drawn from near the standard normal."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.normal_draw import NormalDraw, divergence
from nervura.layers.rebuilding_objective import RebuildingObjective


class VariationalObjective(RebuildingObjective):
    """The error of the rebuilt row, and how far its distribution of codes is from the standard normal.

    Args:
        weight: of the second part.
        pixels: as for ``rebuilding_loss``.
        seed: of the codes that are drawn.
        start: how the weights of the variances begin.
    """

    def __init__(
        self,
        model: keras.Model,
        weight: float = 1.0,
        pixels: str = "cross_entropy",
        seed: int = 0,
        start: Any = "glorot_uniform",
    ) -> None:
        super().__init__(model, pixels)
        self.weight, self.code = weight, model.get_layer("code")
        self.spread = keras.layers.Dense(self.code.output.shape[-1], kernel_initializer=start, name="log_variance")
        self.drawn = NormalDraw(seed, name="drawn")
        self.hidden = keras.Model(model.get_layer("given").output, self.code.input)
        self.decoder = keras.Model(self.code.output, model.get_layer("decoded").output)
        self.spread.build(self.code.input.shape)
        self.others = [self.spread, self.drawn]

    def __call__(self, inputs: Any, training: bool, phase: str) -> Any:
        given = self.giver(inputs, training=training)
        reached = self.hidden(given, training=training)
        mean, log_variance = self.code(reached), ops.clip(self.spread(reached), -20.0, 20.0)
        sums = self.decoder(self.drawn([mean, log_variance], training=training), training=training)
        mean, log_variance = ops.cast(mean, "float32"), ops.cast(log_variance, "float32")
        return self.error(given, sums) + self.weight * divergence(mean, log_variance)
