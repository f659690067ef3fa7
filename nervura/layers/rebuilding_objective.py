"""Rows are to be rebuilt well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from nervura.layers.given import halves_of
from nervura.layers.row_loss import OwnObjective, rebuilding_loss


class RebuildingObjective(OwnObjective):
    """Makes small how far rows are from what a network rebuilds of them.

    Args:
        pixels: as for ``rebuilding_loss``.
    """

    def __init__(
        self, model: keras.Model, pixels: str = "squared_error", others: Sequence[keras.layers.Layer] = ()
    ) -> None:
        super().__init__(model, others)
        self.pixels = pixels
        self.giver, self.coder = halves_of(model)

    def row_losses(self, inputs: Any, training: bool) -> Any:
        given = self.giver(inputs)
        _, sums = self.coder(self.shown(given, training), training=training)
        return self.error(given, sums)

    def shown(self, given: Any, training: bool) -> Any:
        """What the network sees of given rows (batch, width); by default all."""
        return given

    def error(self, given: Any, sums: Any) -> Any:
        """How far rows are from what is rebuilt of a decoder's sums, (batch,)."""
        return rebuilding_loss(given, sums, self.predicting.get_layer("rebuilt").blocks, self.pixels)
