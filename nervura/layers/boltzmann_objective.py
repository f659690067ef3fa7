"""What a restricted Boltzmann machine is trained by."""

from __future__ import annotations

from typing import Any

import keras

from nervura.layers.boltzmann import Gibbs, contrast
from nervura.layers.rebuilding_objective import RebuildingObjective


class BoltzmannObjective(RebuildingObjective):
    """The free energy of rows less that of the states that the layer ``machine`` makes of them; held-out rows are judged by
    how well they are rebuilt.

    Args:
        steps: turns of Gibbs sampling between two gradients.
        chains: how many persistent chains there are; 0: each begins at a row.
        seed: of the chains.
    """

    def __init__(self, model: keras.Model, steps: int = 1, chains: int = 0, seed: int = 0) -> None:
        super().__init__(model)
        self.steps, self.chains, self.machine = steps, chains, model.get_layer("machine")
        self.gibbs = Gibbs(seed, chains, self.machine.input.shape[-1], name="gibbs")
        self.others = [self.gibbs]

    def __call__(self, inputs: Any, training: bool, phase: str) -> Any:
        if not training:
            return super().__call__(inputs, training, phase)
        machine = self.machine
        weights = (machine.kernel, machine.hidden_bias, machine.visible_bias)
        return contrast(self.giver(inputs), *weights, self.blocks, self.gibbs, self.steps, machine.gaussian)
