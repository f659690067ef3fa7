"""Fitting a design to encoded rows: a function of the seed, stopped in time, and resumed as if it had not stopped."""

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nervura import contracts, keeping, training
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.run import Run
from nervura.zoo import zoo

keras = pytest.importorskip("keras")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    draw = np.random.default_rng(0)
    x, z = draw.normal(size=(2, 400))
    y = np.where(x * z + 0.3 * draw.normal(size=400) > 0, "a", "b")
    return Dataset.open(pl.DataFrame({"x": x, "z": z, "c": draw.choice(["u", "v"], 400), "y": y}), "y")


def made(dataset: Dataset, seed: int = 0, **options: Any) -> Design:
    chosen = {"hidden": [8, 4], "epochs": 6, "learning_rate": 0.01, "dropout": 0.2, **options}
    return design(dataset.problem, "feed_forward", dataset.schema, chosen, seed)


def fit(dataset: Dataset, designed: Design, **more: Any) -> training.Fit:
    return training.fit(designed, dataset.arrays("train"), dataset.arrays("validation"), **more)


def assert_equal_weights(one: Design, other: Design) -> None:
    for a, b in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_seed_is_one_training_and_another_is_another(dataset: Dataset) -> None:
    designs = [made(dataset, seed) for seed in (3, 3, 4)]
    fits = [fit(dataset, designed) for designed in designs]
    assert_equal_weights(designs[0], designs[1])
    assert fits[0].history["val_loss"] == fits[1].history["val_loss"] != fits[2].history["val_loss"]


def test_training_stops_by_patience_and_keeps_the_best_weights(dataset: Dataset) -> None:
    designed = made(dataset, epochs=200, patience=3, learning_rate=0.3)
    found = fit(dataset, designed)
    losses = found.history["val_loss"]
    assert found.stopped == "patience"
    assert found.best_epoch == int(np.argmin(losses)) + 1 == len(losses) - 3
    x, y = dataset.arrays("validation")
    estimates = dataset.problem.estimates(training.predict(designed.model, x))
    assert dataset.problem.row_losses(y.astype(int), estimates).mean() == pytest.approx(min(losses), abs=1e-4)


def test_gains_that_are_negligible_do_not_keep_a_training_of_classes_going() -> None:
    x = np.linspace(-1, 1, 400)
    rows = pl.DataFrame({"x": x, "y": np.where(x > 0, "a", "b")}).filter(pl.col("x").abs() > 0.3)
    told_apart = Dataset.open(rows, "y")
    designed = made(told_apart, epochs=1_000, patience=5, learning_rate=0.1, dropout=0.0)
    found = fit(told_apart, designed)
    losses = found.history["val_loss"]
    assert found.stopped == "patience" and len(losses) < 200
    assert losses[-6] - min(losses[-5:]) < keeping.NEGLIGIBLE
    assert found.best_epoch == int(np.argmin(losses)) + 1, "the best weights are kept all the same"


def test_a_deadline_that_has_passed_still_leaves_a_network(dataset: Dataset) -> None:
    designed = made(dataset, epochs=1_000)
    found = fit(dataset, designed, deadline=time.monotonic() - 1)
    assert found.stopped == "budget" and len(found.history["loss"]) <= 1
    assert np.isfinite(training.predict(designed.model, dataset.arrays("test")[0])).all()


def test_a_deadline_is_kept(dataset: Dataset) -> None:
    designed = made(dataset, epochs=100_000, patience=100_000)
    # What compiling takes on this machine is not known beforehand, so the deadline is set once epochs go on.
    began = time.monotonic()
    fit(dataset, made(dataset, epochs=1))
    allowed = time.monotonic() - began + 1.0
    began = time.monotonic()
    found = fit(dataset, designed, deadline=began + allowed)
    assert found.stopped == "budget" and found.best_epoch >= 1
    assert time.monotonic() - began < allowed + 1.0


def test_the_history_tells_the_error_signal_of_every_layer(dataset: Dataset) -> None:
    designed = made(dataset)
    history = fit(dataset, designed).history
    layers = [layer.name for layer in designed.model.layers if layer.trainable_variables]
    assert layers == ["hidden_1", "hidden_2", "output"]
    for measure in ("gradient", "weight", "change"):
        for layer in layers:
            values = history[f"{measure}/{layer}"]
            assert len(values) == 6 and all(math.isfinite(value) and value > 0 for value in values)
    assert history["epoch"] == [1, 2, 3, 4, 5, 6]
    text = keeping.history_csv(history).splitlines()
    assert text[0].split(",") == list(history) and len(text) == 7


def test_watchers_are_told_of_every_epoch(dataset: Dataset) -> None:
    told: list[keeping.Progress] = []
    found = fit(dataset, made(dataset), watchers=[told.append])
    assert [progress.epoch for progress in told] == [1, 2, 3, 4, 5, 6]
    assert [progress.validation_loss for progress in told] == found.history["val_loss"]
    assert told[-1].best == min(found.history["val_loss"]) and told[-1].seconds_left == 0
    assert all(progress.epochs == 6 for progress in told)


