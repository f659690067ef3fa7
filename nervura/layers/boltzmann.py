"""Restricted Boltzmann machines: free energies, Gibbs sampling, and a machine as a layer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.rebuilding import places, shares_scale

Blocks = list[tuple[str, list[int]]]


def visible_mean(sums: Any, blocks: Blocks) -> Any:
    """The visible units' means for their sums (batch, visible): normal units for numbers, one of a column's levels, words
    drawn from one distribution as often as a row has some, else binary units.

    Words are the constrained Poisson model of Hinton and Salakhutdinov, Replicated Softmax (NeurIPS 2009).
    """
    parts = []
    for kind, place in places(blocks):
        part = sums[:, place]
        if kind == "counts":
            parts.append(ops.softmax(part) * shares_scale(part.shape[-1]))
        else:
            parts.append(part if kind == "numbers" else ops.softmax(part) if kind == "levels" else ops.sigmoid(part))
    return ops.concatenate(parts, axis=-1)


def free_energy(visible: Any, kernel: Any, hidden_bias: Any, visible_bias: Any, blocks: Blocks, gaussian: bool) -> Any:
    """Minus the logarithm of what a visible state is worth, all hidden states taken together: (batch,).

    Args:
        visible: (batch, visible).
        kernel: (visible, hidden).
        blocks: the kinds of the visible units; normal ones have deviation 1.
        gaussian: whether the hidden units are normal, of deviation 1; else they are binary.
    """
    sums = visible @ kernel + hidden_bias
    hidden = 0.5 * ops.square(sums) if gaussian else ops.softplus(sums)
    energy = -ops.sum(hidden, axis=-1)
    for kind, place in places(blocks):
        part, bias = visible[:, place], visible_bias[place]
        one = 0.5 * ops.square(part - bias) if kind == "numbers" else -part * bias
        energy = energy + ops.sum(one, axis=-1)
    return energy


@keras.saving.register_keras_serializable(package="nervura")
class Gibbs(keras.layers.Layer):
    """Samples the visible units of a machine by turns with its hidden ones. Holds the state of chance, and of persistent
    chains their visible units.

    Args:
        seed: of the chain.
        chains: how many persistent chains there are; 0: each begins at a row.
        visible: how many visible units they have.
    """

    def __init__(self, seed: int, chains: int = 0, visible: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed, self.chains, self.visible = seed, chains, visible
        self.draws = keras.random.SeedGenerator(seed)
        if chains:
            start = keras.initializers.RandomUniform(0.0, 1.0, seed=seed)
            self.particles = self.add_weight(
                shape=(chains, visible), initializer=start, trainable=False, name="particles"
            )
        self.built = True

    def turns(
        self,
        rows: Any,
        kernel: Any,
        hidden_bias: Any,
        visible_bias: Any,
        blocks: Blocks,
        gaussian: bool = False,
        steps: int = 1,
    ) -> Any:
        """The visible units after ``steps`` turns, from the persistent chains or else from ``rows``; no gradient passes.

        A chain that begins at a row has the means of its visible units, as in Hinton, A Practical Guide to Training
        Restricted Boltzmann Machines (2010); a persistent one samples them.
        """
        visible = self.particles if self.chains else rows
        for _ in range(steps):
            sums = visible @ kernel + hidden_bias
            hidden = sums + self._normal(sums) if gaussian else self._binary(ops.sigmoid(sums))
            visible = visible_mean(hidden @ ops.transpose(kernel) + visible_bias, blocks)
            if self.chains:
                visible = self._sampled(visible, blocks)
        visible = ops.stop_gradient(visible)
        if self.chains:
            self.particles.assign(visible)
        return visible

    def _sampled(self, means: Any, blocks: Blocks) -> Any:
        parts = []
        for kind, place in places(blocks):
            part = means[:, place]
            if kind == "numbers":
                parts.append(part + self._normal(part))
            elif kind == "counts":  # so many draws are near their mean
                parts.append(part)
            elif kind == "levels":
                drawn = keras.random.categorical(ops.log(part + 1e-20), 1, seed=self.draws)
                parts.append(ops.one_hot(drawn[:, 0], part.shape[-1], dtype=part.dtype))
            else:
                parts.append(self._binary(part))
        return ops.concatenate(parts, axis=-1)

    def _normal(self, like: Any) -> Any:
        return keras.random.normal(ops.shape(like), seed=self.draws)

    def _binary(self, chances: Any) -> Any:
        return ops.cast(keras.random.uniform(ops.shape(chances), seed=self.draws) < chances, chances.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed, "chains": self.chains, "visible": self.visible}


def contrast(
    rows: Any,
    kernel: Any,
    hidden_bias: Any,
    visible_bias: Any,
    blocks: Blocks,
    gibbs: Gibbs,
    steps: int = 1,
    gaussian: bool = False,
) -> Any:
    """What contrastive divergence makes small: the free energy of rows less that of the chains they lead to, (batch,).

    Its gradient is that of Hinton, Training Products of Experts by Minimizing Contrastive Divergence (2002), and with
    persistent chains that of Tieleman, Training Restricted Boltzmann Machines using Approximations to the Likelihood
    Gradient (2008).
    """
    machine = (kernel, hidden_bias, visible_bias, blocks)
    after = gibbs.turns(rows, *machine, gaussian=gaussian, steps=steps)
    reached = free_energy(after, *machine, gaussian)
    return free_energy(rows, *machine, gaussian) - (ops.mean(reached) if gibbs.chains else reached)


@keras.saving.register_keras_serializable(package="nervura")
class VisibleBias(keras.layers.Layer):
    """The bias of a machine's visible units, where no layer of a network holds it.

    Args:
        visible: how many units.
    """

    def __init__(self, visible: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.visible = visible
        self.bias = self.add_weight(shape=(visible,), initializer="zeros", name="bias")
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "visible": self.visible}


@keras.saving.register_keras_serializable(package="nervura")
class BoltzmannMachine(keras.layers.Layer):
    """A restricted Boltzmann machine as an autoencoder whose two halves share their weights.

    Shapes: float (batch, visible) -> the hidden units' means (batch, hidden), and the sums of the visible units that
    follow from them (batch, visible).

    Args:
        hidden: how many hidden units.
        gaussian: whether they are normal; else they are binary.
        seed: of the initial weights.
    """

    def __init__(self, hidden: int, gaussian: bool = False, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden, self.gaussian, self.seed = hidden, gaussian, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        visible = input_shape[-1]
        start = keras.initializers.RandomNormal(stddev=0.01, seed=self.seed)
        self.kernel = self.add_weight(shape=(visible, self.hidden), initializer=start, name="kernel")
        self.hidden_bias = self.add_weight(shape=(self.hidden,), initializer="zeros", name="hidden_bias")
        self.visible_bias = self.add_weight(shape=(visible,), initializer="zeros", name="visible_bias")

    def call(self, visible: Any) -> Any:
        sums = visible @ self.kernel + self.hidden_bias
        hidden = sums if self.gaussian else ops.sigmoid(sums)
        return hidden, hidden @ ops.transpose(self.kernel) + self.visible_bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> Any:
        return (input_shape[0], self.hidden), input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "hidden": self.hidden, "gaussian": self.gaussian, "seed": self.seed}
