"""Gated recurrent units: one gate blends the old state with a new one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Network, RecurrentOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

MOST_STEPS = 128
"""A longer series is read several moments at a time."""


class Gru(Network):
    """The new state is a blend of the old one and a proposal, each unit by a gate of its own; a second gate says how much of
    the old state the proposal sees.

    Shapes: (batch, length, channels) -> (batch, steps, units), twice as many units where both ways are read -> (batch,
    features) -> (batch, outputs).
    Cost: 3 x units x (units + width + 2) weights a layer and direction; steps follow each other and cannot be computed at
    once.
    Choose it where order and distant steps matter; it is as good as ``lstm`` on most tasks, with fewer weights.
    Paper: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (EMNLP 2014). How we differ: the second
    gate acts behind the product with the old state, which has a bias of its own, as fast implementations have it; by
    default both ways are read and the states of all steps are pooled.
    """

    name = "gru"
    summary = "gated recurrent units: one gate blends the old state with a new one"
    takes = frozenset({"series", "tokens"})

    @dataclass
    class Options(RecurrentOptions):
        learning_rate: float = option(1e-3, "size of a step", low=1e-7, high=10.0, search=(3e-4, 1e-3, 3e-3))

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        from nervura.layers.sequence import settle_patch

        return settle_patch(options, tensors, MOST_STEPS)

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.sequence import recurrent, steps_of

        x, present = steps_of(inputs, tensors, options, seeds)
        return recurrent(keras.layers.GRU, x, present, options, seeds)
