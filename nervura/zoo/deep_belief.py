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
        from nervura.layers.deep_belief_objective import machine_name

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
        learner.objective.enter(learner, phase.name)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        from nervura.layers.deep_belief_objective import DeepBeliefObjective
        from nervura.layers.given import blocks_of
        from nervura.layers.row_loss import OwnObjective

        count = len(options.hidden) + bool(options.latent_dim)
        seeds = [one for one, _ in zip(seeds_from([seed, 1]), range(count), strict=False)]
        objective = DeepBeliefObjective(model, options.steps, options.pixels, blocks_of(tensors), seeds)
        return OwnObjective(model, objective, objective.others, () if objective.unrolled else (FINE_TUNING, "training"))