class Stop:
    """A watcher that interrupts, as Ctrl-C does, after so many epochs."""

    def __init__(self, epoch: int):
        self.epoch = epoch

    def __call__(self, progress: keeping.Progress) -> None:
        if progress.epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.mark.parametrize("options", [{}, {"optimizer": "sgd", "schedule": "cosine", "dropout": 0.0}])
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    dataset: Dataset, tmp_path: Path, options: dict[str, Any]
) -> None:
    whole = made(dataset, **options)
    expected = fit(dataset, whole)
    run = Run.create(tmp_path / "run")
    for epoch in (2, 5):
        with pytest.raises(KeyboardInterrupt):
            fit(dataset, made(dataset, **options), run=run, watchers=[Stop(epoch)])
    resumed = made(dataset, **options)
    seen: list[int] = []
    found = fit(dataset, resumed, run=run, watchers=[lambda progress: seen.append(progress.epoch)])
    assert seen == [6]
    assert_equal_weights(whole, resumed)
    assert found.best_epoch == expected.best_epoch
    assert set(found.history) == set(expected.history)
    for name, values in expected.history.items():
        if name != "seconds":
            np.testing.assert_array_equal(found.history[name], values, err_msg=name)


def test_a_loss_that_is_no_number_ends_the_training_and_the_best_weights_stay(dataset: Dataset) -> None:
    designed = made(dataset, epochs=50, optimizer="sgd", learning_rate=10.0, hidden=[64, 64, 64, 64], dropout=0.0)
    (x, y), validation = dataset.arrays("train"), dataset.arrays("validation")
    huge = {name: array * np.float32(1e6) if array.dtype == np.float32 else array for name, array in x.items()}
    found = training.fit(designed, (huge, y), validation)
    assert "no longer a number" in found.stopped
    assert all(np.isfinite(weights).all() for weights in designed.model.get_weights())


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (10, 64),
        (1_999, 64),
        (2_000, 128),
        (9_999, 128),
        (10_000, 256),
        (50_000, 1_024),
        (499_999, 1_024),
        (500_000, 4_096),
    ],
)
def test_the_batch_size_by_the_number_of_rows(rows: int, size: int) -> None:
    assert training.batch_size_for(rows) == size


def test_the_batch_size_is_the_rule_or_the_option_and_never_more_than_the_rows(dataset: Dataset) -> None:
    assert fit(dataset, made(dataset, epochs=1)).batch_size == 64
    assert fit(dataset, made(dataset, epochs=1, batch_size=7)).batch_size == 7
    assert fit(dataset, made(dataset, epochs=1, batch_size=5_000)).batch_size == dataset.rows("train")


@pytest.mark.parametrize("rows", [1, 7, 64, 1_000])
def test_each_pass_is_a_fresh_order_of_rows_that_depends_on_seed_and_pass(rows: int) -> None:
    order, steps = training.row_order(rows, 64, seed=1)
    size = min(64, rows)
    first, second = order(0), order(1)
    assert len(first) == steps * size and len(set(first)) == len(first) and set(first) <= set(range(rows))
    again, _ = training.row_order(rows, 64, seed=1)
    np.testing.assert_array_equal(again(1), second)  # whatever was asked before
    if rows > 64:
        assert (first != second).any()
        assert (training.row_order(rows, 64, seed=2)[0](0) != first).any()


def test_long_epochs_are_cut_into_virtual_ones_that_cover_the_rows() -> None:
    rows = 1_200_000
    order, steps = training.row_order(rows, 4_096, seed=0)
    parts = [order(epoch) for epoch in range(3)]
    assert all(len(part) == steps * 4_096 <= training.VIRTUAL_EPOCH_ROWS for part in parts)
    joined = np.concatenate(parts)
    assert len(np.unique(joined)) == len(joined) > 0.98 * rows


def test_a_row_is_answered_alike_whatever_rows_stand_beside_it(dataset: Dataset) -> None:
    designed = made(dataset)
    x, _ = dataset.arrays("train")
    whole = training.predict(designed.model, x)
    alone = training.predict(designed.model, {name: array[5:6] for name, array in x.items()})
    np.testing.assert_allclose(alone, whole[5:6], rtol=1e-5)
    few = training.predict(designed.model, x, batch_size=50)
    np.testing.assert_allclose(few, whole, rtol=1e-5)
    none = training.predict(designed.model, {name: array[:0] for name, array in x.items()})
    assert none.shape == (0, *whole.shape[1:])


