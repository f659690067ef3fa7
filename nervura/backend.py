"""Which Keras backend computes, decided before Keras is imported, and the few things that differ between backends."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nervura.errors import MissingDependency, OptionError, did_you_mean

if TYPE_CHECKING:
    import keras
    import numpy as np

    from nervura.mixing import Batch

BACKENDS = ("tensorflow", "jax", "torch")


def choose(asked: str | None = None) -> str:
    """Decides the backend, imports Keras with it and gives its name.

    A Keras that is imported already wins; then ``asked``, KERAS_BACKEND, keras.json; then the first that is installed
    of TensorFlow, JAX and PyTorch.

    Raises:
        OptionError: another backend is asked for than the imported Keras has, or one of no such name.
        MissingDependency: Keras or the backend is not installed.
    """
    if asked is not None and asked not in BACKENDS:
        raise OptionError(f"There is no backend '{asked}'. {did_you_mean(asked, BACKENDS)}")
    if "keras" not in sys.modules:
        name = asked or os.environ.get("KERAS_BACKEND") or _configured() or _installed()
        if importlib.util.find_spec("keras") is None:
            raise MissingDependency("Training a network", "keras", "tensorflow")
        if name is None or importlib.util.find_spec(name) is None:
            raise MissingDependency("Training a network", name or "tensorflow", name or "tensorflow")
        os.environ["KERAS_BACKEND"] = name
        # TensorFlow tells of its instruction sets on every start; users need its errors alone.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _native_logs_hidden():
        import keras

        # The first operation looks for devices, and what TensorFlow has to say of them is no news to users either.
        keras.ops.zeros((1,))
    present = keras.backend.backend()
    if asked is not None and asked != present:
        raise OptionError(
            f"Keras is already imported with the backend '{present}', and '{asked}' was asked for. "
            f"Start Python afresh with KERAS_BACKEND={asked}."
        )
    return present


@contextmanager
def _native_logs_hidden() -> Iterator[None]:
    """Hides what compiled libraries write to standard error while they load; Python's own errors still come through."""
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    sys.stderr.flush()
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _configured() -> str | None:
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        return json.loads((home / "keras.json").read_text()).get("backend")
    except (OSError, ValueError):
        return None


def _installed() -> str | None:
    return next((name for name in BACKENDS if importlib.util.find_spec(name)), None)


def device() -> str:
    """What computes, in words."""
    import keras

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = [str(name) for name in keras.distribution.list_devices() if "cpu" not in str(name).lower()]
    return ", ".join(found) if found else f"CPU ({platform.machine()}), {cores} cores"


def training_precision() -> str:
    """``bfloat16`` where convolutions are trained faster with it: on processors that have its products, by TensorFlow.

    Measured on AVX512-BF16: 0.7 to 0.8 times the seconds by TensorFlow, 1.1 times by PyTorch.
    """
    import keras

    if keras.backend.backend() != "tensorflow" or not device().startswith("CPU"):
        return "float32"
    try:
        flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))
    except OSError:
        return "float32"
    return "bfloat16" if flags & {"avx512_bf16", "amx_bf16"} else "float32"


def versions() -> dict[str, str]:
    """The versions of what a run depends on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in ("nervura", "keras", "tensorflow", "jax", "torch", "numpy", "polars", "scikit-learn"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def steps_per_execution(steps: int) -> int:
    """How many steps one call of the compiled function does: TensorFlow gains from many, the others gain little."""
    import keras

    return max(1, min(32, steps)) if keras.backend.backend() == "tensorflow" else 1


Mix = Callable[[int, int, "Batch"], "Batch"]
"""A function of the epoch, the step in it and a batch."""

Feed = tuple[Any, list["keras.callbacks.Callback"]]
"""What ``keras.Model.fit`` takes as its data, a ``tf.data.Dataset`` or a ``PyDataset``, and the callbacks it needs."""


def feed(
    x: dict[str, np.ndarray],
    y: np.ndarray,
    weights: np.ndarray | None,
    batch_size: int,
    order: Callable[[int], np.ndarray],
    first_epoch: int,
    mix: Mix | None = None,
) -> Feed:
    """Endless batches of ``(x, y[, weights])`` in the row order ``order(epoch)``, from ``first_epoch`` on.

    The callbacks go to ``fit`` with the data. Every order must have the same length, a whole number of batches; it is
    cut into batches of ``batch_size``.

    Args:
        mix: gives what is learnt from in the place of the batch (x, y, weights) of an epoch and a step of it, of the same
            shapes and, but for the target, of the same types.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        return _tensorflow_feed(x, y, weights, batch_size, order, first_epoch, mix)
    return _plain_feed(x, y, weights, batch_size, order, first_epoch, mix)


COPIED_BYTES = 256 * 2**20
"""Arrays of up to this size are handed to TensorFlow as constants; larger ones stay NumPy's."""


