"""A stack of restricted Boltzmann machines is learnt one by one, unrolled, and then learnt as a whole."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.boltzmann import Gibbs, contrast
from nervura.layers.rebuilding_objective import RebuildingObjective
from nervura.layers.row_loss import rebuilding_loss

FINE_TUNING = "fine-tuning"


class DeepBeliefObjective(RebuildingObjective):
    """Trains a deep autoencoder machine by machine, each in a phase of its own, and then as a whole.

    Args:
        steps: turns of Gibbs sampling between two gradients of a machine.
        pixels: as for ``rebuilding_loss``.
        seeds: of the chains of each machine.
    """

    def __init__(
        self, model: keras.Model, steps: int = 1, pixels: str = "squared_error", seeds: list[int] | None = None
    ) -> None:
        stack = machines_of(model)
        chains = [
            Gibbs(number if seeds is None else seeds[number], name=f"gibbs_{number + 1}")
            for number in range(len(stack))
        ]
        super().__init__(model, pixels, chains)
        self.steps, self.stack = steps, stack
        given = model.get_layer("given").output
        self.below = [keras.Model(given, encoder.input) for encoder, _ in stack[1:]]
        self.names = [machine_name(number, len(stack)) for number in range(1, len(stack) + 1)]

    def enter(self, phase: str) -> None:
        """A machine learns alone, with the bias of its visible units in the decoder; what was learnt is unrolled."""
        super().enter(phase)
        count = len(self.stack)
        place = self.names.index(phase) if phase in self.names else count
        if place and phase in (*self.names, FINE_TUNING):
            encoder, decoder = self.stack[place - 1]
            decoder.kernel.assign(ops.transpose(encoder.kernel))
        for number, (encoder, decoder) in enumerate(self.stack):
            learns = place == count or number == place
            encoder.trainable = decoder.trainable = learns
            decoder.kernel.trainable = place == count

    def row_losses(self, inputs: Any, training: bool) -> Any:
        if self.phase not in self.names:
            return super().row_losses(inputs, training)
        place = self.names.index(self.phase)
        rows, (encoder, decoder) = self.giver(inputs), self.stack[place]
        kinds = self.predicting.get_layer("rebuilt").blocks
        if place:
            rows = ops.stop_gradient(self.below[place - 1](rows))
            kinds = [("flags", [1] * rows.shape[-1])]
        weights = (encoder.kernel, encoder.bias, decoder.bias)
        if training:
            last = place == len(self.stack) - 1
            return contrast(rows, *weights, kinds, self.others[place], self.steps, gaussian=last)
        sums = encoder(rows) @ ops.transpose(encoder.kernel) + decoder.bias
        return rebuilding_loss(rows, sums, kinds)


def machine_name(number: int, count: int) -> str:
    """What the phase of one machine is called."""
    return f"Boltzmann machine {number} of {count}"


def machines_of(model: keras.Model) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """The layers of each machine, from the rows to the code: its half of the encoder and its half of the decoder."""
    count = sum(layer.name.startswith("encoder_") for layer in model.layers)
    encoders = [*(f"encoder_{number}" for number in range(1, count + 1)), "code"]
    decoders = ["decoded", *(f"decoder_{number}" for number in range(1, count + 1))]
    return [(model.get_layer(one), model.get_layer(other)) for one, other in zip(encoders, decoders, strict=True)]
