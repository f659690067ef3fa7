"""The recipe for small pictures: what the PyTorch original computes, ours does too."""

from typing import Any

import numpy as np
import pytest

from nervura.encoding import Tensor
from nervura.layers.whitened_patches import WhitenedPatches
from nervura.problems.base import Head
from nervura.training import predict
from nervura.zoo.airbench import Airbench
from nervura.zoo.base import read_options

keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)
TEN = Head(10, "softmax", "CategoricalCrossentropy", {"label_smoothing": 0.2})
PICTURES = DRAW.integers(0, 256, (70, 32, 32, 3)).astype("uint8")
# Neighbouring pixels are alike, as in photographs.
PICTURES[:, 1:] = (PICTURES[:, 1:] // 2 + PICTURES[:, :-1] // 2).astype("uint8")


def numbers_of(values: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(values))


def made(shape: tuple[int, ...] = (32, 32, 3), head: Head = TEN, facts: Any = None, **options: Any) -> Any:
    network = Airbench()
    tensors = [Tensor("pictures", "uint8", ("picture",), shape=shape, facts=facts or {})]
    given = read_options(network.Options, options)
    network.settle(given, head, tensors)
    return network.build(tensors, head, given, seed=0)


def original(filters: list[int], shift: int) -> Any:
    """The network of airbench94.py with its multi-crop prediction, written down from the paper (K. Jordan, 2024)."""
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Norm(nn.BatchNorm2d):
        def __init__(self, width: int) -> None:
            super().__init__(width, eps=1e-12, momentum=0.4)
            self.weight.requires_grad = False

    def block(inside: int, outside: int) -> Any:
        first = nn.Conv2d(inside, outside, 3, padding="same", bias=False)
        second = nn.Conv2d(outside, outside, 3, padding="same", bias=False)
        return nn.Sequential(first, nn.MaxPool2d(2), Norm(outside), nn.GELU(), second, Norm(outside), nn.GELU())

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [24, *filters]
            self.whitening = nn.Conv2d(3, 24, 2)
            self.blocks = nn.Sequential(nn.GELU(), *map(block, widths[:-1], widths[1:]), nn.MaxPool2d(3))
            self.out = nn.Linear(filters[-1], 10, bias=False)

        def forward(self, x: Any) -> Any:
            return self.out(self.blocks(self.whitening(x)).flatten(1)) / 9

        def seen(self, x: Any) -> Any:
            """Half the picture as it is, half its two shifts, each beside its mirror image."""

            def mirrored(inputs: Any) -> Any:
                return 0.5 * self(inputs) + 0.5 * self(inputs.flip(-1))

            size = x.shape[-1]
            wide = nn.functional.pad(x, (shift,) * 4, "reflect")
            shifts = [wide[:, :, :size, :size], wide[:, :, 2 * shift :, 2 * shift :]]
            return 0.5 * mirrored(x) + 0.5 * torch.stack([mirrored(s) for s in shifts]).mean(0)

    return Whole().eval()


def take_over(model: Any, theirs: Any) -> None:
    """Gives the original our weights."""
    import torch

    def tensor(values: Any) -> Any:
        return torch.tensor(np.array(numbers_of(values)))

    def kernel(values: Any) -> Any:
        return tensor(values).permute(3, 2, 0, 1)

    whitened = model.get_layer("whitened")
    state = {"whitening.weight": kernel(whitened.kernel), "whitening.bias": tensor(whitened.bias)}
    for i in (1, 2, 3):
        for part, (convolution, norm) in {"a": (0, 2), "b": (4, 5)}.items():
            statistics = model.get_layer(f"normalization_{i}{part}")
            state |= {
                f"blocks.{i}.{convolution}.weight": kernel(model.get_layer(f"convolution_{i}{part}").kernel),
                f"blocks.{i}.{norm}.bias": tensor(model.get_layer(f"bias_{i}{part}").bias.value),
                f"blocks.{i}.{norm}.running_mean": tensor(statistics.moving_mean),
                f"blocks.{i}.{norm}.running_var": tensor(statistics.moving_variance),
            }
    state["out.weight"] = tensor(model.get_layer("sums").kernel).T
    missing = theirs.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith((".weight", "num_batches_tracked")) for name in missing.missing_keys)