def _tensorflow_feed(
    x: dict[str, np.ndarray],
    y: np.ndarray,
    weights: np.ndarray | None,
    batch_size: int,
    order: Callable[[int], np.ndarray],
    first_epoch: int,
    mix: Mix | None,
) -> Feed:
    import tensorflow as tf

    arrays: Any = (x, y) if weights is None else (x, y, weights)
    flat = tf.nest.flatten(arrays)

    def rows_of(epoch: Any) -> Any:
        rows = tf.numpy_function(lambda e: order(int(e)), [epoch], tf.int64)
        rows.set_shape([None])
        batches = tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)
        return batches.enumerate().map(lambda step, rows: (rows, epoch, step)) if mix else batches

    if mix is not None:

        def mixed(rows: Any, epoch: Any, step: Any) -> list[Any]:
            batch = (
                {name: array[rows] for name, array in x.items()},
                y[rows],
                None if weights is None else weights[rows],
            )
            made = mix(int(epoch), int(step), batch)
            return [array for array in tf.nest.flatten(made) if array is not None]

        def batch_of(*given: Any) -> Any:
            # A mixed target is made of shares, whatever it was before.
            types = [tf.float32 if array is y else array.dtype for array in flat]
            picked = tf.numpy_function(mixed, given, types)
            for tensor, array in zip(picked, flat, strict=True):
                tensor.set_shape((None, *array.shape[1:]))
            return tf.nest.pack_sequence_as(arrays, picked)
    elif sum(array.nbytes for array in flat) <= COPIED_BYTES:
        tensors = tf.nest.map_structure(tf.constant, arrays)

        def batch_of(*given: Any) -> Any:
            [rows] = given
            return tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), tensors)
    else:
        # TensorFlow would hold a second copy; of so many rows NumPy picks a batch as fast as it is trained on.
        def batch_of(*given: Any) -> Any:
            [rows] = given
            picked = tf.numpy_function(lambda chosen: [a[chosen] for a in flat], [rows], [a.dtype for a in flat])
            for tensor, array in zip(picked, flat, strict=True):
                tensor.set_shape((None, *array.shape[1:]))
            return tf.nest.pack_sequence_as(arrays, picked)

    batches = tf.data.Dataset.range(first_epoch, 2**62).flat_map(rows_of).map(batch_of, num_parallel_calls=1)
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return batches.prefetch(8).with_options(options), []


