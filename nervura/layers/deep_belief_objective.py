"""What a stack of restricted Boltzmann machines is trained by, one by one and then as a whole."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.boltzmann import Gibbs, VisibleBias, contrast
from nervura.layers.row_loss import rebuilding_loss


class DeepBeliefObjective:
    """In the phase of a machine what contrastive divergence makes small for it, (batch,), after that how far rows are from
    what is rebuilt of them; a stack with an output learns from the target then.

    Args:
        steps: turns of Gibbs sampling between two gradients of a machine.
        pixels: as for ``rebuilding_loss``.
        blocks: the kinds of the values of a row; None: as the layer ``rebuilt`` has them.
        seeds: of the chains of each machine.

    Attributes:
        stack: the layers of each machine, from the rows upwards: its half of the encoder, and what holds the bias of its
            visible units, which is its half of the decoder or, where there is none, that bias alone.
        names: of the phases of the machines.
        others: layers with variables that the objective uses and the model does not have.
    """

    def __init__(
        self,
        model: keras.Model,
        steps: int = 1,
        pixels: str = "squared_error",
        blocks: list[tuple[str, list[int]]] | None = None,
        seeds: list[int] | None = None,
    ) -> None:
        code = [layer for layer in model.layers if layer.name == "code"]
        encoders = [*(layer for layer in model.layers if layer.name.startswith("encoder_")), *code]
        count, given = len(encoders), model.get_layer("given").output
        self.steps, self.pixels = steps, pixels
        chains = [
            Gibbs(number if seeds is None else seeds[number], name=f"gibbs_{number + 1}") for number in range(count)
        ]
        self.chains = chains
        self.unrolled = any(layer.name == "decoded" for layer in model.layers)
        biases = [] if self.unrolled else [VisibleBias(e.input.shape[-1], name=f"below_{e.name}") for e in encoders]
        names = ["decoded", *(f"decoder_{number}" for number in range(1, count))] if self.unrolled else []
        decoders = [*(model.get_layer(name) for name in names), *biases]
        self.stack = list(zip(encoders, decoders, strict=True))
        self.others = [*chains, *biases]
        self.names = [machine_name(number, count) for number in range(1, count + 1)]
        kinds = model.get_layer("rebuilt").blocks if blocks is None else blocks
        self.kinds = [kinds, *([("flags", [1] * encoder.units)] for encoder in encoders[:-1])]
        self.giver = keras.Model(model.inputs, given)
        self.below = [keras.Model(given, encoder.input) for encoder in encoders[1:]]
        self.decoding = keras.Model(given, model.get_layer("decoded").output) if self.unrolled else None

    def __call__(self, inputs: Any, training: bool, phase: str) -> Any:
        rows = self.giver(inputs)
        if phase not in self.names:
            assert self.decoding is not None, "a stack with an output learns from the target then"
            return rebuilding_loss(rows, self.decoding(rows, training=training), self.kinds[0], self.pixels)
        place = self.names.index(phase)
        encoder, decoder = self.stack[place]
        visible = ops.stop_gradient(self.below[place - 1](rows)) if place else rows
        weights = (encoder.kernel, encoder.bias, decoder.bias)
        if training:
            code = self.unrolled and place == len(self.stack) - 1
            return contrast(visible, *weights, self.kinds[place], self.chains[place], self.steps, gaussian=code)
        sums = encoder(visible) @ ops.transpose(encoder.kernel) + decoder.bias
        return rebuilding_loss(visible, sums, self.kinds[place])

    def enter(self, learner: keras.Model, phase: str) -> None:
        """Sets what learns in a phase: a machine alone, with the bias of its visible units, or all layers; what was learnt
        is unrolled behind it."""
        tuned = phase not in self.names
        place = len(self.stack) if tuned else self.names.index(phase)
        for number, (encoder, decoder) in enumerate(self.stack):
            unrolled = hasattr(decoder, "kernel")
            if unrolled and number == place - 1 and phase != "training":
                decoder.kernel.assign(ops.transpose(encoder.kernel))
            encoder.trainable = tuned or number == place
            decoder.trainable = number == place or (tuned and unrolled)
            if unrolled:
                decoder.kernel.trainable = tuned
        for layer in learner.predicting.layers:
            if layer.name == "output":
                layer.trainable = tuned


def machine_name(number: int, count: int) -> str:
    """What the phase of one machine is called."""
    return f"Boltzmann machine {number} of {count}"
