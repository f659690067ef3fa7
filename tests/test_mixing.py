"""Blended and pasted training pictures: targets follow the pictures, draws follow the seed, resume is exact."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from nervura import contracts, keeping, training
from nervura.designing import Design, design
from nervura.errors import OptionError
from nervura.mixing import Mixing, mixed_targets, mixing_for
from nervura.run import Run
from nervura.zoo import zoo
from nervura.zoo.base import read_options

keras = pytest.importorskip("keras")

DATASET = contracts.pictures_example(3)
ROWS, SIDE = 12, 40
# Each picture is of one grey of its own, so that what is from whom can be read off a mixed one.
PICTURES = np.repeat(np.arange(ROWS, dtype="uint8") * 20, SIDE * SIDE).reshape(ROWS, SIDE, SIDE, 1)
ONE_HOT = np.eye(ROWS, dtype="float32")


def mixed(mixing: Mixing, epoch: int = 0, step: int = 0, target: np.ndarray = ONE_HOT) -> tuple[np.ndarray, np.ndarray]:
    x, y, weights = mixing(epoch, step, ({"pictures": PICTURES}, target, None))
    assert weights is None and x["pictures"].dtype == np.uint8 and x["pictures"].shape == PICTURES.shape
    return x["pictures"], y


@pytest.mark.parametrize("mixing", [Mixing(0.4, 0, 1), Mixing(0, 1.0, 1), Mixing(0.4, 1.0, 1)])
def test_shares_of_classes_sum_to_one_and_are_those_of_the_pictures(mixing: Mixing) -> None:
    for step in range(20):
        pictures, y = mixed(mixing, step=step)
        np.testing.assert_allclose(y.sum(1), 1, rtol=1e-6)
        np.testing.assert_allclose(y.sum(0), 1, rtol=1e-5, err_msg="each picture is given away once")
        # The mean grey of a mixed picture is that of its label.
        np.testing.assert_allclose(pictures.mean((1, 2, 3)), y @ (np.arange(ROWS) * 20), atol=0.51)


def test_the_mean_share_and_its_spread_are_those_of_the_beta_distribution() -> None:
    shares = []
    for step in range(600):
        _, y = mixed(Mixing(0.5, 0, 3), step=step)
        moved = y.max(1) < 1
        if moved.any():
            shares.append(y[0, 0] if moved[0] else float(y[moved][0, np.flatnonzero(moved)[0]]))
    assert np.mean(shares) == pytest.approx(0.5, abs=0.05)
    assert np.var(shares) == pytest.approx(1 / (4 * (2 * 0.5 + 1)), abs=0.02)  # of Beta(a, a)


def test_the_area_of_the_pasted_rectangle_is_what_is_left_of_one() -> None:
    areas = []
    for step in range(50):
        pictures, y = mixed(Mixing(0, 1.0, 2), step=step)
        for row in range(ROWS):
            foreign = pictures[row, ..., 0] != PICTURES[row, ..., 0]
            if foreign.any():
                assert foreign.mean() == pytest.approx(1 - y[row, row], abs=1e-6)
                down, across = np.flatnonzero(foreign.any(1)), np.flatnonzero(foreign.any(0))
                assert foreign.sum() == len(down) * len(across), "it is a rectangle"
                assert np.ptp(down) == len(down) - 1 and np.ptp(across) == len(across) - 1
                areas.append(foreign.mean())
    assert np.ptp(areas) > 0.5


def test_values_are_mixed_by_the_shares_too() -> None:
    values = np.linspace(-1, 1, ROWS).astype("float32")
    _, y = mixed(Mixing(0.4, 0, 5), target=values)
    _, shares = mixed(Mixing(0.4, 0, 5))
    np.testing.assert_allclose(y, shares @ values, atol=1e-6)


def test_with_weights_the_loss_is_the_mixed_loss_of_both_rows() -> None:
    draw = np.random.default_rng(0)
    target, weights, others = np.eye(3)[draw.integers(0, 3, 9)], draw.uniform(0.2, 3, 9), draw.permutation(9)
    surprise = -np.log(draw.dirichlet(np.ones(3), 9))
    y, w = mixed_targets(target, weights, others, 0.3)
    assert w is not None
    np.testing.assert_allclose(y.sum(1), 1, rtol=1e-6)
    expected = 0.3 * weights * (target * surprise).sum(1) + 0.7 * weights[others] * (target[others] * surprise).sum(1)
    np.testing.assert_allclose(w * (y * surprise).sum(1), expected, rtol=1e-5)


def test_what_is_drawn_depends_on_seed_epoch_and_step_alone() -> None:
    first = mixed(Mixing(0.4, 1.0, 1), 2, 3)[0]
    np.testing.assert_array_equal(first, mixed(Mixing(0.4, 1.0, 1), 2, 3)[0])
    for seed, epoch, step in ((2, 2, 3), (1, 3, 3), (1, 2, 4)):
        assert (first != mixed(Mixing(0.4, 1.0, seed), epoch, step)[0]).any()


def test_mixing_is_off_unless_asked_for_and_refused_where_there_is_nothing_to_mix() -> None:
    networks = [network for network in zoo if "pictures" in network.takes]
    assert {network.name for network in networks} >= {"airbench", "convolutional", "pretrained", "residual"}
    for network in networks:
        assert mixing_for(read_options(network.Options, {}), 0, 32) is None
    options = read_options(zoo.load("convolutional").Options, {"mixup": "0.2"})
    assert mixing_for(options, 0, 32) == Mixing(0.2, 0.0, 0)
    with pytest.raises(OptionError, match="takes two at least; a batch has 1 picture"):
        mixing_for(options, 0, 1)
    with pytest.raises(OptionError, match="There is no option 'mixup'"):
        read_options(zoo.load("tabm").Options, {"mixup": 0.2})


QUICK = {"filters": [4], "dense": [8], "batch_size": 16, "epochs": 4, "mixup": 0.4, "cutmix": 1.0}


def made(**options: Any) -> Design:
    return design(DATASET.problem, "convolutional", DATASET.schema, {**QUICK, **options}, seed=2)


class Killed(Exception):
    pass


def kill(progress: keeping.Progress) -> None:
    if progress.epoch == 2:
        raise Killed


def test_a_mixed_training_that_was_killed_goes_on_exactly(tmp_path: Path) -> None:
    rows = DATASET.arrays("train"), DATASET.arrays("validation")
    whole, resumed, run = made(class_weight="balanced"), made(class_weight="balanced"), Run.create(tmp_path / "run")
    expected = training.fit(whole, *rows)
    with patch.object(keeping, "CHECKPOINT_SECONDS", -1.0):
        with pytest.raises(Killed):
            training.fit(made(class_weight="balanced"), *rows, run=run, watchers=[kill])
        found = training.fit(resumed, *rows, run=run)
    assert found.history["loss"] == expected.history["loss"]
    for a, b in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    plain = training.fit(made(mixup=0.0, cutmix=0.0, class_weight="balanced"), *rows)
    assert plain.history["loss"] != expected.history["loss"]


@pytest.mark.parametrize("classes", [2, None])
def test_yes_or_no_and_values_are_learnt_from_mixed_pictures(classes: int | None) -> None:
    dataset = contracts.pictures_example(classes)
    designed = design(dataset.problem, "convolutional", dataset.schema, {**QUICK, "epochs": 8, "learning_rate": 0.01})
    fit = training.fit(designed, dataset.arrays("train"), dataset.arrays("validation"))
    assert fit.history["loss"][-1] < fit.history["loss"][0]