def _plain_feed(
    x: dict[str, np.ndarray],
    y: np.ndarray,
    weights: np.ndarray | None,
    batch_size: int,
    order: Callable[[int], np.ndarray],
    first_epoch: int,
    mix: Mix | None,
) -> Feed:
    import keras

    class Batches(keras.utils.PyDataset):
        def __init__(self) -> None:
            super().__init__(workers=1)
            self.rows, self.epoch = order(first_epoch), first_epoch

        def __len__(self) -> int:
            return -(-len(self.rows) // batch_size)

        def __getitem__(self, index: int) -> Any:
            rows = self.rows[index * batch_size : (index + 1) * batch_size]
            batch = (
                {name: array[rows] for name, array in x.items()},
                y[rows],
                None if weights is None else weights[rows],
            )
            made = batch if mix is None else mix(self.epoch, index, batch)
            return made[:2] if weights is None else made

    batches = Batches()

    # Not PyDataset.on_epoch_end: Keras also calls it once before the first epoch, after a look at the first batch.
    def begin(epoch: int, logs: Any = None) -> None:
        batches.rows, batches.epoch = order(epoch), epoch

    return batches, [keras.callbacks.LambdaCallback(on_epoch_begin=begin)]


def gradient_function(
    model: keras.Model, loss: Callable[[Any, Any], Any]
) -> Callable[[dict[str, np.ndarray], np.ndarray], list[np.ndarray]]:
    """A function of a batch that gives the gradient of the mean loss by each trainable variable, in their order.

    The model is run as in prediction, so that no random state moves.
    """
    import keras

    name = keras.backend.backend()
    if name == "tensorflow":
        import tensorflow as tf

        @tf.function(reduce_retracing=True, autograph=False)
        def tensorflow_gradients(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                value = loss(y, model(x, training=False))
            return tape.gradient(value, [v.value for v in model.trainable_variables], unconnected_gradients="zero")

        return lambda x, y: [tf.convert_to_tensor(g).numpy() for g in tensorflow_gradients(x, y)]
    if name == "jax":
        import jax
        import numpy as np

        def value_of(trainable: Any, fixed: Any, x: Any, y: Any) -> Any:
            outputs, _ = model.stateless_call(trainable, fixed, x, training=False)
            return loss(y, outputs)

        gradient = jax.jit(jax.grad(value_of))

        def jax_gradients(x: Any, y: Any) -> list[np.ndarray]:
            trainable = [v.value for v in model.trainable_variables]
            fixed = [v.value for v in model.non_trainable_variables]
            return [np.asarray(g) for g in gradient(trainable, fixed, x, y)]

        return jax_gradients
    import torch

    def torch_gradients(x: Any, y: Any) -> list[Any]:
        values = [v.value for v in model.trainable_variables]
        batch = {key: keras.ops.convert_to_tensor(array) for key, array in x.items()}
        found = torch.autograd.grad(loss(keras.ops.convert_to_tensor(y), model(batch)), values, allow_unused=True)
        return [
            (torch.zeros_like(v) if g is None else g).detach().cpu().numpy() for g, v in zip(found, values, strict=True)
        ]

    return torch_gradients


def input_gradient_function(
    model: keras.Model, score: Callable[[Any, Any], Any]
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function of a batch of floats, and of numbers that go with it, that gives the gradient of the one number
    ``score(outputs, numbers)`` by the batch.

    Args:
        model: of one input; it is run as in prediction.
    """
    import keras
    import numpy as np

    name = keras.backend.backend()
    if name == "tensorflow":
        import tensorflow as tf

        @tf.function(reduce_retracing=True, autograph=False)
        def tensorflow_gradient(x: Any, numbers: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = score(model(x, training=False), numbers)
            return tape.gradient(value, x)

        return lambda x, numbers: tensorflow_gradient(tf.constant(x), tf.constant(numbers)).numpy()
    if name == "jax":
        import jax

        def value_of(x: Any, numbers: Any, trainable: Any, fixed: Any) -> Any:
            return score(model.stateless_call(trainable, fixed, x, training=False)[0], numbers)

        gradient = jax.jit(jax.grad(value_of))

        def jax_gradient(x: Any, numbers: Any) -> np.ndarray:
            trainable = [v.value for v in model.trainable_variables]
            return np.asarray(gradient(x, numbers, trainable, [v.value for v in model.non_trainable_variables]))

        return jax_gradient
    import torch

    def torch_gradient(x: Any, numbers: Any) -> np.ndarray:
        batch = keras.ops.convert_to_tensor(x).requires_grad_()
        value = score(model(batch, training=False), keras.ops.convert_to_tensor(numbers))
        return torch.autograd.grad(value, batch)[0].detach().cpu().numpy()

    return torch_gradient


def loss_function(
    model: keras.Model, loss: keras.losses.Loss
) -> Callable[[dict[str, np.ndarray], np.ndarray, np.ndarray | None], float]:
    """A function of a batch, and of weights of its rows or None, that gives its mean loss, the model run as in prediction.

    ``Model.evaluate`` would build a new data pipeline at every call, which for few rows takes longer than an epoch.
    """
    import keras

    name = keras.backend.backend()
    if name == "tensorflow":
        import tensorflow as tf

        def value_of_batch(x: Any, y: Any, weights: Any) -> Any:
            return loss(y, model(x, training=False), weights)

        compiled = tf.function(value_of_batch, reduce_retracing=True, autograph=False)
        return lambda x, y, weights: float(compiled(x, y, weights))
    if name == "jax":
        import jax

        def value_of(trainable: Any, fixed: Any, x: Any, y: Any, weights: Any) -> Any:
            return loss(y, model.stateless_call(trainable, fixed, x, training=False)[0], weights)

        jitted = jax.jit(value_of)
        return lambda x, y, weights: float(
            jitted(
                [v.value for v in model.trainable_variables],
                [v.value for v in model.non_trainable_variables],
                x,
                y,
                weights,
            )
        )
    import torch

    def torch_loss(x: Any, y: Any, weights: Any) -> float:
        with torch.no_grad():
            batch = {key: keras.ops.convert_to_tensor(array) for key, array in x.items()}
            return float(loss(keras.ops.convert_to_tensor(y), model(batch), weights))

    return torch_loss


def output_function(model: keras.Model) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """A function of a batch that gives the model's outputs, as in prediction, without a pipeline around it.

    A model keeps its function, which is compiled anew only where its layers have come to compute in another precision or
    others of its variables to learn.
    """
    state = [layer.dtype_policy.name for layer in model.layers], [id(v) for v in model.trainable_variables]
    kept = vars(model).get("_kept_outputs")
    if kept is None or kept.state != state:
        kept = _Kept(_output_function(model), state)
        # Not by setattr: what Keras and TensorFlow see of a model is saved with it.
        vars(model)["_kept_outputs"] = kept
    return kept.outputs


@dataclass(frozen=True)
class _Kept:
    outputs: Callable[[dict[str, np.ndarray]], np.ndarray]
    state: tuple[list[str], list[int]]


def _output_function(model: keras.Model) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    import keras
    import numpy as np

    name = keras.backend.backend()
    if name == "tensorflow":
        import tensorflow as tf

        signature = {
            tensor.name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=tensor.name)
            for tensor in model.inputs
        }
        # A concrete function: TensorFlow counts new functions of one place as retracing, and warns.
        traced = tf.function(lambda x: model(x, training=False), autograph=False)
        compiled = traced.get_concrete_function(signature)
        return lambda x: compiled({key: tf.constant(array) for key, array in x.items()}).numpy()
    if name == "jax":
        import jax

        jitted = jax.jit(lambda trainable, fixed, x: model.stateless_call(trainable, fixed, x, training=False)[0])
        return lambda x: np.asarray(
            jitted([v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables], x)
        )
    import torch

    def torch_outputs(x: Any) -> np.ndarray:
        with torch.no_grad():
            batch = {key: keras.ops.convert_to_tensor(array) for key, array in x.items()}
            return model(batch, training=False).detach().cpu().numpy()

    return torch_outputs
