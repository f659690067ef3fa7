"""Residual networks have the sizes that their paper gives, and their shortcuts are what it says."""

from typing import Any

import numpy as np
import pytest

from nervura.encoding import Tensor
from nervura.errors import OptionError
from nervura.layers.free_shortcut import FreeShortcut
from nervura.problems.base import Head
from nervura.zoo.base import read_options
from nervura.zoo.residual import Residual

keras = pytest.importorskip("keras")


def made(shape: tuple[int, ...], units: int = 10, **options: Any) -> Any:
    network = Residual()
    head = Head(units, "softmax", "SparseCategoricalCrossentropy", {})
    tensors = [Tensor("pictures", "uint8", ("picture",), shape=shape)]
    given = read_options(network.Options, options)
    network.settle(given, head, tensors)
    return network.build(tensors, head, given, seed=0)


def trainable(model: Any) -> int:
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_for_32_pixels_it_has_the_weights_of_table_6(depth: int, millions: float) -> None:
    weights = trainable(made((32, 32, 3), depth=depth))
    assert weights / 1e6 == pytest.approx(millions, abs=0.05 if depth == 110 else 0.005)


@pytest.mark.parametrize(("depth", "weights"), [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032)])
def test_for_224_pixels_and_1000_classes_it_has_the_weights_of_the_published_models(depth: int, weights: int) -> None:
    model = made((224, 224, 3), 1_000, depth=depth)
    assert trainable(model) == weights
    assert model.get_layer("pooling").output.shape[1:] == (56, 56, 64)
    assert model.get_layer("mean").input.shape[1:3] == (7, 7)


@pytest.mark.parametrize("depth", [20, 56])
def test_a_network_of_this_depth_has_so_many_layers_with_weights(depth: int) -> None:
    layers = [type(layer).__name__ for layer in made((32, 32, 3), depth=depth).layers]
    assert layers.count("Conv2D") + layers.count("Dense") == depth
    assert layers.count("Add") == (depth - 2) // 2


def test_a_shortcut_keeps_every_second_place_and_adds_zeros() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    layer = FreeShortcut(7)
    kept = np.asarray(keras.ops.convert_to_numpy(layer(maps)))
    np.testing.assert_array_equal(kept[..., :3], maps[:, ::2, ::2])
    assert kept.shape == layer.compute_output_shape(maps.shape) == (2, 3, 2, 7)
    assert not kept[..., 3:].any()


def test_the_depth_follows_from_the_size_of_the_pictures() -> None:
    assert "shortcut_2_1" in [layer.name for layer in made((28, 28, 1)).layers]
    assert "pooling" in [layer.name for layer in made((128, 160, 3)).layers]
    with pytest.raises(OptionError, match="for large ones; 21 were asked for. Write --set depth=20"):
        made((32, 32, 3), depth=21)


@pytest.mark.parametrize(("rows", "size", "rate"), [(200, 16, 0.0125), (1_300, 64, 0.05), (50_000, 128, 0.1)])
def test_an_epoch_of_few_pictures_has_several_steps(rows: int, size: int, rate: float) -> None:
    tensor = Tensor("pictures", "uint8", ("picture",), shape=(32, 32, 3), facts={"rows": rows})
    options = read_options(Residual.Options, {})
    Residual().settle(options, Head(10, "softmax", "SparseCategoricalCrossentropy", {}), [tensor])
    assert (options.batch_size, options.learning_rate) == (size, pytest.approx(rate))
