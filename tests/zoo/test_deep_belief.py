"""The deep belief net: machine by machine, unrolled or given an output, fine-tuned; what its pretraining gains."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from nervura import contracts, keeping, training
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.errors import OptionError
from nervura.run import Run

DATASET = contracts.pictures_example(4)
OPTIONS = {"hidden": [16, 8], "latent_dim": 2, "pretraining_epochs": 2, "epochs": 2, "pretraining_rate": 0.01}


PICTURES = Dataset.open(DATASET.table.frame.drop("y").collect(), problem="embedding")


def made(**options: Any) -> Design:
    return design(PICTURES.problem, "deep_belief", PICTURES.schema, {**OPTIONS, **options})


def fitted(one: Design, run: Run | None = None, watch: Any = None) -> Any:
    rows = (PICTURES.arrays(part) for part in ("train", "validation"))
    return training.fit(one, *rows, run=run, watchers=[watch] if watch else [])


def test_its_phases_are_the_machines_and_then_fine_tuning() -> None:
    seen = []
    fitted(made(), watch=lambda progress: seen.append(progress.phase))
    machines = [name for number in (1, 2, 3) for name in [f"Boltzmann machine {number} of 3"] * 2]
    assert seen == [*machines, "fine-tuning", "fine-tuning"]


def test_a_machine_learns_alone_and_is_unrolled_behind_it() -> None:
    one = made()
    phases = one.network.phases(one.options)
    stack = one.learner.objective.stack
    before = keras.ops.convert_to_numpy(stack[0][0].kernel)
    one.network.enter(one.learner, phases[1])
    assert np.array_equal(keras.ops.convert_to_numpy(stack[0][1].kernel), before.T)
    names = [variable.path for variable in one.learner.trainable_variables]
    assert sorted(names) == ["decoder_1/bias", "encoder_2/bias", "encoder_2/kernel"]
    one.network.enter(one.learner, phases[-1])
    assert len(one.learner.trainable_variables) == 12


def test_pretraining_is_left_out_when_asked() -> None:
    one = made(pretraining="no")
    assert [phase.name for phase in one.network.phases(one.options)] == ["training"]


@pytest.fixture(scope="module")
def whole() -> Design:
    """After a training that nothing stopped."""
    one = made()
    fitted(one)
    return one


@pytest.mark.parametrize("epoch", [2, 7])
def test_a_run_that_is_killed_in_any_phase_goes_on_to_the_same_weights(
    epoch: int, whole: Design, tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    def kill(progress: keeping.Progress) -> None:
        if progress.epoch == epoch:
            raise Killed

    run, resumed = Run.create(tmp_path / "run"), made()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "CHECKPOINT_SECONDS", -1.0)
        with pytest.raises(Killed):
            fitted(made(), run, kill)
        fitted(resumed, run)
    pairs = zip(whole.model.variables, resumed.model.variables, strict=True)
    assert all(np.array_equal(*map(keras.ops.convert_to_numpy, pair)) for pair in pairs)


def test_a_deep_stack_of_sigmoids_hardly_learns_unless_it_is_pretrained() -> None:
    """As in the paper of 2006: without pretraining the network answers the mean picture."""
    digits = Dataset.open((load_digits().images[:1000] * 15.9).astype("uint8"), problem="embedding")
    how = {"hidden": [64, 32, 16], "latent_dim": 4, "epochs": 10, "pretraining_epochs": 10}
    rates = {"pretraining_rate": 0.01, "learning_rate": 3e-3}
    losses = []
    for pretraining in ("yes", "no"):
        one = design(digits.problem, "deep_belief", digits.schema, {**how, **rates, "pretraining": pretraining})
        fit = training.fit(one, digits.arrays("train"), digits.arrays("validation"))
        losses.append(fit.history["val_loss"][-1])
    pictures = digits.arrays("validation")[0]["pictures"] / 255
    mean = np.square(pictures - pictures.mean(0)).sum((1, 2, 3)).mean()
    assert losses[0] < 0.7 * mean
    assert losses[1] > 0.95 * mean


CLASSES = {"hidden": [16, 8], "pretraining_epochs": 2, "epochs": 2}


def test_with_a_target_its_machines_learn_one_by_one_and_then_the_output_with_all_layers() -> None:
    one = design(DATASET.problem, "deep_belief", DATASET.schema, CLASSES)
    assert [layer["name"] for layer in one.layers][-3:] == ["encoder_1", "encoder_2", "output"]
    learning = []
    for phase in one.phases:
        one.enter(phase)
        learning.append(sorted(variable.path for variable in one.learner.trainable_variables))
    assert learning == [
        ["below_encoder_1/bias", "encoder_1/bias", "encoder_1/kernel"],
        ["below_encoder_2/bias", "encoder_2/bias", "encoder_2/kernel"],
        sorted(variable.path for variable in one.model.trainable_variables),
    ]


def test_with_a_target_it_has_no_code() -> None:
    with pytest.raises(OptionError, match="hidden=500x250x2"):
        design(DATASET.problem, "deep_belief", DATASET.schema, {"latent_dim": 2})


def test_pretraining_makes_a_deep_stack_of_sigmoids_tell_classes() -> None:
    """Without it, three layers of sigmoids from small weights answer the shares of the classes."""
    digits, y = load_digits(return_X_y=True)
    dataset = Dataset.open(((digits[:800] * 15.9).astype("uint8").reshape(-1, 8, 8), y[:800]), problem="multiclass")
    how = {
        "hidden": [64, 32, 16],
        "epochs": 12,
        "learning_rate": 3e-3,
        "pretraining_epochs": 10,
        "pretraining_rate": 0.01,
    }
    losses = []
    for pretraining in ("yes", "no"):
        one = design(dataset.problem, "deep_belief", dataset.schema, {**how, "pretraining": pretraining})
        fit = training.fit(one, dataset.arrays("train"), dataset.arrays("validation"))
        losses.append(fit.history["val_loss"][-1])
    assert losses[0] < 0.85 * losses[1]
