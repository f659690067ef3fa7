"""The deep autoencoder of 2006: a stack of restricted Boltzmann machines, unrolled and fine-tuned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Phase, Rebuilding, RebuildingOptions, option, seeds_from

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective

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
        from nervura.layers.deep_belief_objective import FINE_TUNING, machine_name

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

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        from nervura.layers.deep_belief_objective import DeepBeliefObjective

        seeds = [one for one, _ in zip(seeds_from([seed, 1]), range(len(options.hidden) + 1), strict=False)]
        return DeepBeliefObjective(model, options.steps, options.pixels, seeds)
