"""Carried over backbones: what Keras's own network computes, ours does too; phases, weights from everywhere, and resume."""

import math
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import nervura
from nervura import contracts, designing, keeping, seeing, training
from nervura.designing import Design, chosen_network, design
from nervura.encoding import Tensor
from nervura.errors import OptionError, RunError
from nervura.layers import backbone as backbones
from nervura.run import Run
from nervura.schema import Column, Schema
from nervura.zoo import pretrained, zoo
from nervura.zoo.base import read_options

from ..conftest import BACKBONE, CARRIED_OVER

keras = pytest.importorskip("keras")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

DATASET = contracts.pictures_example(3)
GREY = DATASET.arrays("test")[0]["pictures"][:4]


def made(weights: Any, **options: Any) -> Design:
    chosen = {
        **CARRIED_OVER,
        "weights": str(weights),
        "epochs": 4,
        "frozen_epochs": 2,
        "learning_rate": 0.01,
        **options,
    }
    return design(DATASET.problem, "pretrained", DATASET.schema, chosen, seed=1)


def numbers_of(values: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(values))


def whole(weights: Path) -> Any:
    """Keras's own network with the weights."""
    model = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3), **BACKBONE)
    model.load_weights(weights)
    return model


def features(designed: Design, pictures: np.ndarray) -> np.ndarray:
    part = keras.Model(designed.model.inputs, designed.model.get_layer("mean").output)
    return numbers_of(part({"pictures": pictures}, training=False))


def test_every_network_of_keras_applications_can_be_carried_over() -> None:
    assert set(backbones.BACKBONES) == {name for name in dir(keras.applications) if name[0].isupper()}


@pytest.mark.parametrize("backbone", [name for name in backbones.BACKBONES if not name.startswith("EfficientNetB")])
def test_pixels_are_scaled_as_keras_does(backbone: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 3)).astype("float32")
    flipped, scale, offset = backbones.scaling(backbone)
    ours = (pixels[..., ::-1] if flipped else pixels) * scale + offset
    wanted = backbones._module_of(backbone).preprocess_input(pixels.copy())
    np.testing.assert_allclose(ours, wanted, atol=2e-4)


def test_the_scaling_of_efficientnet_is_that_of_its_download() -> None:
    """Keras adds a scaling by 1 / sqrt(deviation) to the network where it downloads the weights, and only there."""
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = np.random.default_rng(0).integers(0, 256, (5, 3))
    # The download's network: a 255th, then its own mean and variance, then the scaling.
    download = (pixels / 255 - mean) / deviation * (1 / np.sqrt(deviation))
    _, scale, offset = backbones.scaling("EfficientNetB0")
    of_file = ((pixels * scale + offset) / 255 - mean) / deviation
    np.testing.assert_allclose(of_file, download, atol=1e-4)


def test_grey_and_small_pictures_reach_the_backbone_as_keras_would_see_them(backbone: Path) -> None:
    enlarged = keras.layers.Resizing(32, 32)(GREY.astype("float32"))
    seen = keras.applications.mobilenet.preprocess_input(numbers_of(enlarged).repeat(3, axis=-1))
    expected = numbers_of(whole(backbone)(seen, training=False)).mean((1, 2))
    np.testing.assert_allclose(features(made(backbone), GREY), expected, atol=1e-4)
    assert expected.std(0).max() > 0.01, "the features tell pictures apart"


def test_weights_of_every_kind_of_file_are_the_same(backbone: Path, tmp_path: Path) -> None:
    model = whole(backbone)
    model.save(tmp_path / "small.keras")
    model.save(tmp_path / "small.h5")
    made(backbone).model.save(tmp_path / "run.keras")
    expected = features(made(backbone), GREY)
    for name in ("small.keras", "small.h5", "run.keras"):
        np.testing.assert_allclose(features(made(tmp_path / name), GREY), expected, atol=1e-6)


def test_a_backbone_is_at_rest_in_training_whatever_the_phase(backbone: Path) -> None:
    designed = made(backbone, shift=0, flips="no", dropout=0.0)
    for phase in designed.network.phases(designed.options):
        designed.network.enter(designed.model, phase)
        resting, training_ = (numbers_of(designed.model({"pictures": GREY}, training=mode)) for mode in (False, True))
        np.testing.assert_array_equal(resting, training_)


