"""The simple recurrent network: a state that is carried from step to step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nervura.zoo.base import RecurrentNetwork, RecurrentOptions, option


class Recurrent(RecurrentNetwork):
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
    layer = "SimpleRNN"

    @dataclass
    class Options(RecurrentOptions):
        activation: str = option("tanh", "what a state does with its sum", choices=("tanh", "relu"))

    def arguments(self, options: Any) -> dict[str, Any]:
        return {"activation": options.activation}
