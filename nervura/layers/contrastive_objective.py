"""What a network is trained by whose codes are to tell which copies of documents belong together."""

from __future__ import annotations

from typing import Any

import keras

from nervura.layers.rebuilding_objective import RebuildingObjective
from nervura.layers.thinned import Thinned, twins_loss


class ContrastiveObjective(RebuildingObjective):
    """How hard it is to tell a thinned copy's twin among the batch by its code, and how far whole documents are from what is
    rebuilt of one copy.

    Args:
        kept: share of a document's different words in each copy.
        temperature: what cosines are divided by.
        rebuilding: weight of the second beside the first.
        seed: of what is left out.
    """

    def __init__(
        self, model: keras.Model, kept: float, temperature: float, rebuilding: float = 1.0, seed: int = 0
    ) -> None:
        super().__init__(model)
        self.kept, self.temperature, self.rebuilding = kept, temperature, rebuilding
        self.thinned = Thinned(kept, seed, name="thinned")
        self.others = [self.thinned]

    def __call__(self, inputs: Any, training: bool, phase: str) -> Any:
        given = self.giver(inputs)
        copies = self.thinned(given, training=training)
        (one, sums), (other, _) = (self.coder(copy, training=training) for copy in copies)
        loss = twins_loss(one, other, self.temperature)
        return loss + self.rebuilding * self.error(given, sums) if self.rebuilding else loss
