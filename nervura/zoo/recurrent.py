"""The simple recurrent network: a state that is carried from step to step."""

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


class Recurrent(Network):
    """At each step the new state is made of the step and of the state before: h = tanh(W x + U h + b).

    What happened many steps ago reaches the answer through as many products with U, so that its gradient vanishes or
    grows without bound; ``lstm`` and ``gru`` were made against that.

    Shapes: (batch, length, channels) -> (batch, steps, units), twice as many units where both ways are read -> (batch,
    features) -> (batch, outputs).
    Cost: units x (units + width + 1) weights a layer and direction; steps follow each other and cannot be computed at once.
    Choose it to see how such networks work, and as the baseline of ``lstm`` and ``gru``.
    Paper: J. L. Elman, Finding Structure in Time, Cognitive Science 14 (1990). How we differ: gradients go back through all
    steps, and by default both ways are read and the states of all steps are pooled.
    """

    name = "recurrent"
    summary = "a simple recurrent network: one state, carried from step to step"
    takes = frozenset({"series", "tokens"})

    @dataclass
    class Options(RecurrentOptions):
        activation: str = option("tanh", "what a state does with its sum", choices=("tanh", "relu"))
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
        return recurrent(keras.layers.SimpleRNN, x, present, options, seeds, activation=options.activation)
