"""What must hold on TensorFlow, JAX and PyTorch alike; run once with each: KERAS_BACKEND=jax pytest tests/test_backends.py"""

import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nervura import backend, contracts, keeping, training
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.layers.level_embedding import LevelEmbedding
from nervura.layers.one_hot import OneHot
from nervura.layers.quantile_bins import QuantileBins
from nervura.layers.smooth_clip import SmoothClip
from nervura.run import Run
from nervura.zoo import zoo

from .conftest import SMALLER

keras = pytest.importorskip("keras")

DRAW = np.random.default_rng(0)
NUMBERS = DRAW.normal(size=(7, 3)).astype("float32")
CODES = np.column_stack([DRAW.integers(size, size=7) for size in (4, 3)]).astype("int32")


@cache
def example(problem: str, network: str = "feed_forward") -> Dataset:
    return contracts.example_for(zoo.load(network), problem)


SLOWER: dict[str, dict[str, Any]] = {
    "convolutional": {"learning_rate": 1e-3},
    "residual": {"depth": 8, "learning_rate": 0.0},
    "temporal_convolution": {"learning_rate": 1e-3},
}
"""Options of networks that would take long in their usual size, or that learn the example to the last digit within a few
epochs; the learning rates are those of the networks themselves."""


def fitted(network: str, problem: str, epochs: int = 8, **more: Any) -> tuple[Design, training.Fit]:
    dataset = example(problem, network)
    options = {"epochs": epochs, "learning_rate": 0.01, **more}
    made = design(dataset.problem, network, dataset.schema, options, seed=1)
    return made, training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))


def test_backend_is_the_one_asked_for() -> None:
    asked = os.environ.get("KERAS_BACKEND", "tensorflow")
    assert keras.backend.backend() == asked == backend.choose()
    assert set(backend.versions()) >= {"keras", {"torch": "torch"}.get(asked, asked)}


def numbers_of(outputs: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(outputs))


def test_smooth_clip() -> None:
    expected = NUMBERS / np.sqrt(1 + (NUMBERS / 2) ** 2)
    np.testing.assert_allclose(numbers_of(SmoothClip(2.0)(NUMBERS)), expected, rtol=1e-6)


def test_one_hot() -> None:
    expected = np.concatenate([np.eye(4)[CODES[:, 0]], np.eye(3)[CODES[:, 1]]], axis=1)
    np.testing.assert_array_equal(numbers_of(OneHot([4, 3])(CODES)), expected)


def test_level_embedding() -> None:
    layer = LevelEmbedding([4, 3], [2, 1], seed=0)
    found = numbers_of(layer(CODES))
    table = numbers_of(layer.table)
    expected = np.concatenate([table[:4][CODES[:, 0]], table[4:][CODES[:, 1], :1]], axis=1)
    np.testing.assert_array_equal(found, expected)


def test_quantile_bins() -> None:
    layer = QuantileBins(2)
    layer.build((None, 3))
    layer.adapt(NUMBERS)
    low, middle, high = np.quantile(NUMBERS, [0, 0.5, 1], axis=0)
    first, second = (NUMBERS - low) / (middle - low), (NUMBERS - middle) / (high - middle)
    expected = np.clip(np.stack([first, second], axis=-1), 0, 1).reshape(7, 6)
    np.testing.assert_allclose(numbers_of(layer(NUMBERS)), expected, atol=1e-6)


