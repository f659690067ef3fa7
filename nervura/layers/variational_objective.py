"""Rows are to be rebuilt from codes that are drawn from near the standard normal."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.normal_draw import NormalDraw, divergence
from nervura.layers.rebuilding_objective import RebuildingObjective


class VariationalObjective(RebuildingObjective):
    """Makes small the error of the rebuilt row and how far its distribution of codes is from the standard normal.

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
        code = model.get_layer("code")
        spread = keras.layers.Dense(code.output.shape[-1], kernel_initializer=start, name="log_variance")
        drawn = NormalDraw(seed, name="drawn")
        super().__init__(model, pixels, [spread, drawn])
        self.weight, self.code, self.spread, self.drawn = weight, code, spread, drawn
        self.hidden = keras.Model(model.get_layer("given").output, code.input)
        self.decoder = keras.Model(code.output, model.get_layer("decoded").output)
        spread.build(code.input.shape)

    def row_losses(self, inputs: Any, training: bool) -> Any:
        given = self.giver(inputs)
        reached = self.hidden(given, training=training)
        mean, log_variance = self.code(reached), ops.clip(self.spread(reached), -20.0, 20.0)
        sums = self.decoder(self.drawn([mean, log_variance], training=training), training=training)
        return self.error(given, sums) + self.weight * divergence(mean, log_variance)