def test_the_backbone_learns_in_the_second_phase_alone_and_by_its_share(backbone: Path) -> None:
    given = whole(backbone)

    def changed(**options: Any) -> list[int]:
        """Places of the backbone's layers whose weights have changed."""
        designed = made(backbone, patience=10, **options)
        training.fit(designed, DATASET.arrays("train"), DATASET.arrays("validation"))
        pairs = zip(designed.model.get_layer("backbone").layers, given.layers, strict=True)
        return [
            place
            for place, (ours, theirs) in enumerate(pairs)
            if any((a != b).any() for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True))
        ]

    # The best epoch has to be of the second phase for its weights to be kept.
    with patch.object(keeping.Keeper, "_validation_loss", lambda self: -float(self.epoch)):
        assert changed(frozen_epochs=4) == []
        share = changed(frozen_epochs=1, epochs=2, unfrozen=0.25)
    layers = given.layers
    assert share and min(share) >= len(layers) - round(0.25 * len(layers))
    assert not any(isinstance(layers[place], keras.layers.BatchNormalization) for place in share)


def test_phases_have_their_epochs_and_rates_and_the_history_tells_of_both(backbone: Path) -> None:
    told: list[keeping.Progress] = []
    designed = made(backbone, frozen_epochs=1, epochs=3, fine_tuning_rate=3e-4)
    fit = training.fit(designed, DATASET.arrays("train"), DATASET.arrays("validation"), watchers=[told.append])
    assert [progress.phase for progress in told] == ["feature extraction", "fine-tuning", "fine-tuning"]
    assert [(progress.epoch, progress.epochs) for progress in told] == [(1, 3), (2, 3), (3, 3)]
    assert fit.history["learning_rate"] == pytest.approx([0.01, 3e-4, 3e-4])
    signal = fit.history["gradient/backbone"]
    assert math.isnan(signal[0]) and all(value > 0 for value in signal[1:])
    assert {len(values) for values in fit.history.values()} == {3}
    assert len(keeping.history_csv(fit.history).splitlines()) == 4


class Killed(Exception):
    pass


def test_a_run_that_was_killed_in_either_phase_ends_with_the_same_weights(backbone: Path, tmp_path: Path) -> None:
    rows = DATASET.arrays("train"), DATASET.arrays("validation")
    expected = made(backbone)
    wanted = training.fit(expected, *rows)
    run = Run.create(tmp_path / "run")
    with patch.object(keeping, "CHECKPOINT_SECONDS", -1.0):
        for after in (2, 3):  # the end of the first phase, and the middle of the second

            def kill(progress: keeping.Progress, after: int = after) -> None:
                if progress.epoch == after:
                    raise Killed

            with pytest.raises(Killed):
                training.fit(made(backbone), *rows, run=run, watchers=[kill])
        resumed = made(backbone)
        found = training.fit(resumed, *rows, run=run)
    for a, b in zip(expected.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for name in ("loss", "val_loss", "gradient/backbone", "change/output"):
        np.testing.assert_array_equal(found.history[name], wanted.history[name])


def test_without_a_network_one_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone: Path
) -> None:
    def nowhere(*given: Any, **more: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(RunError) as caught:
        made("imagenet")
    text = str(caught.value)
    place = tmp_path / "models" / "mobilenet_2_5_224_tf_no_top.h5"
    assert str(place) in text and "--set weights=FILE" in text and "Name or service not known" in text
    assert "https://" in text and text.count("mobilenet_2_5_224_tf_no_top.h5") == 2 and "--network airbench" in text
    # What the message asks for is all that is needed.
    place.parent.mkdir(exist_ok=True)
    whole(backbone).save(place)
    np.testing.assert_allclose(features(made("imagenet"), GREY), features(made(backbone), GREY), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"backbone": "MobilNet"}, "Did you mean 'MobileNet'"),
        ({"weights": "no.weights.h5"}, "'no.weights.h5' is none"),
        ({"weights": "weights.bin"}, "given was 'weights.bin'"),
        ({"backbone": "VGG16"}, "VGG16 has none"),
        ({"alpha": 0.5}, "holds no weights of MobileNet without its top of width 0.5"),
    ],
)
def test_what_cannot_be_carried_over_is_refused(options: dict[str, Any], told: str, backbone: Path) -> None:
    with pytest.raises(OptionError, match=told):
        made(options.pop("weights", backbone), **options)


