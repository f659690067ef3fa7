"""The transformer encoder, with the weights that the paper counts."""

import numpy as np
import pytest

from nervura.encoding import Tensor
from nervura.problems.base import Head
from nervura.zoo.attention import Attention
from nervura.zoo.base import read_options

keras = pytest.importorskip("keras")


def test_a_block_has_the_weights_of_the_paper() -> None:
    """Vaswani et al. (2017), sections 3.2.2 and 3.3: four square matrices of the model's width, and two full connections
    whose inner layer is four times as wide; their base model has 512 numbers a step and 8 heads of 64."""
    network = Attention()
    tensor = Tensor("series", "float32", ("series",), shape=(10, 1))
    head = Head(1, "linear", "MeanSquaredError", {})
    options = read_options(network.Options, {"width": 512, "heads": 8, "layers": 1, "patch": 1})
    model = network.build([tensor], head, options, seed=0)
    assert model.get_layer("attention_1").count_params() == 4 * 512 * 512 + 4 * 512
    both = model.get_layer("wide_1").count_params() + model.get_layer("narrow_1").count_params()
    assert both == 2 * 512 * 2_048 + 2_048 + 512
    x = np.full((2, 10, 1), np.nan, "float32")
    x[0, :4, 0] = [1, 2, 3, 4]
    assert np.isfinite(keras.ops.convert_to_numpy(model({"series": x}))).all()
