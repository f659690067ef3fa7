"""Rows are to be rebuilt of which a part is hidden."""

from __future__ import annotations

from typing import Any

import keras

from nervura.layers.masked import Masked
from nervura.layers.rebuilding_objective import RebuildingObjective


class DenoisingObjective(RebuildingObjective):
    """Makes small how far whole rows are from what a network rebuilds of those of which it sees a part.

    Args:
        hidden_share: of the values that are set to zero in training.
        pixels: as for ``rebuilding_loss``.
        seed: of what is hidden.
    """

    def __init__(self, model: keras.Model, hidden_share: float, pixels: str = "squared_error", seed: int = 0) -> None:
        masked = Masked(hidden_share, seed, name="masked")
        super().__init__(model, pixels, [masked])
        self.hidden_share, self.masked = hidden_share, masked

    def shown(self, given: Any, training: bool) -> Any:
        return self.masked(given, training=training)
