"""Long short-term memory: a state that gates keep, change and show."""

from __future__ import annotations

from nervura.zoo.base import RecurrentNetwork


class Lstm(RecurrentNetwork):
    """A cell is carried along unchanged, but for what a gate forgets and another writes; a third shows a part of it as the
    state. Along the cell a gradient neither vanishes nor grows, so that steps far apart are learnt to belong together.

    Shapes: (batch, length, channels) -> (batch, steps, units), twice as many units where both ways are read -> (batch,
    features) -> (batch, outputs).
    Cost: 4 x units x (units + width + 1) weights a layer and direction; steps follow each other and cannot be computed at
    once.
    Choose it where order and distant steps matter; ``gru`` has a quarter fewer weights.
    Paper: Hochreiter and Schmidhuber, Long Short-Term Memory, Neural Computation 9 (1997), with the gate that forgets of
    Gers, Schmidhuber and Cummins (2000), whose bias begins at 1. How we differ: by default both ways are read and the
    states of all steps are pooled.
    """

    name = "lstm"
    summary = "long short-term memory: gates decide what is kept, changed and shown"
    layer = "LSTM"
