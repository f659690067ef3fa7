"""The textbook network: its layers by rule and by hand."""

import pytest

from nervura import contracts
from nervura.designing import design
from nervura.zoo.feed_forward import hidden_by_rule

DATASET = contracts.example(3)


@pytest.mark.parametrize(
    ("attributes", "outputs", "hidden"), [(13, 3, 8), (4, 3, 4), (3, 3, 3), (10, 1, 6), (1, 1, 2), (30, 1, 16)]
)
def test_the_hidden_layer_is_the_mean_of_inputs_and_outputs_rounded_half_up(
    attributes: int, outputs: int, hidden: int
) -> None:
    assert hidden_by_rule(attributes, outputs) == hidden


def test_the_rule_counts_columns_and_says_what_it_did() -> None:
    made = design(DATASET.problem, "feed_forward", DATASET.schema)
    assert len(DATASET.schema.inputs) == 4
    assert made.model.get_layer("hidden_1").units == hidden_by_rule(4, 3)
    assert made.rule is not None and "(4 + 3) / 2, rounded half up: 4 neurons" in made.rule


def test_layers_are_set_by_hand_in_their_order() -> None:
    made = design(DATASET.problem, "feed_forward", DATASET.schema, {"hidden": "7,5", "dropout": 0.5})
    assert [layer.units for layer in made.model.layers if hasattr(layer, "units")] == [7, 5, 3]
    assert [layer.rate for layer in made.model.layers if hasattr(layer, "rate")] == [0.5, 0.5]
    assert made.rule is None


def test_its_weights_are_those_of_its_cost() -> None:
    made = design(DATASET.problem, "feed_forward", DATASET.schema)
    encoded = sum(sum(tensor.sizes) or tensor.width for tensor in made.tensors)
    hidden = hidden_by_rule(4, 3)
    assert made.parameters == (encoded + 1) * hidden + (hidden + 1) * 3