@pytest.mark.parametrize(
    "network", [one.name for one in zoo if one.suits & set(contracts.CLASSES) and not one.rebuilds]
)
@pytest.mark.parametrize("problem", contracts.CLASSES)
def test_networks_learn(network: str, problem: str, carried_over: dict[str, Any]) -> None:
    pictures = "pictures" in zoo.load(network).takes
    if zoo.load(network).takes & {"pictures", "series", "tokens"} and problem != "binary":
        pytest.skip("its layers take long to compile, and its way to the head is the same for all problems")
    if pictures and network != "convolutional" and os.environ.get("KERAS_BACKEND") == "jax":
        pytest.skip("its layers take long to compile, and its contract is checked")
    options = {**SLOWER, "pretrained": carried_over}.get(network, {})
    if pictures:
        options = {**options, "precision": "float32"}  # of losses that are compared to four digits
    made, fit = fitted(network, problem, label_smoothing=0.0, **options)
    assert fit.history["val_loss"][fit.best_epoch - 1] < 0.98 * fit.history["val_loss"][0]
    x, y = example(problem, network).arrays("validation")
    loss = getattr(keras.losses, made.problem.head().loss)()
    reached = float(keras.ops.convert_to_numpy(loss(y.reshape(len(y), -1), training.predict(made.model, x))))
    assert reached == pytest.approx(min(fit.history["val_loss"]), rel=1e-4)


@pytest.mark.parametrize("network", [one.name for one in zoo if one.rebuilds and "numbers" in one.takes])
def test_networks_learn_to_rebuild(network: str) -> None:
    if network == "deep_belief" and os.environ.get("KERAS_BACKEND") == "jax":
        pytest.skip("its machines take long to compile, and its contract is checked")
    # Without the straight path, that begins as principal components and leaves little to learn of these rows.
    bent = {"straight": "no"} if hasattr(zoo.load(network).Options(), "straight") else {}
    _, fit = fitted(network, "embedding", batch_size=16, **bent)
    losses = fit.history["val_loss"]
    assert min(losses[1:]) < 0.98 * losses[0]


def test_weights_of_the_rows_reach_the_loss() -> None:
    _, plain = fitted("perceptron", "multiclass", epochs=1)
    weighted, fit = fitted("perceptron", "multiclass", epochs=1, class_weight="balanced")
    counts = np.bincount(example("multiclass").arrays("train")[1])
    assert fit.history["loss"] != plain.history["loss"]
    assert len(set(counts)) > 1


def test_gradients_agree_with_finite_differences() -> None:
    made, _ = fitted("feed_forward", "regression", epochs=2, activation="tanh")
    x, y = (part[:50] if isinstance(part, np.ndarray) else part for part in example("regression").arrays("train"))
    x = {tensor.name: x[tensor.name][:50] for tensor in made.tensors}
    gradients = backend.gradient_function(made.model, made.model.loss)(x, y)
    loss = backend.loss_function(made.model, made.model.loss)
    assert [g.shape for g in gradients] == [tuple(v.shape) for v in made.model.trainable_variables]
    for variable, gradient in zip(made.model.trainable_variables, gradients, strict=True):
        place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
        kept, moved = numbers_of(variable).copy(), []
        for step in (1e-2, -1e-2):
            other = kept.copy()
            other[place] += step
            variable.assign(other)
            moved.append(loss(x, y, None))
        variable.assign(kept)
        assert (moved[0] - moved[1]) / 2e-2 == pytest.approx(gradient[place], rel=2e-2, abs=1e-4)