def test_balanced_classes_make_a_rare_class_likelier(dataset: Dataset) -> None:
    x, y = dataset.arrays("train")
    rare = np.flatnonzero((y == 0) | (np.arange(len(y)) % 12 == 0))
    few = {name: array[rare] for name, array in x.items()}
    means = []
    for weight in ("none", "balanced"):
        designed = made(dataset, epochs=20, hidden=[], layers=0, class_weight=weight, batch_size=32)
        training.fit(designed, (few, y[rare]), (few, y[rare]))
        means.append(training.predict(designed.model, few).mean())
    assert means[1] > means[0] + 0.05


def test_balanced_classes_weigh_the_same_where_training_stops(dataset: Dataset) -> None:
    x, y = dataset.arrays("train")
    few = np.flatnonzero((y == 0) | (np.arange(len(y)) % 12 == 0))
    designed = made(dataset, epochs=2, class_weight="balanced")
    found = training.fit(
        designed, ({name: array[few] for name, array in x.items()}, y[few]), dataset.arrays("validation")
    )
    x, truth = dataset.arrays("validation")
    shares = training.predict(designed.model, x)[:, 0]
    weights = (len(few) / (2 * np.bincount(y[few].astype(int))))[truth.astype(int)]
    losses = -np.log(np.where(truth == 1, shares, 1 - shares))
    assert min(found.history["val_loss"]) == pytest.approx(np.mean(weights * losses), rel=1e-4)


@pytest.mark.parametrize("optimizer, schedule", [("lookahead", "triangular"), ("adamw", "stable_decay")])
def test_a_budget_moves_the_end_of_a_way_that_is_to_be_gone_to_its_end(
    dataset: Dataset, optimizer: str, schedule: str
) -> None:
    way = {"patience": 100_000, "optimizer": optimizer, "schedule": schedule, "learning_rate": 0.01}
    began = time.monotonic()
    fit(dataset, made(dataset, epochs=1, **way))
    designed = made(dataset, epochs=100_000, **way)
    # The first epoch compiles; what is left after it is longer than what it took, so that others are begun.
    found = fit(dataset, designed, deadline=time.monotonic() + 2 * (time.monotonic() - began) + 2.0)
    rates = found.history["learning_rate"]
    assert found.stopped == "budget" and len(rates) < 100_000
    optimizer = designed.learner.optimizer
    way_gone = float(keras.ops.convert_to_numpy(optimizer.iterations / optimizer.end))
    assert way_gone > 0.5, "the end was planned near to where training ended"
    assert rates[-1] < 0.006 < max(rates)


class Clock(keras.callbacks.Callback):
    """A clock that only this callback moves: the steps of an epoch take a second, and the first one compiles first."""

    def __init__(self, compiling: float):
        super().__init__()
        self.now, self.compiling = 0.0, compiling

    def monotonic(self) -> float:
        return self.now

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.now += self.compiling if epoch == 0 else 0.0
        self.done = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.now += (batch + 1 - self.done) / self.params["steps"]
        self.done = batch + 1


@pytest.mark.parametrize("batch_size", [64, 2], ids=["one call an epoch", "several calls"])
def test_compiling_in_the_first_epoch_does_not_end_a_short_budget(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    clock = Clock(compiling=30.0)
    for module in (training, keeping):
        monkeypatch.setattr(module, "time", clock)
    way = {"patience": 100_000, "optimizer": "lookahead", "schedule": "triangular", "batch_size": batch_size}
    designed = made(dataset, epochs=100, **way)
    found = fit(dataset, designed, deadline=55.0, callbacks=[clock])
    rates = found.history["learning_rate"]
    assert found.stopped == "budget"
    assert 20 < len(rates) <= 25 and clock.now <= 55.0
    assert rates[-1] < 0.3 * max(rates), "the way of the learning rate was gone to its end"


def test_layers_of_pictures_compute_in_half_precision_in_training_alone() -> None:
    pictures = contracts.example_for(zoo.load("convolutional"), "binary")
    designed = design(pictures.problem, "convolutional", pictures.schema, {"epochs": 2, "precision": "bfloat16"}, 1)
    layer, seen = designed.model.get_layer("convolution_1"), []

    def see(progress: Any) -> None:
        seen.append((layer.compute_dtype, layer.variable_dtype, designed.model.get_layer("output").compute_dtype))

    found = training.fit(designed, pictures.arrays("train"), pictures.arrays("validation"), watchers=[see])
    assert seen == [("bfloat16", "float32", "float32")] * 2
    assert layer.compute_dtype == "float32"
    x, y = pictures.arrays("validation")
    outputs = training.predict(designed.model, x)
    loss = keras.ops.convert_to_numpy(training.loss_for(designed, held_out=True)(y.reshape(len(y), -1), outputs))
    assert loss == pytest.approx(min(found.history["val_loss"]), rel=0.02), (
        "what was judged in bfloat16 holds in float32"
    )
    same = design(pictures.problem, "convolutional", pictures.schema, {"epochs": 2, "precision": "float32"}, 1)
    training.fit(same, pictures.arrays("train"), pictures.arrays("validation"))
    assert not np.array_equal(training.predict(same.model, x), outputs)
