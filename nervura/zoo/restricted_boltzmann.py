"""A restricted Boltzmann machine: visible and hidden units that learn which of their states go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.rebuilding import layout
from nervura.zoo.base import LearningOptions, Rebuilding, option, seeds_from

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective
    from nervura.problems.base import Head

FEWEST, MOST = 16, 500
"""Hidden units, by rule."""

CHAINS = 100


class RestrictedBoltzmann(Rebuilding):
    """One layer of visible and one of hidden units, joined by weights; none are joined within a layer. It gives every
    state of the visible units an energy, and learns to give the training rows a low one.

    What is made small is the free energy of rows less that of states that the machine itself makes of them in some turns
    of Gibbs sampling (contrastive divergence), or that chains of its own have come to that are never begun anew
    (``persistent=yes``). Validation rows are judged by how well they are rebuilt from the hidden units' means, which are
    the code. Numbers are normal units of deviation 1, the levels of a column one unit of which exactly one state is on;
    yes and no and pixels are binary.

    Shapes: (batch, width) -> (batch, latent_dim) -> (batch, width), the same weights both ways.
    Cost: width x latent_dim weights.
    Choose it to see how one learns without gradients passing through layers, or as what ``deep_belief`` is made of.
    Papers: Smolensky, Information Processing in Dynamical Systems: Harmony Theory (1986); Hinton, Training Products of
    Experts by Minimizing Contrastive Divergence (2002); Tieleman, Training Restricted Boltzmann Machines using
    Approximations to the Likelihood Gradient (2008). Here the learning rule is the gradient of a difference of free
    energies, which any optimiser can follow.
    """

    name = "restricted_boltzmann"
    summary = "a restricted Boltzmann machine, learnt by contrastive divergence"

    @dataclass
    class Options(LearningOptions):
        latent_dim: int = option(0, "hidden units; 0: as many as values in a row, 16 to 500", low=0, high=65_536)
        hidden_units: str = option("binary", "gaussian: normal units of deviation 1", choices=("binary", "gaussian"))
        steps: int = option(1, "turns of Gibbs sampling between two gradients", low=1, high=1_000)
        persistent: bool = option(False, "whether the chains go on from where they were, in place of beginning at rows")

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        width = layout(tensors, 0).width
        if options.latent_dim:
            return None
        options.latent_dim = max(FEWEST, min(MOST, width))
        return f"By rule {options.latent_dim} hidden units, for {width:,} values a row."

    def build(self, tensors: list[Tensor], head: Head, options: Any, seed: int) -> keras.Model:
        import keras

        from nervura.layers.boltzmann import BoltzmannMachine
        from nervura.layers.given import blocks_of, given_rows
        from nervura.layers.rebuilt import Rebuilt

        inputs = {t.name: keras.Input(t.shape, dtype=t.dtype, name=t.name) for t in tensors}
        given = given_rows(inputs, tensors)
        gaussian = options.hidden_units == "gaussian"
        machine = BoltzmannMachine(options.latent_dim, gaussian, next(seeds_from(seed)), name="machine")
        hidden, sums = machine(given)
        code = keras.layers.Identity(name="code")(hidden)
        rebuilt = Rebuilt(blocks_of(tensors), name="rebuilt")(keras.layers.Identity(name="decoded")(sums))
        return keras.Model(inputs, keras.layers.Concatenate(name="output")([code, rebuilt, given]), name=self.name)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        from nervura.layers.boltzmann_objective import BoltzmannObjective
        from nervura.layers.row_loss import OwnObjective

        chains = CHAINS if options.persistent else 0
        objective = BoltzmannObjective(model, options.steps, chains, next(seeds_from([seed, 1])))
        return OwnObjective(model, objective, objective.others)
