"""What a network is trained by that is to rebuild its rows."""

from __future__ import annotations

from typing import Any

import keras

from nervura.layers.given import halves_of
from nervura.layers.row_loss import rebuilding_loss


class RebuildingObjective:
    """How far rows are from what a network rebuilds of them, (batch,).

    Called with the network's inputs, whether it is trained, and the name of the phase. What a subclass is told beside the
    model it keeps under the name of the argument.

    Args:
        pixels: as for ``rebuilding_loss``.

    Attributes:
        others: layers with variables that the objective uses and the model does not have.
    """

    def __init__(self, model: keras.Model, pixels: str = "squared_error") -> None:
        self.pixels, self.blocks = pixels, model.get_layer("rebuilt").blocks
        self.giver, self.coder = halves_of(model)
        self.others: list[keras.layers.Layer] = []

    def __call__(self, inputs: Any, training: bool, phase: str) -> Any:
        given = self.giver(inputs, training=training)
        _, sums = self.coder(self.shown(given, training), training=training)
        return self.error(given, sums)

    def shown(self, given: Any, training: bool) -> Any:
        """What the network sees of given rows (batch, width); by default all."""
        return given

    def error(self, given: Any, sums: Any) -> Any:
        """How far rows are from what is rebuilt of a decoder's sums, (batch,)."""
        return rebuilding_loss(given, sums, self.blocks, self.pixels)
