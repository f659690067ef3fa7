"""A restricted Boltzmann machine is to give rows a low free energy."""

from __future__ import annotations

from typing import Any

import keras

from nervura.layers.boltzmann import Gibbs, contrast
from nervura.layers.rebuilding_objective import RebuildingObjective


class BoltzmannObjective(RebuildingObjective):
    """Makes the free energy of rows small beside that of the states that the layer ``machine`` makes of them; held-out
    rows are judged by how well they are rebuilt.

    Args:
        steps: turns of Gibbs sampling between two gradients.
        chains: how many persistent chains there are; 0: each begins at a row.
        seed: of the chains.
    """

    def __init__(self, model: keras.Model, steps: int = 1, chains: int = 0, seed: int = 0) -> None:
        machine = model.get_layer("machine")
        gibbs = Gibbs(seed, chains, machine.input.shape[-1], name="gibbs")
        super().__init__(model, others=[gibbs])
        self.steps, self.chains, self.machine, self.gibbs = steps, chains, machine, gibbs

    def row_losses(self, inputs: Any, training: bool) -> Any:
        if not training:
            return super().row_losses(inputs, training)
        machine, blocks = self.machine, self.predicting.get_layer("rebuilt").blocks
        weights = (machine.kernel, machine.hidden_bias, machine.visible_bias)
        return contrast(self.giver(inputs), *weights, blocks, self.gibbs, self.steps, machine.gaussian)
