"""A network of your own: one class with a name, options and the layers between inputs and output."""

from dataclasses import dataclass

import keras

from nervura import training
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.layers.encoded import encoded_inputs
from nervura.zoo.base import Network, TrainingOptions, option


class WideAndDeep(Network):
    """A linear path beside a deep one: what is simply additive need not pass through the hidden layers.

    Shapes: (batch, encoded inputs) -> (batch, encoded inputs + width) -> (batch, outputs).
    Paper: Cheng et al., Wide & Deep Learning for Recommender Systems (2016). Here both paths see the same inputs.
    """

    name = "wide_and_deep"
    summary = "a linear path beside a deep one"

    @dataclass
    class Options(TrainingOptions):
        width: int = option(32, "neurons of each hidden layer", low=1, high=4096)
        depth: int = option(2, "number of hidden layers", low=1, high=20)

    def features(self, inputs, tensors, head, options, seeds):
        wide = deep = encoded_inputs(inputs, tensors)
        for i in range(1, options.depth + 1):
            start = keras.initializers.HeNormal(seed=next(seeds))
            deep = keras.layers.Dense(options.width, activation="relu", kernel_initializer=start, name=f"deep_{i}")(
                deep
            )
        return keras.layers.Concatenate(name="wide_and_deep")([wide, deep])


if __name__ == "__main__":
    dataset = Dataset.open("toy:breast_cancer")
    made = design(dataset.problem, WideAndDeep(), dataset.schema, {"width": 16, "epochs": 60})
    print(made)
    training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    estimates = dataset.problem.estimates(training.predict(made.model, dataset.arrays("test")[0]))
    for metric, score in dataset.problem.scores(dataset.truth("test"), estimates).items():
        print(f"{metric}: {score:.4f}")
    # docs/architecture.md shows how to make it known by name, for nervura.train and the command line.
