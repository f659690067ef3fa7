"""No hidden layer: every input is connected to every output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Network, TrainingOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head


class Perceptron(Network):
    """Inputs joined directly to the outputs: a linear model, trained as a network.

    Where the classes are linearly separable, or the value is a weighted sum of the inputs, nothing deeper is needed,
    and scikit-learn's logistic or linear regression does the same work.

    Shapes: (batch, encoded inputs) -> (batch, outputs). Categories enter as one input per level.
    Cost: inputs x outputs weights.
    Choose it as the yardstick of everything deeper.
    Paper: F. Rosenblatt, The perceptron, Psychological Review 65 (1958). Trained here by gradients on a smooth loss
    instead of Rosenblatt's correction rule.
    """

    name = "perceptron"
    summary = "no hidden layer: a linear model"

    @dataclass
    class Options(TrainingOptions):
        l1: float = option(0.0, "price of the sum of the weights' sizes", low=0.0, high=10.0)
        l2: float = option(0.0, "price of the sum of the weights' squares", low=0.0, high=10.0)
        learning_rate: float = option(3e-3, "size of a step", low=1e-7, high=10.0, search=(1e-3, 3e-3, 1e-2))

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        from nervura.layers.encoded import encoded_inputs

        return encoded_inputs(inputs, tensors)

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        import keras

        # Zeros, not random weights: a linear model has one optimum and no symmetry to break.
        return keras.layers.Dense(
            head.units,
            activation=head.activation,
            kernel_initializer="zeros",
            kernel_regularizer=keras.regularizers.L1L2(options.l1, options.l2) if options.l1 or options.l2 else None,
            name="output",
        )(features)
