"""Fits a design to encoded rows: row order, batches, loss and optimiser, phases."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from nervura import backend, mixing
from nervura.dataset import Arrays
from nervura.designing import Design, half_precision, rows_at_once
from nervura.keeping import Checkpoint, Keeper, Watcher
from nervura.layers.cos_log_rate import CosLogRate
from nervura.layers.lookahead import Lookahead
from nervura.layers.member_loss import MemberLoss
from nervura.layers.row_loss import TARGET, OwnObjective, RowLoss
from nervura.layers.stable_decay_rate import StableDecayRate
from nervura.layers.triangular_rate import TriangularRate
from nervura.problems.base import Head, halved
from nervura.run import Run

VIRTUAL_EPOCH_ROWS = 500_000
"""Longer epochs are cut into virtual ones of at most this many rows, so that checks and checkpoints come often."""

PREPARING_ROWS = 200_000


Answered = tuple[np.ndarray, np.ndarray]
"""A network's outputs (rows, units) and the encoded target (rows,) of the same rows."""


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
    unlabelled: dict[str, np.ndarray] | None = None,
    deadline: float | None = None,
    run: Run | None = None,
    watchers: Sequence[Watcher] = (),
    callbacks: Sequence[keras.callbacks.Callback] = (),
    warm: bool = False,
) -> Fit:
    """Trains ``design.model`` in place and leaves the best weights in it.

    With a ``run`` it keeps checkpoints and the history there, and goes on from the last checkpoint if there is one.

    Args:
        training, validation: encoded inputs and target.
        folds: the fold of each training row, 1 and on, for a design of several groups (``Dataset.fold_of_training``).
            Its groups learn from the validation rows too, which are fold 0, each without the rows of its own fold.
        unlabelled: encoded inputs of rows without a target, which phases learn from that take none.
        deadline: the moment (``time.monotonic``) at which training must have ended.
        warm: whether the model has learnt from other rows already: its layers keep what they took of these, and the last
            phase alone is trained.
    """
    began = time.monotonic()
    options, learner = design.options, design.learner
    phases, checkpoint = design.phases, Checkpoint(learner, run)
    given = _rows(design, training, validation, folds)
    keeper: Keeper | None = None
    for number in range(max(checkpoint.phase, len(phases) - 1 if warm else 0), len(phases)):
        design.enter(phases[number])
        rehearsing = isinstance(learner, OwnObjective) and not learner.predicts
        rows, judged = _without_target(given, unlabelled) if rehearsing else given
        batch_size = min(options.batch_size or batch_size_for(len(rows.y)), len(rows.y))
        order, steps = row_order(len(rows.y), batch_size, design.seed)
        mix = None if rehearsing else mixing.mixing_for(options, design.seed, batch_size)
        compile_model(design, steps, phases[number].options)
        if keeper is None and not checkpoint.restore() and not warm:
            step = max(1, -(-len(given[0].y) // PREPARING_ROWS))
            design.prepare({name: array[::step] for name, array in given[0].x.items()})
            _solve(design, *given)
        with half_precision(learner, getattr(options, "precision", None) == "bfloat16"):
            x = design.network.computed(design.model, phases[number], rows.x, True)
            judged_x = design.network.computed(design.model, phases[number], judged.x, False)
            keeper = Keeper(
                design,
                phases,
                number,
                checkpoint,
                (x, rows.y),
                (judged_x, judged.y, judged.weights),
                loss_for(design, held_out=True),
                steps,
                deadline,
                began,
                watchers,
                keeper,
            )
            if not keeper.finished:
                data, feeders = backend.feed(x, rows.y, rows.weights, batch_size, order, keeper.epoch, mix)
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
    """What a training learns from or stops by: inputs, target as the loss wants it, and weights of the rows or None."""

    x: dict[str, np.ndarray]
    y: np.ndarray
    weights: np.ndarray | None
    codes: np.ndarray | None = None
    """The encoded target and the folds of the rows, -1 without folds, as what is computed before training takes them."""
    folds: np.ndarray | None = None


def _without_target(given: tuple[_Rows, _Rows], unlabelled: dict[str, np.ndarray] | None) -> tuple[_Rows, _Rows]:
    """Rows to learn from and to stop by as a phase takes them that knows no target: zeros stand for it."""
    rows, judged = (_Rows(one.x, np.zeros(len(one.y), np.float32), None) for one in given)
    if unlabelled:
        x = {name: np.concatenate([array, unlabelled[name]]) for name, array in rows.x.items()}
        rows = _Rows(x, np.zeros(len(next(iter(x.values()))), np.float32), None)
    return rows, judged


STOPPING_FOLDS = 2
"""Bagged networks stop by the rows of so many folds; those of the others take no part in any choice."""


def _rows(design: Design, training: Arrays, validation: Arrays, folds: np.ndarray | None) -> tuple[_Rows, _Rows]:
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
    weights, judged_weights = (_class_weights(design, codes, of) for of in (codes, judged_codes))
    if isinstance(design.learner, OwnObjective) and design.learner.takes_target:
        x, judged_x = {**x, TARGET: codes}, {**judged_x, TARGET: judged_codes}
        codes, judged_codes = np.zeros(len(codes), np.float32), np.zeros(len(judged_codes), np.float32)
    wanted, judged_wanted = _wanted(design, codes), _wanted(design, judged_codes)
    if design.members:
        wanted, judged_wanted = _with_fold(wanted, fold), _with_fold(judged_wanted, judged_fold)
    return (
        _Rows(x, wanted, weights, codes, fold),
        _Rows(judged_x, judged_wanted, judged_weights, judged_codes, judged_fold),
    )


MOST_SOLVED = 3_000


def _solve(design: Design, rows: _Rows, judged: _Rows) -> None:
    """Gives every layer with a ``solve`` method, whose first weights are computed, the rows that reach it and their target;
    of many rows it is given some. One that ``takes_held`` is given the rows too that decide when to stop."""
    for layer in design.model.layers:
        if hasattr(layer, "solve") and rows.codes is not None and rows.folds is not None:
            most = getattr(layer, "most_solved", MOST_SOLVED)
            reaching = keras.Model({tensor.name: tensor for tensor in design.model.inputs}, layer.input)

            def reached(
                given: _Rows, most: int = most, reaching: keras.Model = reaching
            ) -> tuple[np.ndarray, np.ndarray]:
                assert given.codes is not None, "rows have a target"
                step = max(1, -(-len(given.codes) // most))
                return predict(reaching, {name: array[::step] for name, array in given.x.items()}), given.codes[::step]

            step = max(1, -(-len(rows.codes) // most))
            more = {"held": reached(judged)} if getattr(layer, "takes_held", False) else {}
            layer.solve(*reached(rows), rows.folds[::step], **more)


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
    head = design.problem.head(getattr(design.options, "label_smoothing", 0.0))
    shares = mixing.wanted(design.options) and head.loss == "SparseCategoricalCrossentropy"
    return replace(head, loss="CategoricalCrossentropy") if shares else head


def loss_for(design: Design, held_out: bool = False) -> keras.losses.Loss:
    """The loss of the design's learner; with ``held_out`` that by which it is judged, each group on its own fold."""
    if isinstance(design.learner, OwnObjective) and not design.learner.predicts:
        return RowLoss()
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
    # A step that creates the optimiser's variables would be traced by TensorFlow a second time without them.
    optimizer = design.learner.optimizer
    optimizer.build(design.learner.trainable_variables)
    rate = optimizer._learning_rate
    if hasattr(rate, "end") and not hasattr(optimizer, "end"):
        first = keras.initializers.Constant(rate.end)
        rate.end = optimizer.end = optimizer.add_variable((), initializer=first, dtype="float32", name="end")


def halves(validation: Arrays) -> tuple[Arrays, Arrays]:
    """Validation rows that decide when to stop, and those that nothing else uses."""
    x, y = validation
    first, second = (({name: a[rows] for name, a in x.items()}, y[rows]) for rows in halved(len(y)))
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


def _class_weights(design: Design, learnt: np.ndarray, of: np.ndarray) -> np.ndarray | None:
    """The weights of the rows with the codes ``of``, by how often their classes are among those that are ``learnt``."""
    if getattr(design.options, "class_weight", "none") != "balanced" or design.problem.supervised_by != "classifier":
        return None
    counts = np.bincount(learnt.astype(int), minlength=int(of.max(initial=0)) + 1)
    return (len(learnt) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[of.astype(int)].astype("float32")


def predict(model: keras.Model, x: dict[str, np.ndarray], batch_size: int = 1024) -> np.ndarray:
    """The outputs of a model for encoded rows, (rows, units), in batches."""
    return predictor(model, batch_size)(x)


SMALLEST_BATCH = 64


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
