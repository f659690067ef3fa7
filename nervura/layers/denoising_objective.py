"""What a network is trained by that is to rebuild rows of which it sees a part."""

from __future__ import annotations

from typing import Any

import keras

from nervura.layers.masked import Masked
from nervura.layers.rebuilding_objective import RebuildingObjective


class DenoisingObjective(RebuildingObjective):
    """How far whole rows are from what a network rebuilds of them while a part is hidden.

    Args:
        hidden_share: of the values that are set to zero in training.
        pixels: as for ``rebuilding_loss``.
        seed: of what is hidden.
    """

    def __init__(self, model: keras.Model, hidden_share: float, pixels: str = "squared_error", seed: int = 0) -> None:
        super().__init__(model, pixels)
        self.hidden_share, self.masked = hidden_share, Masked(hidden_share, seed, name="masked")
        self.others = [self.masked]

    def shown(self, given: Any, training: bool) -> Any:
        return self.masked(given, training=training)
