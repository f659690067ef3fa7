"""The plain network for pictures: LeNet-5 is among what it can be, and its rule fits any size."""

from typing import Any

import numpy as np
import pytest

from nervura.encoding import Tensor
from nervura.errors import OptionError
from nervura.problems.base import Head
from nervura.zoo.base import read_options
from nervura.zoo.convolutional import Convolutional, filters_by_rule

keras = pytest.importorskip("keras")

TEN = Head(10, "softmax", "SparseCategoricalCrossentropy", {})
LENET = {"filters": [6, 16], "kernel": 5, "padding": "valid", "pooling": "average", "dense": [120, 84], "dropout": 0}


def made(shape: tuple[int, int, int], **options: Any) -> Any:
    network = Convolutional()
    given = read_options(network.Options, options)
    return network.build([Tensor("pictures", "uint8", ("picture",), shape=shape)], TEN, given, seed=0)


def test_with_its_options_it_is_lenet_5() -> None:
    """LeCun et al. (1998), section II.B: C1 has 156 weights, C5 48,120 and F6 10,164. Their C3 has 1,516, because its
    filters see chosen maps only; seeing all six, they have 16 x (6 x 25 + 1) = 2,416."""
    model = made((32, 32, 1), activation="tanh", **LENET)
    layers = {layer.name: layer for layer in model.layers}
    assert layers["activation_1"].output.shape[1:] == (28, 28, 6)
    assert layers["activation_2"].output.shape[1:] == (10, 10, 16)
    assert layers["flattened"].output.shape[1:] == (5 * 5 * 16,)
    counts = [layer.count_params() for layer in model.layers if layer.trainable_weights]
    assert counts == [156, 2_416, 48_120, 10_164, 84 * 10 + 10]


def test_pooling_keeps_the_strongest_answer_or_the_mean() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype("uint8")
    for pooling, kept in (("max", np.max), ("average", np.mean)):
        model = made((8, 8, 3), filters=[4], pooling=pooling)
        both = keras.Model(model.inputs, [model.get_layer(name).output for name in ("activation_1", "pooling_1")])
        before, after = (np.asarray(keras.ops.convert_to_numpy(maps)) for maps in both([picture]))
        blocks = before.reshape(1, 4, 2, 4, 2, 4)
        np.testing.assert_allclose(after, kept(blocks, axis=(2, 4)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("sides", "filters"),
    [
        ((28, 28), [32, 64]),
        ((32, 32), [32, 64]),
        ((96, 96), [32, 64, 128, 256]),
        ((224, 224), [32, 64, 128, 256, 256]),
        ((8, 8), [32, 64]),
        ((3, 90), [32, 64, 128, 256]),
        ((1, 1), [32, 64]),
    ],
)
def test_the_rule_brings_maps_of_any_size_down(sides: tuple[int, int], filters: list[int]) -> None:
    assert filters_by_rule(*sides) == filters
    model = made((*sides, 1), dense=[4])
    side = max(model.get_layer("flattened").input.shape[1:3])
    assert side <= 8
    assert model({"pictures": np.zeros((2, *sides, 1), "uint8")}).shape == (2, 10)


def test_filters_that_do_not_fit_into_the_maps_are_told() -> None:
    with pytest.raises(
        OptionError, match="block 2 has filters of 5 x 5 places and maps of 4 x 4. Write --set padding=same"
    ):
        made((12, 12, 1), kernel=5, padding="valid")


def test_pictures_enter_in_units_of_their_spread() -> None:
    model = made((6, 5, 3))
    pictures = np.random.default_rng(0).integers(0, 90, (50, 6, 5, 3)).astype("uint8")
    pictures[..., 2] = 7
    Convolutional().prepare(model, {"pictures": pictures})
    scaled = np.asarray(keras.ops.convert_to_numpy(model.get_layer("scaled")(pictures)))
    np.testing.assert_allclose(scaled.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std((0, 1, 2)), [1, 1, 0], atol=1e-5)
