"""The perceptron: its size, what it can learn, and what it cannot."""

import numpy as np
import polars as pl
import pytest

from nervura import contracts, training
from nervura.dataset import Dataset
from nervura.designing import design

DRAW = np.random.default_rng(0)
TWO = DRAW.uniform(-1, 1, (400, 2))


def accuracy(network: str, inside: np.ndarray, **options: object) -> float:
    """The accuracy on validation rows of a network that learns whether a point of the plane is ``inside``."""
    frame = pl.DataFrame({"a": TWO[:, 0], "b": TWO[:, 1], "inside": inside})
    dataset = Dataset.open(frame, "inside", problem="binary")
    made = design(dataset.problem, network, dataset.schema, {"epochs": 60, "learning_rate": 0.05, **options})
    training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    x, y = dataset.arrays("validation")
    return float(((training.predict(made.model, x)[:, 0] > 0.5) == y).mean())


@pytest.mark.parametrize(("classes", "outputs"), [(None, 1), (2, 1), (5, 5)])
def test_it_has_a_weight_for_each_input_and_output_and_a_bias_for_each_output(
    classes: int | None, outputs: int
) -> None:
    dataset = contracts.example(classes)
    inputs = sum(sum(tensor.sizes) or tensor.width for tensor in design_of(dataset).tensors)
    assert design_of(dataset).parameters == inputs * outputs + outputs


def design_of(dataset: Dataset):  # type: ignore[no-untyped-def]
    return design(dataset.problem, "perceptron", dataset.schema)


def test_it_learns_what_a_line_separates() -> None:
    assert accuracy("perceptron", TWO @ [1.0, -2.0] > 0.3) > 0.95


def test_it_does_not_learn_the_exclusive_or_and_a_hidden_layer_does() -> None:
    either = (TWO[:, 0] > 0) != (TWO[:, 1] > 0)
    assert accuracy("perceptron", either) < 0.7
    assert accuracy("feed_forward", either, hidden=[8]) > 0.95
