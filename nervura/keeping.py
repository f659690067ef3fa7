"""What a training does after each epoch: best weights, error signal, checkpoints, patience, budget, and telling of it."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from nervura import backend
from nervura.dataset import Arrays
from nervura.designing import Design, rows_at_once
from nervura.errors import RunError
from nervura.run import Run
from nervura.zoo.base import Phase

PROBE_ROWS = 256
VALIDATION_BATCH = 8_192
NEGLIGIBLE = 1e-4
"""A loss of classes, in nats, has to fall by more than this for patience to begin anew: classes that are told apart
without error would else be learnt on and on. A loss of values has no such scale."""

SHORTEST_EPOCH = 1e-6
"""In seconds; coarse clocks measure none at all."""

CHECKPOINT_SECONDS = 10.0
"""At least this long between checkpoints, so that writing them costs no time worth naming."""

Watcher = Callable[["Progress"], None]


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

    def take(
        self,
        weights: list[np.ndarray],
        best: list[np.ndarray],
        state: dict[str, float],
        history: dict[str, list[float]],
    ) -> None:
        """Holds the state at the end of an epoch, so that an interrupt in the next one has a whole epoch to save."""
        if self.run is None:
            return
        arrays = {f"model/{i}": array for i, array in enumerate(weights)}
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


def seconds_of_epochs(run: Run) -> float:
    """What the epochs took of a training that was stopped, by its last checkpoint."""
    return float(np.sum((run.read_arrays(Checkpoint.NAME) or {}).get("history/seconds", 0.0)))


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

    Args:
        validation: inputs, wanted outputs and weights of the rows, or None.
        held_out: the loss by which validation rows judge.
    """

    def __init__(
        self,
        design: Design,
        phases: Sequence[Phase],
        number: int,
        checkpoint: Checkpoint,
        training: Arrays,
        validation: tuple[dict[str, np.ndarray], np.ndarray, np.ndarray | None],
        held_out: keras.losses.Loss,
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
            deadline = time.monotonic() + phases[number].share * (deadline - time.monotonic())
        self.deadline, self.steps, self.began = deadline, steps, began
        self.epoch, self.best, self.best_epoch, self.stopped, self.spoilt = 0, math.inf, 0, "", False
        self.epoch_seconds = 0.0
        self.seconds_of_steps: float | None = None
        self.history: dict[str, list[float]] = {}
        model = design.learner
        weights = self.best_weights = [_value(v) for v in model.variables]
        places = {id(variable): place for place, variable in enumerate(model.variables)}
        self.trainable = [places[id(variable)] for variable in model.trainable_variables]
        self.first = 0
        afresh = phases[number].afresh
        if former is not None:
            self.epoch, self.history, self.first = former.epoch, former.history, former.epoch
            if not afresh:
                self.best, self.best_epoch, self.best_weights = former.best, former.best_epoch, former.best_weights
        elif checkpoint.found is not None:
            self._take_up(checkpoint.found)
        self.plan = _Plan(model, self.options.epochs, steps)
        rows = max(1, rows_at_once(design.model, 2 * PROBE_ROWS) // 2)
        self.probe = ({name: a[:rows] for name, a in training[0].items()}, training[1][:rows])
        self.gradients = backend.gradient_function(model, model.loss)
        self.loss_of: Callable[[dict[str, np.ndarray], np.ndarray, np.ndarray | None], float] = (
            former.loss_of if former is not None and not afresh else backend.loss_function(model, held_out)
        )
        self.rows, self.validation = len(training[1]), validation
        self.before = [weights[place] for place in self.trainable]
        self.layers = _layers_of_variables(design.model, model)

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
            **self._error_signal(weights),
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
        self.checkpoint.take(weights, self.best_weights, state, self.history)
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
        x, y, weights = self.validation
        losses, sizes = [], []
        batch = rows_at_once(self.design.model, VALIDATION_BATCH)
        for start in range(0, len(y), batch):
            rows = slice(start, start + batch)
            of_rows = None if weights is None else weights[rows]
            losses.append(self.loss_of({name: array[rows] for name, array in x.items()}, y[rows], of_rows))
            sizes.append(len(y[rows]))
        return float(np.average(losses, weights=sizes))

    def take_best(self) -> None:
        """Puts the best weights into the model."""
        for variable, value in zip(self.design.learner.variables, self.best_weights, strict=True):
            variable.assign(value)

    def _stop(self, why: str) -> None:
        self.stopped = self.stopped or why
        self.design.learner.stop_training = True

    def _error_signal(self, weights: list[np.ndarray]) -> dict[str, float]:
        """Per layer: the norm of the gradient on fixed rows, of the weights, and the ratio of their change in an epoch.

        Args:
            weights: the values of all variables.
        """
        gradients = self.gradients(*self.probe)
        now = [weights[place] for place in self.trainable]
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


def _layers_of_variables(model: keras.Model, learner: keras.Model) -> dict[str, list[int]]:
    place = {id(variable): i for i, variable in enumerate(learner.trainable_variables)}
    layers = [*model.layers, *getattr(learner, "others", [])]
    found = {layer.name: [place[id(v)] for v in layer.trainable_variables if id(v) in place] for layer in layers}
    return {name: places for name, places in found.items() if places}


def _value(variable: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable), copy=True)


def _norm(arrays: Any) -> float:
    return math.sqrt(sum(float(np.sum(np.square(a, dtype="float64"))) for a in arrays))


def _shortest(value: float) -> str:
    return f"{value:.9g}"