def test_the_same_weights_answer_as_the_original() -> None:
    import torch

    filters = [16, 32, 40]
    model = made(filters=filters, flips="yes")
    Airbench().prepare(model, {"pictures": PICTURES})
    for variable in model.variables:
        # Statistics and biases away from where they begin, so that each of them shows.
        if "variance" in variable.path:
            variable.assign(DRAW.uniform(0.5, 2.0, variable.shape))
        elif "moving_mean" in variable.path or "bias" in variable.path:
            variable.assign(DRAW.normal(0, 0.3, variable.shape))
    theirs = original(filters, shift=1)
    take_over(model, theirs)
    scaled = numbers_of(model.get_layer("scaled")(PICTURES)).transpose(0, 3, 1, 2)
    with torch.no_grad():
        expected = theirs.seen(torch.tensor(scaled)).numpy()
    logits = keras.Model(model.inputs, model.get_layer("mean_of_views").output)
    np.testing.assert_allclose(predict(logits, {"pictures": PICTURES}), expected, atol=1e-4)
    assert np.abs(expected).max() > 0.05, "logits that are all nearly zero would agree anyway"


def test_with_all_filters_it_has_the_weights_of_the_original() -> None:
    """Jordan (2024), section 3: 1.97 million, of which the first convolution's 288 are not trained."""
    model = made(filters=[64, 256, 256])
    kernels = [24 * 64 * 9, 64 * 64 * 9, 64 * 256 * 9, *[256 * 256 * 9] * 3, 256 * 10]
    assert sum(np.prod(v.shape) for v in model.trainable_variables) == sum(kernels) + 24 + 2 * (64 + 256 + 256)
    assert 1.96e6 < sum(kernels) < 1.98e6


def test_the_first_convolution_decorrelates_the_patches_of_the_training_pictures() -> None:
    layer = WhitenedPatches(2)
    pictures = PICTURES / 128.0 - 1
    layer.build(pictures.shape)
    layer.adapt(pictures)
    answers = numbers_of(layer(pictures.astype("float32"))).reshape(-1, 24)
    second_moments = answers.T @ answers / len(answers)
    np.testing.assert_allclose(second_moments[:12, :12], np.eye(12), atol=0.02)
    np.testing.assert_allclose(answers[:, :12], -answers[:, 12:], atol=1e-5)


def test_blocks_begin_as_the_identity() -> None:
    model = made(filters=[24, 24])
    maps = DRAW.normal(size=(2, 31, 31, 24)).astype("float32")
    np.testing.assert_allclose(numbers_of(model.get_layer("convolution_1a")(maps)), maps, atol=1e-6)


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (12, 20, 3), (1, 1, 1), (96, 64, 3), (5, 300, 1)])
@pytest.mark.parametrize(
    "head", [TEN, Head(1, "sigmoid", "BinaryCrossentropy", {}), Head(1, "linear", "MeanSquaredError", {})]
)
def test_it_is_built_for_any_size_and_answer(shape: tuple[int, ...], head: Head) -> None:
    model = made(shape, head, filters=[4, 8, 8], flips="yes")
    pictures = DRAW.integers(0, 256, (4, *shape)).astype("uint8")
    assert model({"pictures": pictures}, training=True).shape == (4, head.units)
    assert predict(model, {"pictures": pictures}).shape == (4, head.units)


def settled(facts: dict[str, Any], shape: tuple[int, ...] = (32, 32, 3), **given: Any) -> Any:
    network = Airbench()
    options = read_options(network.Options, given)
    reason = network.settle(options, TEN, [Tensor("pictures", "uint8", ("picture",), shape=shape, facts=facts)])
    return options, reason


@pytest.mark.parametrize("alike", [True, False])
def test_pictures_are_mirrored_where_the_training_pictures_allow_it(alike: bool) -> None:
    told = {"alike": alike, "pictures": 2_000, "distance": 1.4, "skill": 0.9, "skill_mirrored": 0.4}
    options, reason = settled({"mirroring": told})
    assert options.flips == ("yes" if alike else "no")
    assert f"{'are' if alike else 'are not'} mirrored in training: of 2,000 training pictures" in reason
    model = made(facts={"mirroring": told})
    assert model.get_layer("moved").flips is alike
    assert model.get_layer("views").flips is alike
    options, reason = settled({"mirroring": told}, flips="yes")
    assert (options.flips, reason) == ("yes", None)


def test_passes_batches_and_filters_follow_from_the_pictures() -> None:
    grey, _ = settled({"rows": 60_000}, (28, 28, 1))
    assert (grey.epochs, grey.batch_size, grey.learning_rate, grey.shift) == (8, 512, 0.75, 2)
    assert grey.filters == [16, 64, 64]
    few, _ = settled({"rows": 400}, (96, 96, 3))
    assert (few.epochs, few.batch_size, few.shift) == (64, 32, 6)
    assert few.filters == [32, 128, 128]
    asked, _ = settled({"rows": 400}, filters=[8], epochs=3, batch_size=100, learning_rate=0.1, shift=0)
    assert (asked.filters, asked.epochs, asked.batch_size, asked.learning_rate, asked.shift) == ([8], 3, 100, 0.1, 0)