def test_the_gradient_by_the_inputs_agrees_with_finite_differences() -> None:
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4, activation="tanh", kernel_initializer=keras.initializers.GlorotUniform(seed=0))
    model = keras.Model(inputs, hidden(inputs))
    wanted = DRAW.normal(size=(7, 4)).astype("float32")

    def score(outputs: Any, numbers: Any) -> Any:
        return keras.ops.sum(keras.ops.square(outputs) * keras.ops.convert_to_tensor(numbers))

    gradient = backend.input_gradient_function(model, score)(NUMBERS, wanted)
    assert gradient.shape == NUMBERS.shape
    for place in ((0, 0), (3, 2), (6, 1)):
        moved = []
        for step in (1e-2, -1e-2):
            other = NUMBERS.copy()
            other[place] += step
            moved.append(float(numbers_of(score(model(other), wanted))))
        assert (moved[0] - moved[1]) / 2e-2 == pytest.approx(gradient[place], rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("copied_bytes", [0, backend.COPIED_BYTES])
def test_the_order_of_rows_is_the_one_that_was_asked_for(copied_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "COPIED_BYTES", copied_bytes)
    order, steps = training.row_order(10, 4, seed=5)
    rows = np.arange(10, dtype="float32")

    class Seen(keras.layers.Layer):
        """Counts in which step each row comes, in an update of a weight that is no weight."""

        def build(self, shape: Any) -> None:
            self.rows = self.add_weight(shape=(4,), initializer="zeros", trainable=False, name="rows")
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, inputs: Any, training: bool = False) -> Any:
            if training:
                self.rows.assign(keras.ops.reshape(inputs, (4,)))
            return inputs * self.scale

    class Keep(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.batches: list[list[int]] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            keeping.sync_model(self.model)
            self.batches.append(numbers_of(seen.rows).astype(int).tolist())

    seen, keep = Seen(), Keep()
    inputs = keras.Input((1,), batch_size=4, name="numbers")
    model = keras.Model({"numbers": inputs}, seen(inputs))
    model.compile("sgd", "mse", jit_compile=False)
    for first, epochs in ((0, 2), (2, 4)):
        data, feeders = backend.feed({"numbers": rows[:, None]}, rows, None, 4, order, first)
        how = {"steps_per_epoch": steps, "shuffle": False, "verbose": 0, "callbacks": [*feeders, keep]}
        model.fit(data, initial_epoch=first, epochs=epochs, **how)
    assert steps == 2
    assert keep.batches == [order(epoch)[i : i + 4].tolist() for epoch in range(4) for i in (0, 4)]


def test_the_order_of_rows_depends_on_seed_and_epoch_alone() -> None:
    assert training.row_order(10, 4, seed=5)[0](3).tolist() == [9, 1, 0, 3, 4, 2, 7, 8]


@pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow",
    reason="there test_shelves.py walks every problem that a network suits",
)
@pytest.mark.parametrize("network", zoo.names())
def test_networks_keep_their_contract(network: str, tmp_path: Path, carried_over: dict[str, Any]) -> None:
    options = {"batch_size": 32} | {**SMALLER, "pretrained": carried_over}.get(network, {})
    options.pop("bidirectional", None)  # how a backend reads both ways is its own
    problem = min(zoo.load(network).suits)
    contracts.check_network(zoo.load(network), example(problem, network), tmp_path / "run", options)


OTHERS = [name for name in backend.BACKENDS if name != os.environ.get("KERAS_BACKEND", "tensorflow")]


@pytest.mark.parametrize("other", OTHERS)
def test_a_saved_model_predicts_the_same_on_another_backend(other: str, tmp_path: Path) -> None:
    if find_spec(other) is None:
        pytest.skip(f"{other} is not installed")
    made, _ = fitted("deep_feed_forward", "multiclass", epochs=2)
    run, x = Run.create(tmp_path / "run"), example("multiclass").arrays("validation")[0]
    run.write_file("model.keras", made.model.save)
    run.write_arrays("inputs", x)
    run.write_arrays("outputs", {"outputs": training.predict(made.model, x)})
    contracts.check_in_fresh_process([run.path], 1e-5, {**os.environ, "KERAS_BACKEND": other})


@pytest.mark.parametrize("other", OTHERS)
def test_another_backend_is_refused_once_keras_is_imported(other: str) -> None:
    with pytest.raises(backend.OptionError, match=f"Start Python afresh with KERAS_BACKEND={other}"):
        backend.choose(other)


def test_the_argument_wins_over_the_environment_in_a_fresh_process() -> None:
    asked = OTHERS[0]
    code = f"from nervura import backend; print(backend.choose({keras.backend.backend()!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "KERAS_BACKEND": asked}, capture_output=True, text=True
    )
    assert done.stdout.strip() == keras.backend.backend(), done.stderr
