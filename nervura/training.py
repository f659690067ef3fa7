"""Fits a design to encoded rows: row order, error signal, early stopping, checkpoints, budget."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from nervura import backend, mixing
from nervura.dataset import Arrays
from nervura.designing import Design
from nervura.encoding import PICTURES
from nervura.errors import RunError
from nervura.layers.cos_log_rate import CosLogRate
from nervura.layers.lookahead import Lookahead
from nervura.layers.member_loss import MemberLoss
from nervura.layers.stable_decay_rate import StableDecayRate
from nervura.layers.triangular_rate import TriangularRate
from nervura.problems.base import Head
from nervura.run import Run
from nervura.zoo.base import Phase

VIRTUAL_EPOCH_ROWS = 500_000
"""Longer epochs are cut into virtual ones of at most this many rows, so that checks and checkpoints come often."""

PREPARING_ROWS = 200_000
PROBE_ROWS = 256
VALIDATION_BATCH = 8_192
NEGLIGIBLE = 1e-4
"""A loss of classes, in nats, has to fall by more than this for patience to begin anew: classes that are told apart
without error would else be learnt on and on. A loss of values has no such scale."""
ACTIVATIONS = 2**25
"""Of pictures so many rows are computed at once that the largest layer gives this many numbers."""

PHASE_SHARE = 1 / 3
"""Each phase of a training but the last one has at most this share of the time left."""

SHORTEST_EPOCH = 1e-6
"""In seconds; coarse clocks measure none at all."""

CHECKPOINT_SECONDS = 10.0
"""At least this long between checkpoints, so that writing them costs no time worth naming."""

Watcher = Callable[["Progress"], None]

Answered = tuple[np.ndarray, np.ndarray]
"""A network's outputs (rows, units) and the encoded target (rows,) of the same rows."""


@dataclass
class Progress:
    """What a watcher is told after each epoch."""

    epoch: int
    epochs: int
    loss: float
    validation_loss: float
    best: float
    seconds: float
    """Since training began."""
    seconds_left: float
    """At most: until the last epoch or the deadline, whichever comes first."""
    phase: str = ""
    """The name of the phase, where the training has several."""


@dataclass
class Fit:
    """What a training led to; the design's model holds the best weights.

    Attributes:
        history: one value per epoch by name.
        best_epoch: counted from 1; 0 when not one epoch was finished.
        stopped: why it ended: ``patience``, ``epochs`` or ``budget``.
    """

    history: dict[str, list[float]]
    best_epoch: int
    stopped: str
    seconds: float
    batch_size: int
    epoch_seconds: float = 0.0


def batch_size_for(rows: int) -> int:
    """The rule for ``batch_size=0``: 64 below 2,000 rows, 128 below 10,000, 256 below 50,000, 1024 below 500,000, else
    4096: small batches for few rows, so that an epoch has enough steps; large ones where each step costs overhead."""
    for most, size in ((2_000, 64), (10_000, 128), (50_000, 256), (500_000, 1024)):
        if rows < most:
            return size
    return 4096


