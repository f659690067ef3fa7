"""What a network is trained by that is to rebuild pictures from moved ones."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.moved import Moved
from nervura.layers.rebuilding_objective import RebuildingObjective


class MovingObjective(RebuildingObjective):
    """How far pictures are from what a network rebuilds of them while it sees them shifted.

    Args:
        shift: the longest, in pixels.
        pixels: as for ``rebuilding_loss``.
        seed: of the shifts.
    """

    def __init__(self, model: keras.Model, shift: int, pixels: str = "squared_error", seed: int = 0) -> None:
        super().__init__(model, pixels)
        self.shift, self.moved = shift, Moved(False, shift, seed, name="moved")
        self.moved.build(model.inputs[0].shape)
        self.others = [self.moved]

    def __call__(self, inputs: Any, training: bool, phase: str) -> Any:
        if not training:
            return super().__call__(inputs, training, phase)
        given = self.giver(inputs)
        shown = ops.reshape(self.moved(inputs["pictures"], training=True), ops.shape(given)) / 255
        return self.error(given, self.coder(shown, training=True)[1])
