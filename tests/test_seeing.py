"""What is seen inside a network is what was put there: networks whose weights are set by hand show it."""

from typing import Any

import numpy as np
import pytest

from nervura import seeing
from nervura.encoding import Tensor
from nervura.layers.picture_scale import PictureScale
from nervura.layers.weighted_mean import WeightedMean
from nervura.problems.base import Head
from nervura.training import predict
from nervura.zoo.airbench import Airbench
from nervura.zoo.base import read_options
from nervura.zoo.convolutional import Convolutional

keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)
TEN = Head(10, "softmax", "SparseCategoricalCrossentropy", {})
SIDE = 20
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
RING = 1 - np.pad([[1]], 1)


def of_zoo(network: Any, shape: tuple[int, ...], head: Head = TEN, **options: Any) -> Any:
    tensors = [Tensor("pictures", "uint8", ("picture",), shape=shape)]
    given = read_options(network.Options, options)
    network.settle(given, head, tensors)
    return network.build(tensors, head, given, seed=0)


@pytest.fixture(scope="module")
def knowing() -> Any:
    """Channel 0 looks for a cross and speaks for class 0, channel 1 for a ring and class 1."""
    pictures = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="pictures")
    x = PictureScale(name="scaled")(pictures)
    x = keras.layers.Conv2D(2, 3, padding="same", name="convolution")(x)
    x = keras.layers.Activation("relu", name="shapes")(x)
    x = keras.layers.GlobalMaxPooling2D(name="strongest")(x)
    model = keras.Model({"pictures": pictures}, keras.layers.Dense(2, activation="softmax", name="output")(x))
    kernel = np.stack([2 * CROSS - 1, 2 * RING - 1], axis=-1)[:, :, None]
    model.get_layer("convolution").set_weights([kernel, np.array([-4.0, -4.0])])
    model.get_layer("output").set_weights([2 * np.eye(2), np.zeros(2)])
    return model


