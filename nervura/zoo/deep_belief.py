"""The deep autoencoder of 2006: a stack of restricted Boltzmann machines, unrolled and fine-tuned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Phase, Rebuilding, RebuildingOptions, option, seeds_from

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective

FINE_TUNING = "fine-tuning"
SHARE_OF_A_MACHINE = 0.1
"""Of the time left of a budget, the most that one machine of the stack takes."""


class DeepBelief(Rebuilding):
    """A deep autoencoder whose weights begin as those of restricted Boltzmann machines, learnt one after the other: the
    first on the rows, each further one on the hidden units' means of the one before.

    Once the stack has been learnt it is unrolled: the machines' weights become those of the encoder and, transposed, of
    the decoder, and then all of them are fine-tuned together so that rows are rebuilt well. Hidden units are binary
    (sigmoid), those of the code normal (linear). ``pretraining=no`` leaves the machines out, so that their gain is seen.

    Shapes: (batch, width) -> hidden layers -> (batch, latent_dim) -> the same layers backwards -> (batch, width).
    Cost: as ``autoencoder``, and the passes of pretraining, each through one layer.
    Choose it to see the training that made deep networks possible, or where sigmoid layers are wanted: without
    pretraining a deep stack of them hardly learns.
    Papers: Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks (Science, 2006); Hinton,
    Osindero and Teh, A Fast Learning Algorithm for Deep Belief Nets (Neural Computation, 2006). Here both parts follow
    the optimiser of the options in place of momentum and conjugate gradients.
    """

    name = "deep_belief"
    summary = "a deep autoencoder pretrained by a stack of restricted Boltzmann machines"

    @dataclass
    class Options(RebuildingOptions):
        activation: str = option("sigmoid", "what a hidden neuron does with its sum", choices=("sigmoid",))
        pretraining: bool = option(True, "whether the layers begin as restricted Boltzmann machines")
        pretraining_epochs: int = option(20, "passes over the training rows of each machine", low=1, high=100_000)
        pretraining_rate: float = option(1e-3, "size of a step of pretraining", low=1e-7, high=10.0)
        steps: int = option(1, "turns of Gibbs sampling between two gradients of pretraining", low=1, high=1_000)

    def phases(self, options: Any) -> list[Phase]:
        if not options.pretraining:
            return [Phase("training", options)]
        count = len(options.hidden) + 1
        own = replace(
            options,
            epochs=options.pretraining_epochs,
            learning_rate=options.pretraining_rate,
            weight_decay=0.0,
            schedule="constant",
        )
        machines = [
            Phase(machine_name(number, count), own, afresh=True, share=SHARE_OF_A_MACHINE)
            for number in range(1, count + 1)
        ]
        return [*machines, Phase(FINE_TUNING, options, afresh=True)]

    def enter(self, model: keras.Model, phase: Phase) -> None:
        """A machine learns alone, with the bias of its visible units in the decoder; what was learnt is unrolled."""
        from keras import ops

        stack = machines_of(model)
        names = [machine_name(number, len(stack)) for number in range(1, len(stack) + 1)]
        place = names.index(phase.name) if phase.name in names else len(stack)
        if place and phase.name != "training":
            encoder, decoder = stack[place - 1]
            decoder.kernel.assign(ops.transpose(encoder.kernel))
        for number, (encoder, decoder) in enumerate(stack):
            learns = place == len(stack) or number == place
            encoder.trainable = decoder.trainable = learns
            decoder.kernel.trainable = place == len(stack)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        import keras
        from keras import ops

        from nervura.layers.boltzmann import Gibbs, contrast
        from nervura.layers.given import blocks_of, halves_of
        from nervura.layers.row_loss import OwnObjective, rebuilding_loss

        giver, coder = halves_of(model)
        stack, seeds = machines_of(model), seeds_from([seed, 1])
        given = model.get_layer("given").output
        reaching = [keras.Model(given, encoder.input) if number else None for number, (encoder, _) in enumerate(stack)]
        kinds = [blocks_of(tensors), *([("flags", [1] * encoder.units)] for encoder, _ in stack[:-1])]
        chains = [Gibbs(next(seeds), name=f"gibbs_{number}") for number in range(1, len(stack) + 1)]
        names = [machine_name(number, len(stack)) for number in range(1, len(stack) + 1)]

        def objective(inputs: Any, training: bool, phase: str) -> Any:
            rows = giver(inputs)
            if phase not in names:
                return rebuilding_loss(rows, coder(rows, training=training)[1], kinds[0], options.pixels)
            place = names.index(phase)
            below, (encoder, decoder) = reaching[place], stack[place]
            visible = rows if below is None else ops.stop_gradient(below(rows))
            weights = (encoder.kernel, encoder.bias, decoder.bias)
            if training:
                last = place == len(stack) - 1
                return contrast(visible, *weights, kinds[place], chains[place], options.steps, gaussian=last)
            sums = encoder(visible) @ ops.transpose(encoder.kernel) + decoder.bias
            return rebuilding_loss(visible, sums, kinds[place])

        return OwnObjective(model, objective, chains)


def machine_name(number: int, count: int) -> str:
    """What the phase of one machine is called."""
    return f"Boltzmann machine {number} of {count}"


def machines_of(model: keras.Model) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """The layers of each machine, from the rows to the code: its half of the encoder and its half of the decoder."""
    count = sum(layer.name.startswith("encoder_") for layer in model.layers)
    encoders = [*(f"encoder_{number}" for number in range(1, count + 1)), "code"]
    decoders = ["decoded", *(f"decoder_{number}" for number in range(1, count + 1))]
    return [(model.get_layer(one), model.get_layer(other)) for one, other in zip(encoders, decoders, strict=True)]
