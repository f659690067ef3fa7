"""What a design tells of its model: which layers belong to one input alone."""

import pytest

from nervura.designing import branches

keras = pytest.importorskip("keras")


def test_branches_are_the_layers_that_one_input_alone_reaches() -> None:
    numbers, levels = keras.Input((3,), name="numbers"), keras.Input((2,), name="levels")
    scaled = keras.layers.Dense(3, name="scaled")(numbers)
    deeper = keras.layers.Dense(2, name="deeper")(scaled)
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)], name="inner")(levels)
    both = keras.layers.Concatenate(name="both")([scaled, deeper, inner])
    model = keras.Model([numbers, levels], keras.layers.Dense(1, name="output")(both))
    assert branches(model) == {"numbers": ["scaled", "deeper"], "levels": ["inner"]}
    alone = keras.Model(numbers, keras.layers.Dense(1, name="value")(deeper))
    assert branches(alone) == {"numbers": ["scaled", "deeper", "value"]}
