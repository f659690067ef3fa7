"""Gated recurrent units: one gate blends the old state with a new one."""

from __future__ import annotations

from nervura.zoo.base import RecurrentNetwork


class Gru(RecurrentNetwork):
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
    layer = "GRU"