def photographs(side: int, rows: int) -> Schema:
    form = {"height": side, "width": side + 8, "channels": 3, "ceiling": 255.0, "rule": "", "rows": rows}
    return Schema([Column("picture", "image", encoding=form), Column("label", "category", role="target")], rows)


def test_few_photographs_are_learnt_by_carrying_over_where_the_weights_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert chosen_network(photographs(96, 900)) == ("airbench", None)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / backbones.DEFAULT_FILE).write_bytes(b"")
    name, why = chosen_network(photographs(96, 900))
    assert name == "pretrained" and why is not None and "900 training pictures of 96 pixels" in why
    assert chosen_network(photographs(56, 900))[0] == "airbench"
    assert chosen_network(photographs(96, designing.FEW_PHOTOGRAPHS))[0] == "airbench"


def test_the_default_file_is_what_keras_asks_for() -> None:
    with patch("keras.src.utils.file_utils.get_file", side_effect=RuntimeError) as asked, pytest.raises(RuntimeError):
        getattr(keras.applications, backbones.DEFAULT)(include_top=False, input_shape=(32, 32, 3))
    assert asked.call_args[0][0] == backbones.DEFAULT_FILE


def test_the_backbone_is_looked_into(backbone: Path) -> None:
    model = made(backbone).model
    open_ = seeing.unfolded(model)
    np.testing.assert_allclose(
        numbers_of(open_({"pictures": GREY}, training=False)),
        numbers_of(model({"pictures": GREY}, training=False)),
        atol=1e-6,
    )
    rows = {row["name"]: row for row in seeing.stack(open_)}
    # Twelve pixels are enlarged to 32, so that a filter of 3 sees little more than one of them.
    assert rows["conv1"]["field"] == [2, 2] and "conv_pw_13_relu" in rows
    heat = seeing.grad_cam(open_, GREY, np.array([0, 1, 2, 0]))
    assert heat.shape == (4, 12, 12) and heat.max() <= 1


def test_channels_that_are_weighed_by_their_means_are_maps_still() -> None:
    tensors = [Tensor("pictures", "uint8", ("picture",), shape=(64, 64, 3))]
    small = keras.applications.MobileNetV3Small(include_top=False, weights=None, input_shape=(64, 64, 3))
    with patch.object(backbones, "_load"):
        options = read_options(pretrained.Pretrained.Options, {"backbone": "MobileNetV3Small", "weights": "any"})
        options.shift, options.flips = 0, "no"
        model = zoo.load("pretrained").build(tensors, DATASET.problem.head(), options, 0)
    assert len(model.get_layer("backbone").layers) == len(small.layers)
    last = seeing.map_layers(seeing.unfolded(model))[-1]
    assert last.output.shape[-1] == 576


@pytest.mark.usefixtures("quick_judgement")
def test_the_whole_way_from_training_to_code(backbone: Path, photos: Path, tmp_path: Path) -> None:
    good = tmp_path / "photos"
    shutil.copytree(photos, good, ignore=shutil.ignore_patterns("broken.jpg"))
    options = {**CARRIED_OVER, "weights": str(backbone), "epochs": 3, "frozen_epochs": 2, "learning_rate": 0.01}
    run = nervura.train(good, network="pretrained", options=options, minutes=10, out=tmp_path / "run")
    assert run.need("run")["status"] == "done"
    inside = run.need("explanation")["inside"]
    assert not inside["left_out"] and inside["excited"]
    assert run.predict(str(good)).height == 90
    code = run.export("code")
    text = (code / "model.py").read_text()
    assert "applications.MobileNet(" in text and len(text.splitlines()) <= 150
    for words in (["-m", "ruff", "check", code], ["-m", "ruff", "format", "--check", code], [code / "train.py", good]):
        done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "test log_loss" in done.stdout