def planted(shape: np.ndarray, rows: int, noise: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Dark pictures with one bright shape each, and the place of its middle."""
    pictures = DRAW.integers(0, noise, (rows, SIDE, SIDE, 1)).astype("uint8")
    places = DRAW.integers(3, SIDE - 3, (rows, 2))
    for picture, (y, x) in zip(pictures, places, strict=True):
        picture[y - 1 : y + 2, x - 1 : x + 2, 0] = 255 * shape
    return pictures, places


def test_the_stack_of_lenet_5_is_that_of_the_paper() -> None:
    options = {"filters": [6, 16], "kernel": 5, "padding": "valid", "pooling": "average", "dense": [120, 84]}
    model = of_zoo(Convolutional(), (32, 32, 1), **options)
    rows = {row["name"]: row for row in seeing.stack(model)}
    fields = [
        rows[name]["field"][0] for name in ("convolution_1", "pooling_1", "convolution_2", "pooling_2", "dense_1")
    ]
    assert fields == [5, 6, 14, 16, 32]
    assert rows["convolution_1"]["bytes"] == 4 * 28 * 28 * 6
    assert rows["pictures"]["bytes"] == 32 * 32
    assert not [name for name in rows if "dropout" in name]
    assert sum(row["parameters"] for row in rows.values()) == model.count_params()
    # Scaled pictures, twice 28 x 28 x 6, then maps of a quarter and a sixteenth of what they would be.
    maps = np.array([32 * 32, *[28 * 28 * 6] * 2, 14 * 14 * 6, *[10 * 10 * 16] * 2, 5 * 5 * 16, 32 * 32])
    times = np.array([1, 1, 1, 4, 4, 4, 16, 1])
    assert seeing.saved_by_pooling(model) == pytest.approx((maps * times).sum() / maps.sum())
    assert seeing.saved_by_pooling(of_zoo(Convolutional(), (32, 32, 1), pooling="none", filters=[4])) is None


def test_filters_of_the_first_layer_are_its_weights(knowing: Any) -> None:
    filters = seeing.first_filters(knowing)
    np.testing.assert_array_equal(filters[..., 0], [np.where(shape, 255, 1) for shape in (CROSS, RING)])


def test_patches_show_what_a_channel_looks_for(knowing: Any) -> None:
    crosses, places = planted(CROSS, 12)
    rings, _ = planted(RING, 12)
    found = seeing.exciting_patches(knowing, np.concatenate([crosses, rings]), patches=4)["shapes"]
    assert found.channels.tolist() == [0, 1]
    assert found.patches.shape == (2, 4, 3, 3, 1)
    for patches, shape in zip(found.patches, (CROSS, RING), strict=True):
        assert ((patches[..., 0] > 200) == shape).all()
    assert (found.pictures[0] < 12).all() and (found.pictures[1] >= 12).all()
    assert (np.diff(found.values, axis=1) <= 0).all()


def test_maps_of_a_picture_are_brightest_where_the_shape_is(knowing: Any) -> None:
    pictures, places = planted(CROSS, 5)
    maps = seeing.feature_maps(knowing, pictures)["shapes"]
    for grey, (y, x) in zip(seeing.as_grey(maps), places, strict=True):
        assert np.unravel_index(grey[..., 0].argmax(), (SIDE, SIDE)) == (y, x)
        assert grey[y, x, 0] == 255


def test_grad_cam_and_occlusion_point_at_what_the_answer_rests_on(knowing: Any) -> None:
    pictures, places = planted(CROSS, 4)
    heat = seeing.grad_cam(knowing, pictures, np.zeros(4, int))
    assert heat.shape == (4, SIDE, SIDE) and heat.min() >= 0 and heat.max() == pytest.approx(1)
    for picture, warm, (y, x) in zip(pictures, heat, places, strict=True):
        assert np.unravel_index(warm.argmax(), warm.shape) == (y, x)
        lost = seeing.occlusion(knowing, picture, 0)
        top, left = np.unravel_index(lost.argmax(), lost.shape)
        assert abs(top - y) <= 3 and abs(left - x) <= 3
        assert lost.max() > 0.1
        assert seeing.occlusion(knowing, picture, 1).max() < lost.max()


def test_a_dream_excites_its_channel_more_than_any_picture_of_noise(knowing: Any) -> None:
    made = seeing.dreams(knowing, {"shapes": np.array([0, 1])}, steps=24)["shapes"]
    assert made.shape == (2, SIDE, SIDE, 1) and made.dtype == np.uint8
    noise = DRAW.integers(0, 256, (50, SIDE, SIDE, 1)).astype("uint8")
    dreamt, random = (seeing.feature_maps(knowing, x)["shapes"].mean((1, 2)) for x in (made, noise))
    assert dreamt[0, 0] > 2 * random[:, 0].max()
    assert dreamt[1, 1] > 2 * random[:, 1].max()
    again = seeing.dreams(knowing, {"shapes": np.array([0, 1])}, steps=24)["shapes"]
    np.testing.assert_array_equal(made, again)


def test_the_strongest_of_all_places_does_not_mind_shifts_and_flattened_maps_do(knowing: Any) -> None:
    pictures, _ = planted(CROSS, 30)

    def right(outputs: np.ndarray) -> float:
        return float((outputs.argmax(1) == 0).mean())

    told = seeing.under_shifts(knowing, pictures, right, most=2)
    assert [one["pixels"] for one in told] == [0, 1, 2]
    assert [one["value"] for one in told] == [1.0, 1.0, 1.0]

    fixed = keras.Sequential([keras.Input((4, 4, 1), dtype="uint8"), keras.layers.Flatten(), keras.layers.Dense(2)])
    fixed.layers[-1].set_weights([np.eye(16, 2), np.zeros(2)])
    corner = np.zeros((1, 4, 4, 1), "uint8")
    corner[0, 0, 0] = 9
    lost = seeing.under_shifts(keras.Model(fixed.inputs, fixed.outputs), corner, lambda outputs: outputs[0, 0], most=1)
    # To the right and down the edge is repeated, to the left and up the pixel leaves.
    assert lost == [{"pixels": 0, "value": 9.0}, {"pixels": 1, "value": 4.5}]


def test_shifted_pictures_repeat_their_edge() -> None:
    picture = np.arange(6).reshape(1, 2, 3, 1)
    np.testing.assert_array_equal(seeing.shifted(picture, 0, 1)[0, ..., 0], [[0, 0, 1], [3, 3, 4]])
    np.testing.assert_array_equal(seeing.shifted(picture, -1, 0)[0, ..., 0], [[3, 4, 5], [3, 4, 5]])


@pytest.mark.parametrize("head", [TEN, Head(1, "sigmoid", "BinaryCrossentropy", {})])
def test_a_network_of_views_is_seen_with_the_picture_alone(head: Head) -> None:
    options = {"filters": [4, 6], "flips": "yes", "shift": 2}
    model = of_zoo(Airbench(), (12, 12, 3), head, **options)
    alone = of_zoo(Airbench(), (12, 12, 3), head, views=False, **options)
    pictures = DRAW.integers(0, 256, (7, 12, 12, 3)).astype("uint8")
    expected = predict(alone, {"pictures": pictures})
    np.testing.assert_allclose(seeing.plain_outputs(model)(pictures), expected, atol=1e-6)
    assert not np.allclose(predict(model, {"pictures": pictures}), expected, atol=1e-4)
    maps = seeing.feature_maps(model, pictures)
    assert {name: answers.shape[1:] for name, answers in maps.items()} == {
        "whitened_activation": (11, 11, 24),
        "activation_1a": (5, 5, 4),
        "activation_1b": (5, 5, 4),
        "activation_2a": (2, 2, 6),
        "activation_2b": (2, 2, 6),
    }
    patches = seeing.exciting_patches(model, pictures, channels=2, patches=3)
    assert patches["activation_1a"].patches.shape == (2, 3, 5, 5, 3)
    assert seeing.grad_cam(model, pictures, np.zeros(7, int)).shape == (7, 12, 12)
    assert seeing.occlusion(model, pictures[0], 0).shape == (12, 12)
    assert seeing.hidden_map(model, pictures).shape == (7, 2)
    assert seeing.dreams(model, {"activation_2b": np.array([1])}, steps=2)["activation_2b"].shape == (1, 12, 12, 3)
    assert [row["name"] for row in seeing.stack(model)][:3] == ["pictures", "moved", "scaled"]


def test_of_networks_that_answer_together_the_first_is_seen() -> None:
    pictures = keras.Input((8, 8, 1), dtype="uint8", name="pictures")
    answers = []
    for name in ("first", "second"):
        x = PictureScale(name=f"{name}_scaled")(pictures)
        x = keras.layers.Conv2D(3, 3, activation="relu", name=f"{name}_convolution")(x)
        x = keras.layers.GlobalMaxPooling2D(name=f"{name}_strongest")(x)
        answers.append(keras.layers.Dense(2, activation="softmax", name=f"{name}_output")(x))
    model = keras.Model({"pictures": pictures}, WeightedMean([0.7, 0.3], name="together")(answers))
    shown = DRAW.integers(0, 256, (4, 8, 8, 1)).astype("uint8")
    first = keras.Model({"pictures": pictures}, answers[0])
    np.testing.assert_allclose(seeing.plain_outputs(model)(shown), predict(first, {"pictures": shown}), atol=1e-6)
    assert list(seeing.feature_maps(model, shown)) == ["first_convolution"]
    assert seeing.grad_cam(model, shown, np.array([0, 1, 0, 1])).shape == (4, 8, 8)
    names = [row["name"] for row in seeing.stack(model)]
    assert names == ["pictures", "first_scaled", "first_convolution", "first_strongest", "first_output", "together"]


def test_what_is_late_is_shown_in_part(knowing: Any) -> None:
    pictures, _ = planted(CROSS, 100)
    asked: list[bool] = []

    def late() -> bool:
        asked.append(True)
        return len(asked) > 1

    found = seeing.exciting_patches(knowing, pictures, patches=100, late=lambda: True)["shapes"]
    assert found.pictures.shape[1] == seeing.BATCH
    told = seeing.under_shifts(knowing, pictures, lambda outputs: 1.0, late=late)
    assert [one["pixels"] for one in told] == [0, 1]
    assert seeing.dreams(knowing, {"shapes": np.array([0])}, late=lambda: True) == {}
