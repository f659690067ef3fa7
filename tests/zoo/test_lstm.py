"""Recurrent networks: their weights are counted as the papers have them, and they remember what they must."""

from typing import Any

import numpy as np
import pytest

from nervura.encoding import Tensor
from nervura.problems.base import Head
from nervura.zoo import zoo
from nervura.zoo.base import read_options

keras = pytest.importorskip("keras")

ONE = Head(1, "linear", "MeanSquaredError", {})


def made(name: str, length: int = 20, **options: Any) -> Any:
    network = zoo.load(name)
    given = read_options(network.Options, options)
    tensor = Tensor("series", "float32", ("series",), shape=(length, 2))
    network.settle(given, ONE, [tensor])
    return network.build([tensor], ONE, given, seed=0)


@pytest.mark.parametrize(("name", "gates", "biases"), [("recurrent", 1, 1), ("gru", 3, 2), ("lstm", 4, 1)])
def test_weights_are_counted_as_in_the_papers(name: str, gates: int, biases: int) -> None:
    """Elman (1990), Cho et al. (2014), Hochreiter and Schmidhuber (1997) with Gers et al. (2000): a simple state has one
    matrix for the step and one for the state, a gated unit three of each, a memory cell four."""
    units, width = 8, 2
    one = gates * units * (units + width + biases)
    model = made(name, units=units, bidirectional="no", dropout=0)
    assert model.get_layer("recurrent_1").count_params() == one
    stacked = made(name, units=units, bidirectional="yes", layers=2, dropout=0)
    assert stacked.get_layer("both_ways_1").count_params() == 2 * one
    assert stacked.get_layer("both_ways_2").count_params() == 2 * gates * units * (units + 2 * units + biases)


def test_the_gate_that_forgets_begins_open() -> None:
    """Gers, Schmidhuber and Cummins (2000), as Jozefowicz et al. (2015) advise: the bias of the forget gate begins at 1."""
    bias = made("lstm", units=4, bidirectional="no").get_layer("recurrent_1").weights[2]
    assert keras.ops.convert_to_numpy(bias).tolist() == [0] * 4 + [1] * 4 + [0] * 8


@pytest.mark.parametrize("name", ["lstm", "temporal_convolution", "attention", "minirocket"])
def test_what_lies_beyond_the_end_of_a_series_plays_no_part(name: str) -> None:
    x = np.random.default_rng(0).normal(size=(3, 20, 2)).astype("float32")
    x[:, 12:] = np.nan
    small = {"temporal_convolution": {"filters": "4", "kernels": "3"}, "minirocket": {"features": 84}}.get(name, {})
    model = made(name, **small)
    whole = keras.ops.convert_to_numpy(model({"series": x}))
    assert np.isfinite(whole).all()
    x[0] = np.nan
    again = keras.ops.convert_to_numpy(model({"series": x}))
    assert np.isfinite(again).all() and np.allclose(again[1:], whole[1:], atol=1e-6)


def test_a_long_series_is_read_several_moments_at_a_time() -> None:
    model = made("lstm", length=1_000)
    assert model.get_layer("steps").output.shape == (None, 125, 16)
