"""Long short-term memory: a state that gates keep, change and show."""

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


class Lstm(Network):
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
        return recurrent(keras.layers.LSTM, x, present, options, seeds)
