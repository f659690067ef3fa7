"""The textbook network: hidden layers between input and output, designed by rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import ACTIVATIONS, Network, TrainingOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head


class FeedForward(Network):
    """A network designed by rule: as many inputs as attributes, one output for a value or a yes/no and one per label
    with softmax, and one hidden layer with the mean of input and output neurons.

    The rule counts attributes, the columns as a person sees them. The network itself has one input for every number,
    flag and level that the attributes are encoded into, and each layer has a bias beside its inputs. The mean is
    rounded half up, and is at least 2.

    Shapes: (batch, encoded inputs) -> (batch, hidden) -> (batch, outputs).
    Cost: (encoded inputs + 1) x hidden + (hidden + 1) x outputs weights.
    Choose it as a first network, and as the baseline of deeper ones; ``hidden=64,64`` sets the layers by hand.
    Source: the rules of thumb in J. Heaton, Introduction to Neural Networks for Java (2008), chapter 5.
    """

    name = "feed_forward"
    summary = "one hidden layer, its size by rule: the mean of inputs and outputs"
    pretrains = True

    @dataclass
    class Options(TrainingOptions):
        hidden: list[int] = option(
            [], "neurons of each hidden layer, such as 64,32; empty: by the rule", low=1, high=65_536
        )
        layers: int = option(1, "number of hidden layers of the rule's size, when hidden is empty", low=0, high=100)
        activation: str = option("relu", "what a hidden neuron does with its sum", choices=ACTIVATIONS)
        dropout: float = option(
            0.0, "share of hidden outputs set to zero in training, the rest scaled up", low=0.0, high=0.95
        )
        l1: float = option(0.0, "price of the sum of the weights' sizes", low=0.0, high=10.0)
        l2: float = option(0.0, "price of the sum of the weights' squares", low=0.0, high=10.0)

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.encoded import encoded_inputs

        price = keras.regularizers.L1L2(options.l1, options.l2) if options.l1 or options.l2 else None
        attributes = sum(tensor.attributes for tensor in tensors.values())
        sizes = options.hidden or [hidden_by_rule(attributes, head.units)] * options.layers
        x = encoded_inputs(inputs, tensors)
        for i, size in enumerate(sizes, 1):
            x = keras.layers.Dense(
                size,
                activation=options.activation,
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                kernel_regularizer=price,
                name=f"hidden_{i}",
            )(x)
            if options.dropout:
                x = keras.layers.Dropout(options.dropout, seed=next(seeds), name=f"dropout_{i}")(x)
        return x

    def rule(self, attributes: int, model: keras.Model, head: Head) -> str | None:
        encoded = sum(tensor.shape[-1] for tensor in model.inputs)
        return (
            f"By rule: {attributes} inputs, one per attribute (encoded as {encoded} features, and a bias to each layer); "
            f"{head.units} {'output' if head.units == 1 else 'outputs'}; one hidden layer with the mean of both, "
            f"({attributes} + {head.units}) / 2, rounded half up: {hidden_by_rule(attributes, head.units)} neurons."
        )


def hidden_by_rule(attributes: int, outputs: int) -> int:
    """The mean of input and output neurons, rounded half up, at least 2."""
    return max(2, (attributes + outputs + 1) // 2)
