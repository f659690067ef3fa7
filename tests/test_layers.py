"""Facts about the layers that hold for any data; that all backends compute them alike is tested in test_backends.py."""

from typing import Any

import numpy as np
import pytest

from nervura.layers.level_embedding import LevelEmbedding
from nervura.layers.one_hot import OneHot
from nervura.layers.quantile_bins import QuantileBins
from nervura.layers.smooth_clip import SmoothClip

keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)


def numbers_of(outputs: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(outputs))


CODES = DRAW.integers(0, 3, (6, 2)).astype("int32")
NUMBERS = DRAW.normal(size=(6, 2)).astype("float32")
LAYERS = [
    (LevelEmbedding([3, 4], [2, 1], seed=1), CODES),
    (OneHot([3, 4]), CODES),
    (QuantileBins(5), NUMBERS),
    (SmoothClip(2.0), NUMBERS),
]


@pytest.mark.parametrize(("layer", "inputs"), LAYERS, ids=lambda value: getattr(value, "name", None))
def test_a_layer_is_made_again_from_its_configuration(layer: Any, inputs: np.ndarray) -> None:
    outputs = numbers_of(layer(inputs))
    again = type(layer).from_config(layer.get_config())
    again.build(inputs.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(numbers_of(again(inputs)), outputs)
    assert layer.compute_output_shape((None, *inputs.shape[1:])) == (None, *outputs.shape[1:])
    name = keras.saving.get_registered_name(type(layer))
    assert name == f"nervura>{type(layer).__name__}"


def test_smooth_clip_is_the_identity_near_zero_odd_and_bounded() -> None:
    clip = SmoothClip(3.0)
    x = np.array([[1e-3, 1.0, -1.0, 1e6]], dtype="float32")
    expected = [[1e-3, 1 / np.sqrt(1 + 1 / 9), -1 / np.sqrt(1 + 1 / 9), 3.0]]
    np.testing.assert_allclose(numbers_of(clip(x)), expected, rtol=1e-6)


def piecewise_linear(x: float, edges: np.ndarray) -> list[float]:
    """The encoding as equation (1) of Gorishniy et al. (2022) defines it, bounded at both ends."""
    parts = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        parts.append(0.0 if x < low else 1.0 if x >= high else (x - low) / (high - low))
    return parts


def test_quantile_bins_are_the_piecewise_linear_encoding_of_the_paper() -> None:
    seen = DRAW.exponential(size=(200, 1))
    layer = QuantileBins(4)
    layer.build((None, 1))
    layer.adapt(seen)
    edges = np.quantile(seen, np.linspace(0, 1, 5))
    asked = np.array([-1.0, edges[0], edges[1], 0.3, 0.9, edges[-1], 99.0], dtype="float32")
    expected = [piecewise_linear(x, edges) for x in asked]
    np.testing.assert_allclose(numbers_of(layer(asked[:, None])), expected, atol=1e-5)


def test_quantile_bins_of_few_values_leave_the_surplus_at_zero() -> None:
    layer = QuantileBins(4)
    layer.build((None, 2))
    layer.adapt(np.column_stack([np.repeat([0.0, 2.0], [51, 50]), np.ones(101)]))
    encoded = numbers_of(layer(np.array([[1.0, 1.0], [5.0, 7.0]], dtype="float32"))).reshape(2, 2, 4)
    np.testing.assert_allclose(encoded[:, 0], [[0.5, 0, 0, 0], [1, 0, 0, 0]], atol=1e-6)
    assert not encoded[:, 1].any(), "a constant column tells nothing"


def test_a_level_embedding_is_one_lookup_for_each_column() -> None:
    sizes, widths = [5, 2, 9], [3, 1, 2]
    codes = np.column_stack([DRAW.integers(size, size=8) for size in sizes]).astype("int32")
    layer = LevelEmbedding(sizes, widths, seed=0)
    together = numbers_of(layer(codes))
    start, found = 0, []
    for column, (size, width) in enumerate(zip(sizes, widths, strict=True)):
        lookup = keras.layers.Embedding(size, width)
        lookup.build()
        lookup.set_weights([numbers_of(layer.table)[start : start + size, :width]])
        found.append(numbers_of(lookup(codes[:, column])))
        start += size
    np.testing.assert_array_equal(together, np.concatenate(found, axis=1))


def test_dropout_is_a_coin_for_each_output_in_training_alone() -> None:
    rate, ones = 0.3, np.ones((1_000, 200), dtype="float32")
    layer = keras.layers.Dropout(rate, seed=0)
    np.testing.assert_array_equal(numbers_of(layer(ones, training=False)), ones)
    dropped = numbers_of(layer(ones, training=True))
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept], 1 / (1 - rate), rtol=1e-6)  # rescaled: the mean stays
    # The share kept is within five deviations of a fair draw, over all and within each row and column.
    for share, draws in ((kept.mean(), kept.size), (kept.mean(0), 1_000), (kept.mean(1), 200)):
        assert np.all(np.abs(share - (1 - rate)) < 5 * np.sqrt(rate * (1 - rate) / draws))
    # Neighbours are independent.
    assert abs(np.corrcoef(kept[:, :-1].ravel(), kept[:, 1:].ravel())[0, 1]) < 0.02
    assert not np.array_equal(numbers_of(layer(ones, training=True)), dropped)