def row_order(rows: int, batch_size: int, seed: int) -> tuple[Callable[[int], np.ndarray], int]:
    """The row order as a function of the epoch, and the steps of an epoch.

    Each pass over the rows is a fresh permutation that depends on (seed, pass) alone. It is cut into virtual epochs of
    whole batches; the few rows that do not fill a batch sit out that pass.
    """
    batch_size = min(batch_size, rows)
    steps = rows // batch_size
    parts = max(1, -(-rows // VIRTUAL_EPOCH_ROWS))
    steps_each = steps // parts
    kept: dict[int, np.ndarray] = {}

    def order(epoch: int) -> np.ndarray:
        whole, part = divmod(epoch, parts)
        if whole not in kept:
            kept.clear()
            kept[whole] = np.random.default_rng([seed, whole]).permutation(rows)
        start = part * steps_each * batch_size
        return kept[whole][start : start + steps_each * batch_size]

    return order, steps_each


def fit(
    design: Design,
    training: Arrays,
    validation: Arrays,
    *,
    folds: np.ndarray | None = None,
    deadline: float | None = None,
    run: Run | None = None,
    watchers: Sequence[Watcher] = (),
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Fit:
    """Trains ``design.model`` in place and leaves the best weights in it.

    With a ``run`` it keeps checkpoints and the history there, and goes on from the last checkpoint if there is one.

    Args:
        training, validation: encoded inputs and target.
        folds: the fold of each training row, 1 and on, for a design of several groups (``Dataset.fold_of_training``).
            Its groups learn from the validation rows too, which are fold 0, each without the rows of its own fold.
        deadline: the moment (``time.monotonic``) at which training must have ended.
    """
    began = time.monotonic()
    options, learner = design.options, design.learner
    rows, judged = _rows(design, training, validation, folds)
    batch_size = min(options.batch_size or batch_size_for(len(rows.y)), len(rows.y))
    order, steps = row_order(len(rows.y), batch_size, design.seed)
    mix = mixing.mixing_for(options, design.seed, batch_size)
    phases, checkpoint = design.network.phases(options), Checkpoint(learner, run)
    keeper: Keeper | None = None
    for number in range(checkpoint.phase, len(phases)):
        design.network.enter(design.model, phases[number])
        compile_model(design, steps, phases[number].options)
        if keeper is None and not checkpoint.restore():
            step = max(1, -(-len(rows.y) // PREPARING_ROWS))
            design.network.prepare(design.model, {name: array[::step] for name, array in rows.x.items()})
        keeper = Keeper(
            design, phases, number, checkpoint, (rows.x, rows.y), judged, steps, deadline, began, watchers, keeper
        )
        if not keeper.finished:
            data, feeders = backend.feed(rows.x, rows.y, rows.weights, batch_size, order, keeper.epoch, mix)
            try:
                learner.fit(
                    data,
                    steps_per_epoch=steps,
                    epochs=keeper.first + keeper.options.epochs,
                    initial_epoch=keeper.epoch,
                    shuffle=False,
                    verbose=0,
                    callbacks=[*feeders, keeper, *callbacks],
                )
            except KeyboardInterrupt:
                checkpoint.write()
                raise
        keeper.take_best()
        # Another callback, or a loss that is no number, ends the whole training.
        if keeper.spoilt or (getattr(learner, "stop_training", False) and not keeper.stopped):
            break
    assert keeper is not None, "a training has at least one phase"
    return Fit(
        keeper.history,
        keeper.best_epoch,
        keeper.stopped or "epochs",
        time.monotonic() - began,
        batch_size,
        keeper.epoch_seconds,
    )


@dataclass
class _Rows:
    """What a training learns from: inputs, target as the loss wants it, and weights of the rows or None."""

    x: dict[str, np.ndarray]
    y: np.ndarray
    weights: np.ndarray | None


STOPPING_FOLDS = 2
"""Bagged networks stop by the rows of so many folds; those of the others take no part in any choice."""


def _rows(design: Design, training: Arrays, validation: Arrays, folds: np.ndarray | None) -> tuple[_Rows, Arrays]:
    """The rows to learn from and those that decide when to stop, in the form of the design's loss."""
    x, codes = _used(design, training)
    judged_x, judged_codes = _used(design, validation)
    fold, judged_fold = np.full(len(codes), -1, np.int8), np.full(len(judged_codes), -1, np.int8)
    if design.groups > 1:
        if folds is None:
            raise ValueError("A design of several groups is trained on folds; none were given.")
        x = {name: np.concatenate([array, judged_x[name]]) for name, array in x.items()}
        codes = np.concatenate([codes, judged_codes])
        fold = np.concatenate([folds, np.zeros(len(judged_codes), folds.dtype)])
        judging = np.flatnonzero(fold < stopping_folds(design))
        judged_x = {name: array[judging] for name, array in x.items()}
        judged_codes, judged_fold = codes[judging], fold[judging]
    weights = _class_weights(design, codes)
    wanted, judged_wanted = _wanted(design, codes), _wanted(design, judged_codes)
    if design.members:
        wanted, judged_wanted = _with_fold(wanted, fold), _with_fold(judged_wanted, judged_fold)
    return _Rows(x, wanted, weights), (judged_x, judged_wanted)


def stopping_folds(design: Design) -> int:
    """How many folds decide when a bagged design stops; with two groups one fold is left for other uses."""
    return min(STOPPING_FOLDS, design.groups - 1)


def _wanted(design: Design, codes: np.ndarray) -> np.ndarray:
    """The target as the loss takes it: class codes as rows of zeros and a one where it smooths or mixes labels."""
    if not _head(design).one_hot:
        return codes
    return np.eye(design.problem.head().units, dtype="float32")[codes]


def _with_fold(wanted: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The target with the number of each row's fold beside it, as ``MemberLoss`` takes it."""
    return np.column_stack([wanted.astype("float32"), fold.astype("float32")])


def _head(design: Design) -> Head:
    """The head with the loss that is trained by: shares of classes are no codes, so that mixing needs rows of them."""
    head = design.problem.head(design.options.label_smoothing)
    shares = mixing.wanted(design.options) and head.loss == "SparseCategoricalCrossentropy"
    return replace(head, loss="CategoricalCrossentropy") if shares else head


def loss_for(design: Design, held_out: bool = False) -> keras.losses.Loss:
    """The loss of the design's learner; with ``held_out`` that by which it is judged, each group on its own fold."""
    head = _head(design)
    if design.members:
        return MemberLoss(head.loss, design.groups, held_out, head.loss_options)
    return getattr(keras.losses, head.loss)(**head.loss_options)


def compile_model(design: Design, steps: int, options: Any) -> None:
    """Gives the design's learner its loss and the optimiser of a phase, and tells its network the steps of an epoch."""
    design.network.begin(design.model, steps)
    design.learner.compile(
        optimizer=optimizer_for(options, steps),
        loss=loss_for(design),
        steps_per_execution=backend.steps_per_execution(steps),
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )


FEWEST_HALVED = 400
"""Fewer validation rows than this are not halved: what stops training then also calibrates."""


def halves(validation: Arrays) -> tuple[Arrays, Arrays]:
    """Validation rows that decide when to stop, and those that nothing else uses: every second row."""
    x, y = validation
    if len(y) < FEWEST_HALVED:
        return validation, validation
    first, second = ((({name: a[i::2] for name, a in x.items()}), y[i::2]) for i in (0, 1))
    return first, second


def group_outputs(design: Design, x: dict[str, np.ndarray]) -> np.ndarray:
    """What each group of a trained design's members answers, (groups, rows, units); one group without members."""
    if not design.members:
        return predict(design.model, x)[None]
    of_all = predict(design.learner, x)
    return of_all.reshape(len(of_all), design.groups, -1, of_all.shape[-1]).mean(2).swapaxes(0, 1)


def outputs_without(design: Design, x: dict[str, np.ndarray], fold: int) -> np.ndarray:
    """What those members of a trained design answer that have not learnt from the rows of ``fold``, (rows, units)."""
    return group_outputs(design, x)[fold] if design.groups > 1 else predict(design.model, x)


def held_out(
    design: Design, training: Arrays, stopping: Arrays, untouched: Arrays, folds: np.ndarray | None
) -> tuple[Answered, Answered]:
    """What a trained design answers for rows that it has not learnt from: those that decided when it stopped, and those
    that nothing has used.

    Args:
        training: the training rows, whose folds are ``folds``.
        stopping, untouched: the validation rows, in ``halves``; of a bagged design these are fold 0, and other folds
            are found among the training rows.
    """
    if design.groups == 1 or folds is None:
        return (predict(design.model, stopping[0]), stopping[1]), (predict(design.model, untouched[0]), untouched[1])

    def of_folds(wanted: range) -> Answered:
        outputs, target = [], []
        for fold in wanted:
            own = folds == fold
            x, y = stopping if fold == 0 else ({n: a[own] for n, a in training[0].items()}, training[1][own])
            outputs.append(outputs_without(design, x, fold))
            target.append(y)
        return np.concatenate(outputs), np.concatenate(target)

    border = stopping_folds(design)
    return of_folds(range(border)), of_folds(range(border, design.groups))


def optimizer_for(options: Any, steps: int) -> keras.optimizers.Optimizer:
    """The optimiser that the options name; its schedule runs over all ``options.epochs`` of ``steps`` steps."""
    rate: Any = options.learning_rate
    if options.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(options.learning_rate, options.epochs * steps)
    elif options.schedule == "coslog4":
        rate = CosLogRate(options.learning_rate, options.epochs * steps)
    elif options.schedule == "triangular":
        rate = TriangularRate(options.learning_rate, options.epochs * steps)
    elif options.schedule == "stable_decay":
        rate = StableDecayRate(options.learning_rate, options.epochs * steps)
    clip = {"global_clipnorm": options.clip_norm} if options.clip_norm else {}
    if options.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=options.momentum, nesterov=options.momentum > 0, **clip)
    if options.optimizer == "lookahead":
        whole = options.epochs * steps
        return Lookahead(rate, whole, options.momentum, weight_decay=options.weight_decay or None, **clip)
    if options.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate, **clip)
    if options.optimizer == "adam":
        return keras.optimizers.Adam(rate, beta_2=options.beta_2, **clip)
    return keras.optimizers.AdamW(rate, weight_decay=options.weight_decay, beta_2=options.beta_2, **clip)


def _used(design: Design, arrays: Arrays) -> Arrays:
    return {tensor.name: arrays[0][tensor.name] for tensor in design.tensors}, arrays[1]


def _class_weights(design: Design, y: np.ndarray) -> np.ndarray | None:
    if design.options.class_weight != "balanced" or design.problem.supervised_by != "classifier":
        return None
    counts = np.bincount(y.astype(int))
    return (len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[y.astype(int)].astype("float32")


@dataclass
class Checkpoint:
    """All that a training needs to go on as if it had not stopped, in one file of the run that is replaced whole.

    It holds every variable of model and optimiser (seed states included), the best weights so far and the history.
    """

    model: keras.Model
    run: Run | None
    saved: float = field(default_factory=time.monotonic)
    found: dict[str, Any] | None = None
    taken: dict[str, Any] = field(default_factory=dict)

    NAME = "checkpoint/training"

    def __post_init__(self) -> None:
        self.found = self.run.read_arrays(self.NAME) if self.run else None

    @property
    def phase(self) -> int:
        """The number of the phase that the last checkpoint belongs to; 0 when there is none."""
        return int((self.found or {}).get("state/phase", 0))

    def restore(self) -> bool:
        """Takes up the last checkpoint; False when there is none."""
        arrays = self.found
        if self.run is None or arrays is None:
            return False
        optimizer = self.model.optimizer
        optimizer.build(self.model.trainable_variables)
        kinds = {"model": self.model.variables, "optimizer": optimizer.variables}
        places = {f"{kind}/{i}": variable for kind, variables in kinds.items() for i, variable in enumerate(variables)}
        if any(name not in arrays or arrays[name].shape != tuple(v.shape) for name, v in places.items()):
            raise RunError(
                f"The run '{self.run.path}' is damaged: {self.NAME}.npz belongs to another network. "
                f"Delete that file and write: nervura resume {self.run.path}"
            )
        for name, variable in places.items():
            variable.assign(arrays[name])
        return True

    def take(self, best: list[np.ndarray], state: dict[str, float], history: dict[str, list[float]]) -> None:
        """Holds the state at the end of an epoch, so that an interrupt in the next one has a whole epoch to save."""
        if self.run is None:
            return
        arrays = {f"model/{i}": _value(v) for i, v in enumerate(self.model.variables)}
        arrays |= {f"optimizer/{i}": _value(v) for i, v in enumerate(self.model.optimizer.variables)}
        arrays |= {f"best/{i}": array for i, array in enumerate(best)}
        arrays |= {f"state/{name}": np.array(value) for name, value in state.items()}
        arrays |= {f"history/{name}": np.array(values) for name, values in history.items()}
        self.taken = arrays

    def write(self) -> None:
        """Writes what was taken last, if anything was."""
        if self.run is not None and self.taken:
            self.run.write_arrays(self.NAME, self.taken)
            self.saved = time.monotonic()


def sync_model(model: keras.Model) -> None:
    """Brings the model's variables up to date inside a callback (JAX keeps them elsewhere while it trains)."""
    sync = getattr(model, "jax_state_sync", None)
    if sync is not None:
        sync()


class Keeper(keras.callbacks.Callback):
    """After each epoch of a phase: keeps the best weights, measures the error signal, saves, tells the watchers, and
    stops when patience or budget is spent.

    Attributes:
        first: how many epochs there were before this phase.
        options: of this phase.
    """

    def __init__(
        self,
        design: Design,
        phases: Sequence[Phase],
        number: int,
        checkpoint: Checkpoint,
        training: Arrays,
        validation: Arrays,
        steps: int,
        deadline: float | None,
        began: float,
        watchers: Sequence[Watcher],
        former: Keeper | None = None,
    ):
        super().__init__()
        self.design, self.checkpoint, self.watchers = design, checkpoint, watchers
        self.number, self.options, later = number, phases[number].options, phases[number + 1 :]
        self.name = phases[number].name if len(phases) > 1 else ""
        self.epochs_after = sum(phase.options.epochs for phase in later)
        if deadline is not None and later:
            deadline = time.monotonic() + PHASE_SHARE * (deadline - time.monotonic())
        self.deadline, self.steps, self.began = deadline, steps, began
        self.epoch, self.best, self.best_epoch, self.stopped, self.spoilt = 0, math.inf, 0, "", False
        self.epoch_seconds = 0.0
        self.seconds_of_steps: float | None = None
        self.history: dict[str, list[float]] = {}
        model = design.learner
        self.best_weights = [_value(v) for v in model.variables]
        self.first = 0
        if former is not None:
            self.epoch, self.best, self.best_epoch = former.epoch, former.best, former.best_epoch
            self.best_weights, self.history, self.first = former.best_weights, former.history, former.epoch
        elif checkpoint.found is not None:
            self._take_up(checkpoint.found)
        self.plan = _Plan(model, self.options.epochs, steps)
        rows = max(1, rows_at_once(model, 2 * PROBE_ROWS) // 2)
        self.probe = ({name: a[:rows] for name, a in training[0].items()}, training[1][:rows])
        self.gradients = backend.gradient_function(model, model.loss)
        self.loss_of: Callable[[dict[str, np.ndarray], np.ndarray], float] = (
            former.loss_of if former is not None else backend.loss_function(model, loss_for(design, held_out=True))
        )
        self.rows, self.validation = len(training[1]), validation
        self.before = [_value(v) for v in model.trainable_variables]
        self.layers = _layers_of_variables(model)

    def _take_up(self, arrays: dict[str, np.ndarray]) -> None:
        self.epoch, self.best_epoch = int(arrays["state/epoch"]), int(arrays["state/best_epoch"])
        self.best, self.first = float(arrays["state/best"]), int(arrays.get("state/first", 0))
        self.best_weights = [arrays[f"best/{i}"] for i in range(len(self.best_weights))]
        self.history = {
            name.removeprefix("history/"): values.tolist()
            for name, values in arrays.items()
            if name.startswith("history/")
        }

    @property
    def finished(self) -> bool:
        return self.at_the_end or self._waited() >= self.options.patience

    def _waited(self) -> int:
        """The epochs of this phase since the validation loss last fell by more than what is negligible."""
        negligible = NEGLIGIBLE if self.design.problem.supervised_by == "classifier" else 0.0
        reached, since = math.inf, self.first
        for epoch, value in enumerate(self.history.get("val_loss", [])[self.first :], self.first + 1):
            if value < reached - negligible:
                reached, since = value, epoch
        return self.epoch - since

    @property
    def at_the_end(self) -> bool:
        return self.epoch - self.first >= self.plan.epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch_began = time.monotonic()
        self.calls: list[tuple[int, float]] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.deadline is not None and self.epoch == self.first:
            self._plan_from_the_first_steps(batch + 1, self.deadline)
        # A deadline may fall inside a long epoch; a tenth of a second is what ending costs.
        if self.deadline is not None and time.monotonic() > self.deadline - 0.1:
            self._stop("budget")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        model, logs = self.design.learner, logs or {}
        # An epoch that the budget cut short counts only where there is no whole one.
        if self.stopped and self.epoch:
            return
        sync_model(model)
        self.epoch = epoch + 1
        value = self._validation_loss()
        weights = [_value(v) for v in model.variables]
        # A relu may turn not-a-number into zero, so that spoilt weights can still give a loss.
        if value < self.best and all(np.isfinite(w).all() for w in weights):
            self.best, self.best_epoch, self.best_weights = value, self.epoch, weights
        row = {
            "epoch": float(self.epoch),
            "loss": float(logs.get("loss", math.nan)),
            "val_loss": value,
            "learning_rate": float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
            "seconds": 0.0,
            **self._error_signal(),
        }
        row["seconds"] = time.monotonic() - self.epoch_began
        # Layers that did not learn in an earlier phase, or no longer do, have no figures there.
        for name in dict.fromkeys([*self.history, *row]):
            self.history.setdefault(name, [math.nan] * (self.epoch - 1)).append(row.get(name, math.nan))
        # The first epoch holds the compilation; the later ones tell what an epoch takes.
        seconds = self.history["seconds"][self.first :]
        self.epoch_seconds = float(np.median(seconds[1:] or seconds))
        if self.deadline is not None:
            if len(seconds) == 1 and not self.stopped:
                self.epoch_seconds = min(self.epoch_seconds, self._usual_seconds())
            # Without a measure of its steps the first epoch tells too little to plan by.
            if len(seconds) > 1 or self.seconds_of_steps is not None:
                self.plan.within(self.deadline - time.monotonic(), self.epoch - self.first, self.epoch_seconds)
        if not math.isfinite(row["loss"]):
            self.spoilt = True
            self._stop("the loss is no longer a number")
        elif self.finished:
            cut = self.plan.epochs < self.options.epochs
            self._stop("patience" if not self.at_the_end else "budget" if cut else "epochs")
        elif self.deadline is not None and time.monotonic() + 1.2 * self.epoch_seconds > self.deadline:
            self._stop("budget")
        state = {"epoch": self.epoch, "best_epoch": self.best_epoch, "best": self.best}
        state |= {"phase": self.number, "first": self.first}
        self.checkpoint.take(self.best_weights, state, self.history)
        if time.monotonic() - self.checkpoint.saved > CHECKPOINT_SECONDS:
            self.checkpoint.write()
        self._tell(row)

    def _plan_from_the_first_steps(self, steps: int, deadline: float) -> None:
        """Plans by the steps since the first call, which compiled; at the 2nd, 4th, 8th ... call only."""
        self.calls.append((steps, time.monotonic()))
        if len(self.calls) < 2 or len(self.calls) & (len(self.calls) - 1):
            return
        (before, then), (after, now) = self.calls[0], self.calls[-1]
        each = self.steps * (now - then) / (after - before)
        self.seconds_of_steps = each
        sync_model(self.design.learner)
        self.plan.within(deadline - now, steps / self.steps, each)

    def _usual_seconds(self) -> float:
        """What an epoch takes, told at the end of the first, whose own seconds went into compiling: a gradient of the
        fixed rows is timed, and tells of validation, and of the steps where one call did all of them."""
        began = time.monotonic()
        self.gradients(*self.probe)
        gradient = time.monotonic() - began
        of_a_row = gradient / len(self.probe[1])
        steps = of_a_row * self.rows if self.seconds_of_steps is None else self.seconds_of_steps
        return steps + of_a_row * len(self.validation[1]) + gradient

    def _validation_loss(self) -> float:
        x, y = self.validation
        losses, sizes = [], []
        batch = rows_at_once(self.design.learner, VALIDATION_BATCH)
        for start in range(0, len(y), batch):
            rows = slice(start, start + batch)
            losses.append(self.loss_of({name: array[rows] for name, array in x.items()}, y[rows]))
            sizes.append(len(y[rows]))
        return float(np.average(losses, weights=sizes))

    def take_best(self) -> None:
        """Puts the best weights into the model."""
        for variable, value in zip(self.design.learner.variables, self.best_weights, strict=True):
            variable.assign(value)

    def _stop(self, why: str) -> None:
        self.stopped = self.stopped or why
        self.design.learner.stop_training = True

    def _error_signal(self) -> dict[str, float]:
        """Per layer: the norm of the gradient on fixed rows, of the weights, and the ratio of their change in an epoch."""
        gradients = self.gradients(*self.probe)
        now = [_value(v) for v in self.design.learner.trainable_variables]
        row = {}
        for name, places in self.layers.items():
            weight = _norm(now[i] for i in places)
            row[f"gradient/{name}"] = _norm(gradients[i] for i in places)
            row[f"weight/{name}"] = weight
            row[f"change/{name}"] = _norm(now[i] - self.before[i] for i in places) / max(weight, 1e-12)
        self.before = now
        return row

    def _tell(self, row: dict[str, float]) -> None:
        epochs, now = self.first + self.plan.epochs + self.epochs_after, time.monotonic()
        left = (epochs - self.epoch) * self.epoch_seconds
        if self.deadline is not None:
            left = min(left, max(0.0, self.deadline - now))
        progress = Progress(self.epoch, epochs, row["loss"], row["val_loss"], self.best, now - self.began, left)
        progress.phase = self.name
        for watcher in self.watchers:
            watcher(progress)


@dataclass
class _Plan:
    """How many epochs a training is to have. Where the optimiser's way depends on its end, a budget moves that end, so
    that the way is gone to its end in time; other trainings are just cut short."""

    model: keras.Model
    most: int
    steps: int
    """Of an epoch."""

    SLACK = 1.1
    """An epoch takes so many times its usual seconds at most, and the first steps do not tell of validation."""

    def __post_init__(self) -> None:
        self.epochs = self.most
        if self.end is not None:  # of a training that goes on
            self.epochs = min(self.most, math.ceil(float(_value(self.end)) / self.steps))

    @property
    def end(self) -> Any:
        """The optimiser's variable, which it has once it is built."""
        return getattr(self.model.optimizer, "end", None)

    def within(self, seconds: float, done: float, epoch_seconds: float) -> None:
        """Plans for what can be done in the seconds left, once ``done`` epochs are over."""
        if self.end is None:
            return
        possible = done + max(0.0, seconds) / (self.SLACK * max(epoch_seconds, SHORTEST_EPOCH))
        # Whole epochs; of the first one at least what there is time for.
        planned = min(self.most, math.floor(possible)) if possible >= 1 else possible
        self.epochs = max(1, math.ceil(planned))
        self.end.assign(max(1.0, planned * self.steps))


def history_csv(history: dict[str, list[float]]) -> str:
    """The history as CSV: a header and one line per epoch."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(history)
    writer.writerows(zip(*(map(_shortest, values) for values in history.values()), strict=True))
    return text.getvalue()


def predict(model: keras.Model, x: dict[str, np.ndarray], batch_size: int = 1024) -> np.ndarray:
    """The outputs of a model for encoded rows, (rows, units), in batches."""
    return predictor(model, batch_size)(x)


SMALLEST_BATCH = 64


def rows_at_once(model: keras.Model, most: int) -> int:
    """How many rows a model is given at once, a power of two: ``most``, or fewer of large pictures."""
    if PICTURES not in {tensor.name for tensor in model.inputs}:
        return most
    sizes = [
        math.prod(n for n in tensor.shape[1:] if n) for layer in _all_layers(model) for tensor in _outputs_of(layer)
    ]
    return min(most, 1 << max(2, int(math.log2(ACTIVATIONS / max(sizes)))))


def _all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Its layers and those of the models inside it."""
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return [*model.layers, *(layer for one in inner for layer in _all_layers(one))]


def _outputs_of(layer: keras.layers.Layer) -> list[Any]:
    return layer.output if isinstance(layer.output, list) else [layer.output]


def predictor(model: keras.Model, batch_size: int = 1024) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """``predict`` compiled once, for many calls.

    Batches are filled up with zeros to one of a few sizes: a row is then answered alike whatever rows stand beside it,
    and backends that compile for each size of a batch do so a few times only.
    """
    outputs_of = backend.output_function(model)
    batch_size = rows_at_once(model, batch_size)
    names = [tensor.name for tensor in model.inputs]

    def batch_of(array: np.ndarray, start: int) -> np.ndarray:
        rows = array[start : start + batch_size]
        size = max(min(SMALLEST_BATCH, batch_size), 1 << (len(rows) - 1).bit_length())
        return np.concatenate([rows, np.zeros((size - len(rows), *rows.shape[1:]), rows.dtype)])

    def outputs(x: dict[str, np.ndarray]) -> np.ndarray:
        rows = len(next(iter(x.values())))
        made = [
            outputs_of({name: batch_of(x[name], start) for name in names})[: min(batch_size, rows - start)]
            for start in range(0, rows, batch_size)
        ]
        return np.concatenate(made) if made else np.empty((0, *model.output_shape[1:]), "float32")

    return outputs


def _layers_of_variables(model: keras.Model) -> dict[str, list[int]]:
    place = {id(variable): i for i, variable in enumerate(model.trainable_variables)}
    return {
        layer.name: [place[id(v)] for v in layer.trainable_variables]
        for layer in model.layers
        if layer.trainable_variables
    }


def _value(variable: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable), copy=True)


def _norm(arrays: Any) -> float:
    return math.sqrt(sum(float(np.sum(np.square(a, dtype="float64"))) for a in arrays))


def _shortest(value: float) -> str:
    return f"{value:.9g}"
