"""The deep belief net of 2006: a stack of restricted Boltzmann machines, unrolled or given an output, and fine-tuned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nervura.errors import OptionError
from nervura.rebuilding import layout
from nervura.zoo.base import Phase, Rebuilding, RebuildingOptions, TrainingOptions, option, seeds_from, sizes_by_rule

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective
    from nervura.problems.base import Head

FINE_TUNING = "fine-tuning"
SHARE_OF_A_MACHINE = 0.1
"""Of the time left of a budget, the most that one machine of the stack takes."""


class DeepBelief(Rebuilding):
    """A deep network whose weights begin as those of restricted Boltzmann machines, learnt one after the other: the first
    on the rows, each further one on the hidden units' means of the one before.

    Without a target the stack is then unrolled into a deep autoencoder: the machines' weights become those of the encoder
    and, transposed, of the decoder, and all of them are fine-tuned together so that rows are rebuilt well. Hidden units
    are binary (sigmoid), those of the code normal (linear). With a target, an output layer follows the last machine, and
    all layers are fine-tuned together to answer it; there is no code. ``pretraining=no`` leaves the machines out, so that
    their gain is seen. With ``--pretrain`` the machines also learn from rows that lack the target.

    Shapes: (batch, width) -> hidden layers -> (batch, latent_dim) -> the same layers backwards -> (batch, width); with a
    target (batch, width) -> hidden layers -> (batch, outputs).
    Cost: as ``autoencoder`` or as ``feed_forward``, and the passes of pretraining, each through one layer.
    Choose it to see the training that made deep networks possible, or where sigmoid layers are wanted: without
    pretraining a deep stack of them hardly learns.
    Papers: Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks (Science, 2006); Hinton,
    Osindero and Teh, A Fast Learning Algorithm for Deep Belief Nets (Neural Computation, 2006). Here both parts follow
    the optimiser of the options in place of momentum and conjugate gradients, and with a target the top machine does not
    see it: it learns in the fine-tuning alone, as in the former paper.
    """

    name = "deep_belief"
    summary = "a deep network pretrained by a stack of restricted Boltzmann machines"
    suits = frozenset({"embedding", "binary", "multiclass", "regression"})
    pretrains = True

    @dataclass
    class Options(RebuildingOptions, TrainingOptions):
        latent_dim: int = option(
            0,
            "numbers of the code, where there is no target; 0: a third of the values of a row, 30 at most",
            low=0,
            high=65_536,
        )
        activation: str = option("sigmoid", "what a hidden neuron does with its sum", choices=("sigmoid",))
        pretraining: bool = option(True, "whether the layers begin as restricted Boltzmann machines")
        pretraining_epochs: int = option(20, "passes over the training rows of each machine", low=1, high=100_000)
        pretraining_rate: float = option(1e-3, "size of a step of pretraining", low=1e-7, high=10.0)
        steps: int = option(1, "turns of Gibbs sampling between two gradients of pretraining", low=1, high=1_000)

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        if not head.predicts:
            return super().settle(options, head, tensors)
        if options.latent_dim:
            raise OptionError(
                f"With a target {self.name} has hidden layers and an output and no code; latent_dim was set to "
                f"{options.latent_dim}. Write --set hidden=500x250x{options.latent_dim}, or --problem embedding."
            )
        if options.hidden:
            return None
        width = layout(tensors, 0).width
        options.hidden = sizes_by_rule(width)
        return "By rule hidden layers of {}, {} and {}, for {:,} values a row.".format(*options.hidden, width)

    def build(self, tensors: list[Tensor], head: Head, options: Any, seed: int) -> keras.Model:
        if not head.predicts:
            return super().build(tensors, head, options, seed)
        import keras

        from nervura.layers.given import given_rows
        from nervura.layers.straight import dense

        seeds = seeds_from(seed)
        inputs = {t.name: keras.Input(t.shape, dtype=t.dtype, name=t.name) for t in tensors}
        x = given_rows(inputs, tensors)
        for number, size in enumerate(options.hidden, 1):
            x = dense(size, options.activation, seeds, f"encoder_{number}")(x)
        return keras.Model(inputs, self.head(x, head, options, seeds), name=self.name)

    def phases(self, options: Any) -> list[Phase]:
        if not options.pretraining:
            return [Phase("training", options)]
        count = len(options.hidden) + bool(options.latent_dim)
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

    def enter(self, learner: keras.Model, phase: Phase) -> None:
        """A machine learns alone, with the bias of its visible units; what was learnt is unrolled behind it."""
        from keras import ops

        stack = machines_of(learner)
        names = [machine_name(number, len(stack)) for number in range(1, len(stack) + 1)]
        tuned = phase.name not in names
        place = len(stack) if tuned else names.index(phase.name)
        for number, (encoder, decoder) in enumerate(stack):
            unrolled = hasattr(decoder, "kernel")
            if unrolled and number == place - 1 and phase.name != "training":
                decoder.kernel.assign(ops.transpose(encoder.kernel))
            encoder.trainable = tuned or number == place
            decoder.trainable = number == place or (tuned and unrolled)
            if unrolled:
                decoder.kernel.trainable = tuned
        for layer in learner.predicting.layers:
            if layer.name == "output":
                layer.trainable = tuned

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        import keras
        from keras import ops

        from nervura.layers.boltzmann import Gibbs, VisibleBias, contrast
        from nervura.layers.given import blocks_of
        from nervura.layers.row_loss import OwnObjective, rebuilding_loss

        given, seeds = model.get_layer("given").output, seeds_from([seed, 1])
        unrolled = any(layer.name == "decoded" for layer in model.layers)
        encoders = encoders_of(model)
        biases = [] if unrolled else [VisibleBias(e.input.shape[-1], name=visible_name(e)) for e in encoders]
        giver = keras.Model(model.inputs, given)
        reaching = [keras.Model(given, encoder.input) if number else None for number, encoder in enumerate(encoders)]
        kinds = [blocks_of(tensors), *([("flags", [1] * encoder.units)] for encoder in encoders[:-1])]
        chains = [Gibbs(next(seeds), name=f"gibbs_{number}") for number in range(1, len(encoders) + 1)]
        names = [machine_name(number, len(encoders)) for number in range(1, len(encoders) + 1)]
        decoding = keras.Model(given, model.get_layer("decoded").output) if unrolled else None

        def objective(inputs: Any, training: bool, phase: str) -> Any:
            rows = giver(inputs)
            if phase not in names:
                assert decoding is not None, "a stack with an output learns from the target then"
                return rebuilding_loss(rows, decoding(rows, training=training), kinds[0], options.pixels)
            place = names.index(phase)
            below, (encoder, decoder) = reaching[place], stack[place]
            visible = rows if below is None else ops.stop_gradient(below(rows))
            weights = (encoder.kernel, encoder.bias, decoder.bias)
            if training:
                code = unrolled and place == len(stack) - 1
                return contrast(visible, *weights, kinds[place], chains[place], options.steps, gaussian=code)
            sums = encoder(visible) @ ops.transpose(encoder.kernel) + decoder.bias
            return rebuilding_loss(visible, sums, kinds[place])

        learner = OwnObjective(model, objective, [*chains, *biases], () if unrolled else (FINE_TUNING, "training"))
        stack = machines_of(learner)
        return learner


def machine_name(number: int, count: int) -> str:
    """What the phase of one machine is called."""
    return f"Boltzmann machine {number} of {count}"


def visible_name(encoder: keras.layers.Layer) -> str:
    """What the bias of the visible units below an encoder's layer is called, where there is no decoder."""
    return f"below_{encoder.name}"


def encoders_of(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers of the stack, from the rows upwards."""
    code = [layer for layer in model.layers if layer.name == "code"]
    return [*(layer for layer in model.layers if layer.name.startswith("encoder_")), *code]


def machines_of(learner: OwnObjective) -> list[tuple[keras.layers.Layer, keras.layers.Layer]]:
    """The layers of each machine, from the rows upwards: its half of the encoder, and what holds the bias of its visible
    units, which is its half of the decoder or, where there is none, that bias alone."""
    encoders = encoders_of(learner.predicting)
    others = {layer.name: layer for layer in learner.others}
    if visible_name(encoders[0]) in others:
        return [(encoder, others[visible_name(encoder)]) for encoder in encoders]
    decoders = ["decoded", *(f"decoder_{number}" for number in range(1, len(encoders)))]
    return [(one, learner.predicting.get_layer(other)) for one, other in zip(encoders, decoders, strict=True)]
