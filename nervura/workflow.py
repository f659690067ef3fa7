"""The whole flow: data -> problem -> network -> error signal -> weights -> judgement. Start reading here."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import polars as pl

from nervura import backend, calibration, checking, keeping, renewing, tracking, training
from nervura.appraisal import appraise
from nervura.checking import Check
from nervura.dataset import Arrays, Dataset
from nervura.designing import Design, chosen_network, default_network, design
from nervura.encoding import medium
from nervura.errors import NervuraError, OptionError, RunError
from nervura.evaluation import evaluate, rivals
from nervura.explanation import explain
from nervura.keeping import Watcher
from nervura.predicting import called, load_model, predict
from nervura.problems.base import Appraised
from nervura.recognising import hashes
from nervura.renewing import Champion
from nervura.reporting import report
from nervura.retrieving import similar
from nervura.run import Run, next_directory
from nervura.schema import text_table
from nervura.searching import SHORTEST_TRIAL, Found, Search, folder_of, require_optuna
from nervura.trackers.base import Tracker

ENDING_SECONDS, ENDING_SHARE = 4.0, 0.6
"""What the last scores, the report and the interpreter's end take: seconds, or more on a slow or busy machine, as a share
of what starting took."""

TRAINING_SHARE = 0.45
TRAINING_SHARE_OF_PICTURES = 0.75
"""The share of a time budget, once the data are read, that training may take; judgement has the rest, and of tables a
search."""

JUDGING_SHARE = 0.4
"""Where a search follows, the share of the time left after the first training that baselines may take."""

ROOMY = 3.0
"""Where more than so many times the first training's seconds are left of a budget, baselines leave room for a search."""

ASSEMBLING_SECONDS = 5.0
"""A search begins where a trial of the shortest length, and so many seconds more, are left once the baselines are trained."""

EXPLAINING_SHARE = 0.05
"""The share of the time left before a search that explaining the network it finds may take."""

RESUMABLE = ("model.keras", "checkpoint/training.npz")
"""A run that failed before it had one of these holds nothing worth going on with, and is taken away."""


class TrainedRun(Run):
    """A run with what can be done with it.

    Attributes:
        path: its directory.
    """

    _model: keras.Model | None = None

    @property
    def model(self) -> keras.Model:
        """The trained Keras model; its inputs are the tensors of ``nervura.encoding.encode``."""
        if self._model is None:
            self._model = load_model(self)
        return self._model

    @property
    def evaluation(self) -> dict[str, Any]:
        return self.need("evaluation")

    @property
    def verdict(self) -> str:
        """The verdict in one paragraph."""
        return self.evaluation["verdict"]["text"]

    def predict(
        self, source: Any, keep: Sequence[str] = (), table: str | None = None, use: str = "network"
    ) -> pl.DataFrame:
        """The answers for new rows, by the network or another of the run's models; see ``nervura.predicting.predict``."""
        own = called(self, use) == self.need("design")["network"]
        return predict(self, source, keep=keep, table=table, use=use, model=self.model if own else None)

    def similar(self, text: str | os.PathLike[str], count: int = 10) -> pl.DataFrame:
        """The documents that are most like a text or a file of text; see ``nervura.retrieving.similar``."""
        return similar(self, text, count, self.model)

    def report(self, lang: str = "en") -> Path:
        """Writes the report and gives its path."""
        return report(self, lang)

    def export(self, to: str = "code", out: str | Path | None = None, use: str = "network", lang: str = "en") -> Path:
        """Writes the run, or another of its models, in another form; see ``nervura.exporting.export``."""
        from nervura.exporting import export

        load_model(self)  # says what is wrong where it is absent or damaged
        return export(self, to, out, use=use, lang=lang)

    def pack(self, out: str | Path | None = None, lang: str = "en") -> Path:
        """Writes the run as one ``.nervura`` file; see ``nervura.packing.pack``."""
        from nervura.packing import pack

        return pack(self, out, lang)

    def scores(self) -> list[dict[str, Any]]:
        """One dict per model: its name and its scores on the test rows, the network of this run first."""
        evaluation = self.evaluation
        models = {self.need("design")["network"]: evaluation["test"], **evaluation["baselines"]}
        return [{"model": name, **{m: s["value"] for m, s in scores.items()}} for name, scores in models.items()]

    def __str__(self) -> str:
        told = self.need("run")
        lines = [f"{told.get('name', self.path.name)} ({told['status']})"]
        if self.read("evaluation"):
            lines += [text_table(_rounded(self.scores())), "", self.verdict]
        return "\n".join([*lines, f"Run: {self.path}"])

    def _repr_html_(self) -> str:
        from html import escape

        from nervura.schema import html_table

        if not self.read("evaluation"):
            return f"<p>{escape(str(self))}</p>"
        return (
            f"<p><b>{escape(self.path.name)}</b></p>{html_table(_rounded(self.scores()))}<p>{escape(self.verdict)}</p>"
        )


def train(
    source: Any,
    target: str | None = None,
    *,
    from_run: Run | str | Path | None = None,
    problem: str | None = None,
    metric: str | None = None,
    network: str | None = None,
    options: Mapping[str, Any] | None = None,
    minutes: float | None = None,
    trials: int | None = None,
    level: float | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    kinds: Mapping[str, str] | None = None,
    drop: Sequence[str] = (),
    group: str | None = None,
    time: str | None = None,
    test: Any = None,
    table: str | None = None,
    size: str | None = None,
    pretrain: bool = False,
    track: str | Sequence[str] = (),
    lang: str = "en",
    watchers: Sequence[Watcher] = (),
    tell: Callable[[str], None] = lambda text: None,
) -> TrainedRun:
    """From data to a trained, judged, explained and reported run.

    Args:
        source: a file, folder, SQL address, ``toy:NAME`` or a table in memory.
        target: the column to predict or, for a problem that predicts none, to judge by alone.
        from_run: an earlier run, the champion, whose question is asked again of these rows: schema, target, problem, network and
            options are its own, so that of the other arguments ``minutes``, ``seed``, ``out``, ``table``, ``lang`` and those
            behind them alone can be given. The network is trained from its weights and afresh, and judged beside it; see
            ``nervura.renewing``.
        problem: ``binary``, ``multiclass`` or ``regression``, by default found out from the target; ``embedding`` and
            others that need none, by default the first that suits the rows where there is no target.
        metric: what to optimise and to decide by, one of the problem's metrics; by default log_loss, rmse or, without a
            target, what the problem says.
        network: a member of the zoo; by default ``tabm`` for tables, ``minirocket`` for series and ``airbench`` for
            pictures, ``pretrained`` for few photographs where its weights are on this machine already, and ``autoencoder``
            without a target; with ``pretrain`` ``deep_feed_forward`` for tables and ``convolutional`` for pictures.
        options: the network's options by name, and those of the problem, if it has some.
        minutes: a budget for everything; from the start of the process on the command line.
        trials: how many trainings with other options and networks to search, the first one included; by default as
            many as fit into ``minutes``, and without a budget no search.
        level: the share of new rows whose truth the interval or set beside each answer is to hold, by default 0.9; of
            anomalies the share of usual rows that are to raise no alarm, by default 0.99.
        seed: split, weights and row order depend on it alone.
        out: the run's directory; by default ``runs/<source>-<network>-<number>``.
        kinds: kinds of columns by name, where the inferred ones are wrong.
        drop: columns to leave out.
        group: a column whose equal values stay on one side of the split.
        time: a column of moments; the latest rows become the test rows.
        test: a source of test rows of its own.
        table: the table, sheet or query, where the source holds several.
        size: what pictures are brought to, in pixels: ``64``, or ``48x64`` for height and width.
        pretrain: learns from the rows without a target first; the evaluation says what that gained.
        track: where the training is told too, ``mlflow``, ``tensorboard`` or both; see ``nervura.trackers``.
        lang: of the report, ``en`` or ``pt``.
        watchers: are told of each epoch.
        tell: is told each step in words.

    Raises:
        NervuraError: of the kind that says what is wrong; no directory is left behind when the data cannot be used.
    """
    asked: dict[str, Any] = {
        "from": None,
        "target": target,
        "problem": problem,
        "metric": metric,
        "network": network,
        "options": dict(options or {}),
        "minutes": minutes,
        "trials": trials,
        "level": level,
        "seed": seed,
        "kinds": dict(kinds or {}),
        "drop": list(drop),
        "group": group,
        "time": time,
        "test": _lasting(test),
        "table": table,
        "size": size,
        "pretrain": pretrain,
        "track": [track] if isinstance(track, str) else list(track),
        "lang": lang,
    }
    champion = None
    if from_run is not None:
        _check_inherits(asked)
        champion = Champion.open(from_run.packed or from_run.path if isinstance(from_run, Run) else from_run)
        asked |= {**champion.inherited(), "from": champion.place}
        network, level = asked["network"], asked["level"]
    if seed < 0:
        raise OptionError(f"A seed is a whole number from 0 on; given was {seed}. Write --seed 0.")
    if level is not None and not 0.5 <= level <= 0.999:
        raise OptionError(f"A level lies between 0.5 and 0.999; given was {level}. Write --level 0.9.")
    if trials is not None and trials < 1:
        raise OptionError(f"A search has 1 trial or more; given was {trials}. Write --trials 10.")
    if trials is not None and trials > 1 and pretrain:
        raise OptionError(
            "A search compares networks on the rows with a target alone; with --pretrain there is none. Leave --trials or "
            "--pretrain out."
        )
    if trials is not None and trials > 1:
        require_optuna()
    _trackers(asked)  # what is missing shows before the data are read
    deadline = _deadline(minutes)
    name = backend.choose()
    tell("reading")
    if champion is not None:
        dataset = champion.dataset(source, table, seed)
    else:
        dataset = Dataset.open(
            source,
            target,
            problem=problem,
            metric=metric,
            kinds=kinds,
            drop=drop,
            group=group,
            time=time,
            test=test,
            seed=seed,
            table=table,
            size=size,
            options=options,
            level=level,
            pretrain=pretrain,
        )
    asked["level"] = dataset.problem.level if level is None else level
    if dataset.detection.possible:
        tell(_choice(dataset))
    if trials is not None and trials > 1 and isinstance(dataset.problem, Appraised):
        raise OptionError(
            "A search compares how well networks predict a target of classes or values; the problem "
            f"{dataset.problem.name} has none. Leave --trials out."
        )
    chosen, why = (network, None) if network else chosen_network(dataset.schema, dataset.problem, pretrain)
    network = asked["network"] = chosen
    made = _designed(dataset, asked)
    if why:
        tell(why)
        made.rule = f"{why} {made.rule or ''}".strip()
    dataset.arrays("train")  # what cannot be encoded shows before a directory is made
    path = Path(out if out is not None else next_directory("runs", dataset.table.name, network))
    run = TrainedRun.create(
        path,
        name=path.resolve().name,
        status="training",
        source={"origin": dataset.table.origin, "reading": dataset.table.reading, "notes": list(dataset.table.notes)},
        asked=asked,
        command=_command(dataset.table.origin, asked, dataset.problem.level),
        seed=seed,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        backend=name,
        device=backend.device(),
        versions=backend.versions(),
        decisions=[],
    )
    try:
        return _go_on(run, dataset, made, deadline, asked, watchers, tell, champion)
    except NervuraError:
        if not any((run.path / file).exists() for file in RESUMABLE):
            shutil.rmtree(run.path, ignore_errors=True)
        raise


def resume(
    path: str | Path,
    *,
    source: Any = None,
    watchers: Sequence[Watcher] = (),
    tell: Callable[[str], None] = lambda text: None,
) -> TrainedRun:
    """Goes on with a run that was stopped, from its last checkpoint, as if it had not been.

    A time budget goes on too: what trainings have had of it is gone.

    Args:
        source: the same data, where the run's were a table in memory.

    Raises:
        RunError: the data have changed since, or cannot be read again.
    """
    run = TrainedRun.open(path)
    told = run.need("run")
    if told["status"] == "done" and (run.path / "model.keras").exists():
        return run
    asked = told["asked"]
    backend.choose(told["backend"])
    tell("reading")
    wanted = ("problem", "kinds", "drop", "group", "time", "test", "seed", "table", "size", "options", "level")
    origin = source if source is not None else told["source"]["origin"]
    champion = Champion.open(asked["from"]) if asked.get("from") else None
    if champion is not None:
        dataset = champion.dataset(origin, asked["table"], asked["seed"])
    else:
        how = {key: asked.get(key) for key in wanted}
        dataset = Dataset.open(
            origin, asked["target"], metric=asked.get("metric"), pretrain=asked.get("pretrain", False), **how
        )
    kept = run.read_arrays("split")
    if kept is not None and not np.array_equal(kept["parts"], dataset.split.parts):
        raise RunError(
            f"A run goes on with the data it began with; '{told['source']['origin']}' has changed since. Train afresh."
        )
    made = _designed(dataset, asked)
    deadline = _deadline(asked["minutes"])
    return _go_on(run, dataset, made, deadline and deadline - _spent(run), asked, watchers, tell, champion)


OWN_OF_A_CHALLENGER = ("from", "minutes", "seed", "table", "track", "lang")
"""What can be asked of a training that takes all else from an earlier run."""


def _check_inherits(asked: dict[str, Any]) -> None:
    """A training from an earlier run is asked nothing that it has from there.

    Raises:
        OptionError: it is.
    """
    names = {"options": "set", "kinds": "column"}
    given = [f"--{names.get(key, key)}" for key, value in asked.items() if value and key not in OWN_OF_A_CHALLENGER]
    if given:
        raise OptionError(
            f"A training from an earlier run has target, problem, network and options from there; given were {', '.join(given)}. "
            "Leave them out, or train without --from."
        )


def _designed(dataset: Dataset, asked: dict[str, Any]) -> Design:
    """The design that is asked for; a budget, which moves the end of its schedule, may give it more epochs than its rule."""
    options = dataset.problem.divided(asked["options"])[1]  # the others are the problem's
    how = {"pretrain": asked.get("pretrain", False)}
    made = design(dataset.problem, asked["network"], dataset.schema, options, asked["seed"], dataset.folds, **how)
    if asked["minutes"] is not None and not options.get("epochs"):
        made.options.epochs *= made.network.stretch
    return made


def _spent(run: Run) -> float:
    """The seconds of a time budget that a run's trainings have had already."""
    trials: list[dict[str, Any]] = []
    while (trial := run.read(f"{folder_of(len(trials))}/trial")) is not None:
        trials.append(trial)
    if trials:
        return sum(trial["seconds"] + trial["answering"] for trial in trials)
    if "fit_seconds" in (told := run.need("run")):
        return float(told["fit_seconds"])
    return sum(map(keeping.seconds_of_epochs, (run, *renewing.starts(run))))


def check(source: Any, target: str | None = None, **how: Any) -> Check:
    """Whether a network is worth training on ``source``, before any training.

    Args:
        how: ``problem``, ``metric``, ``kinds``, ``drop``, ``group``, ``time``, ``test``, ``seed``, ``table``, ``size``,
            as for ``train``.
    """
    backend.choose()
    dataset = Dataset.open(source, target, **how)
    return checking.check(dataset, lambda: _expected_seconds(dataset))


MEASURED_EPOCHS, USUAL_EPOCHS = 3, 50


MEASURED_PICTURES = 1_000


def _some(rows: Any) -> Any:
    """The first rows of an array or of several by name."""
    return {name: array[:200] for name, array in rows.items()} if isinstance(rows, dict) else rows[:200]


def _expected_seconds(dataset: Dataset) -> float:
    """How long a training of the default network should take, from a few epochs of it, of pictures and series on a part."""
    if medium(dataset.schema) is not None:
        whole = design(dataset.problem, default_network(dataset.schema), dataset.schema)
        (x, y), validation = dataset.arrays("train"), dataset.arrays("validation")
        step = max(1, -(-len(y) // MEASURED_PICTURES))
        part = {name: array[::step] for name, array in x.items()}, y[::step]
        # The options that follow from the number of pictures are those of all of them.
        options = {**vars(whole.options), "epochs": MEASURED_EPOCHS - 1}
        made = design(dataset.problem, whole.network, dataset.schema, options)
        fit = training.fit(made, part, tuple(_some(rows) for rows in validation))
        return fit.seconds + fit.epoch_seconds * step * whole.options.epochs
    options = {"epochs": MEASURED_EPOCHS}
    made = design(dataset.problem, default_network(dataset.schema), dataset.schema, options, folds=dataset.folds)
    fit = training.fit(made, dataset.arrays("train"), dataset.arrays("validation"), folds=dataset.fold_of_training)
    return fit.seconds + fit.epoch_seconds * (USUAL_EPOCHS - MEASURED_EPOCHS)


def load(path: str | Path) -> TrainedRun:
    """The run that stands in a directory, wherever it was made.

    Raises:
        RunError: there is none, or it is damaged.
    """
    backend.choose()
    return TrainedRun.open(path)


def _go_on(
    run: TrainedRun,
    dataset: Dataset,
    made: Design,
    deadline: float | None,
    asked: dict[str, Any],
    watchers: Sequence[Watcher],
    tell: Callable[[str], None],
    champion: Champion | None = None,
) -> TrainedRun:
    trackers = _trackers(asked)
    try:
        for tracker in trackers:
            tracker.begin(run)
        _describe(run, dataset, made)
        seconds = _train_once(run, dataset, made, deadline, asked, watchers, tell, champion)
        decisions = run.need("run")["decisions"][:1]
        if not isinstance(dataset.problem, Appraised):
            decisions += _judge(run, dataset, made, deadline, asked, seconds, watchers, tell)
            if champion is not None:
                renewing.contest(run, champion, dataset, made)
        else:
            decisions += appraise(run, dataset, made, seconds, deadline=deadline, tell=tell)["notes"]
            run._model = made.model
        began_at = datetime.fromisoformat(run.need("run")["started"])
        whole = round((datetime.now(UTC) - began_at).total_seconds(), 1)
        run.update("run", status="reporting", seconds=whole, decisions=decisions)
        tell("reporting")
        report(run, asked["lang"])
        run.update("run", status="done")
    except BaseException as stop:
        if isinstance(stop, KeyboardInterrupt):
            stop.add_note(f"nervura resume {shlex.quote(str(run.path))}")
        tracking.stop(trackers, run)
        raise
    tracking.finish(trackers, run, asked["lang"])
    return run


def _trackers(asked: dict[str, Any]) -> list[Tracker]:
    """The trackers that are asked for; earlier versions knew one."""
    return tracking.chosen(asked.get("track", ["tensorboard"] if asked.get("tensorboard") else []))


def _judge(
    run: TrainedRun,
    dataset: Dataset,
    made: Design,
    deadline: float | None,
    asked: dict[str, Any],
    seconds: float,
    watchers: Sequence[Watcher],
    tell: Callable[[str], None],
) -> list[str]:
    """Searches where that is worth it, calibrates, evaluates and explains a network that predicts a target; gives the
    decisions taken."""
    decisions, judge = [], None
    if _may_search(asked, deadline, medium(dataset.schema) is not None):
        left = None if deadline is None else deadline - time.monotonic()
        share = 1.0 if left is None or left < ROOMY * seconds else JUDGING_SHARE
        limit = None if left is None else time.monotonic() + share * left
        judge = rivals(run, dataset, made, deadline=limit, tell=tell)
    if judge is not None and _worth_searching(run, asked, deadline, seconds):
        found = _search(run, dataset, made, deadline, asked, seconds, watchers, tell)
        made, seconds = found.design, found.seconds
        decisions.append(found.told)
        answered = found.answered
    else:
        rows = _validation(dataset, made)
        answered = training.held_out(made, dataset.arrays("train"), *rows, dataset.fold_of_training)
    made.problem = calibration.calibrate(dataset.problem, *answered, asked["level"], made.groups)
    run.update("problem", coding=made.problem.coding)
    evaluation = evaluate(run, dataset, made, seconds, judge=judge, deadline=deadline, tell=tell)
    tell("explaining")
    explain(run, dataset, made, deadline=deadline)
    run._model = made.model
    return [*decisions, *evaluation["notes"]]


def _choice(dataset: Dataset) -> str:
    """What can be done with rows without a target, and what is."""
    detection = dataset.detection
    each = "; ".join(f"{name}: {reason}" for name, reason in detection.possible.items())
    others = [name for name in detection.possible if name != detection.problem.name]
    more = f"--problem {' or '.join(others)} for another, " if others else ""
    return f"no target: {each}. The problem is {detection.problem.name}; write {more}--target COLUMN to predict one"


def _describe(run: Run, dataset: Dataset, made: Design) -> None:
    """Writes what is known before training."""
    run.write("schema", dataset.schema.to_json())
    folds = {} if dataset.split.folds is None else {"folds": dataset.split.folds}
    run.write_arrays("split", {"parts": dataset.split.parts, **folds})
    if not isinstance(dataset.problem, Appraised):
        learnt = [hashes(*dataset.arrays(part)) for part in ("train", "validation")]
        run.write_arrays(renewing.LEARNT, {"rows": np.sort(np.concatenate(learnt))})
    counts = {part: dataset.rows(part) for part in ("train", "validation", "test")}
    counts["left out"] = dataset.split.counts()["left out"]
    run.write("split", {**dataset.split.to_json(), "rows": counts})
    run.write(
        "problem",
        {
            "name": made.problem.name,
            "needs_target": made.problem.needs_target,
            "reason": dataset.detection.reason,
            "declined": dataset.detection.declined,
            "possible": dataset.detection.possible,
            "coding": made.problem.coding,
            "metric": made.problem.metric,
        },
    )
    kept = run.read("design") or {}
    # A run that goes on keeps what was told of it when it began.
    run.write("design", {**kept, **made.to_json(), "rule": kept.get("rule") or made.rule})


def _train_once(
    run: Run,
    dataset: Dataset,
    made: Design,
    deadline: float | None,
    asked: dict[str, Any],
    watchers: Sequence[Watcher],
    tell: Callable[[str], None],
    champion: Champion | None = None,
) -> float:
    """Trains, or takes up the model of a training that had ended; gives the seconds that training took."""
    told = run.need("run")
    if "fit_seconds" in told and (run.path / "model.keras").exists():
        # Once a search has begun, the first network stands among its trials.
        begun = Run(run.path / folder_of(0))
        model = load_model(begun if (begun.path / "model.keras").exists() else run)
        for variable, kept in zip(made.model.variables, model.variables, strict=True):
            variable.assign(kept)
        return float(told["fit_seconds"])
    now = time.monotonic()
    how: dict[str, Any] = {
        "deadline": None if deadline is None else now + _training_share(dataset) * (deadline - now),
        "watchers": watchers,
        "callbacks": [callback for tracker in _trackers(asked) for callback in tracker.callbacks(run)],
    }
    stopping = _validation(dataset, made)[0]
    if champion is not None:
        chosen, fit = renewing.begin(
            run, champion, dataset, lambda: _designed(dataset, asked), stopping, tell=tell, **how
        )
        for variable, value in zip(made.model.variables, chosen.model.variables, strict=True):
            variable.assign(value)
    else:
        tell(f"training {made.network.name}")
        fit = training.fit(
            made,
            dataset.arrays("train"),
            stopping,
            folds=dataset.fold_of_training,
            unlabelled=dataset.unlabelled,
            run=run,
            **how,
        )
    run.write_text("history.csv", keeping.history_csv(fit.history))
    run.write_file("model.keras", lambda temporary: made.model.save(temporary))
    run.update("design", batch_size=fit.batch_size)
    epochs = len(fit.history.get("loss", []))
    ended = f"Training stopped after {epochs} epochs ({fit.stopped}); best: {fit.best_epoch}."
    if not epochs:
        ended = "The weights were computed, without an epoch of gradients."
    run.update("run", status="judging", fit_seconds=fit.seconds, stopped=fit.stopped, decisions=[ended])
    renewing.forget_starts(run)
    return fit.seconds


def _training_share(dataset: Dataset) -> float:
    return TRAINING_SHARE if medium(dataset.schema) is None else TRAINING_SHARE_OF_PICTURES


def _validation(dataset: Dataset, made: Design) -> tuple[Arrays, Arrays]:
    """The validation rows that decide when to stop and those that nothing else uses; a bagged design has folds for it."""
    rows = dataset.arrays("validation")
    whole = made.groups > 1 or not dataset.problem.calibrates
    return (rows, rows) if whole else training.halves(rows)


def _may_search(asked: dict[str, Any], deadline: float | None, whole: bool) -> bool:
    """Whether a search is asked for, or a budget may leave time for one."""
    if asked.get("pretrain") or asked.get("from"):
        return False
    if asked.get("trials") is not None:
        return asked["trials"] > 1
    # Of pictures and series one long training is worth more than several short ones.
    return deadline is not None and not whole and find_spec("optuna") is not None


def _worth_searching(run: Run, asked: dict[str, Any], deadline: float | None, seconds: float) -> bool:
    """Whether a search is asked for, has begun, or has time after a first training that took ``seconds``."""
    if asked.get("trials") is not None or deadline is None or run.read(f"{folder_of(0)}/trial") is not None:
        return True
    return deadline - time.monotonic() > SHORTEST_TRIAL * seconds + ASSEMBLING_SECONDS


def _search(
    run: Run,
    dataset: Dataset,
    made: Design,
    deadline: float | None,
    asked: dict[str, Any],
    seconds: float,
    watchers: Sequence[Watcher],
    tell: Callable[[str], None],
) -> Found:
    """Searches for a better network than the first one, and keeps what it finds as the run's."""
    only = asked["network"] != default_network(dataset.schema)
    search = Search(run, dataset, made, _validation(dataset, made), asked["options"], only, tell, watchers)
    limit = None if deadline is None else deadline - EXPLAINING_SHARE * (deadline - time.monotonic())
    found = search.go(asked.get("trials"), limit, seconds, run.need("run")["stopped"])
    run.write_file("model.keras", lambda temporary: found.design.model.save(temporary))
    run.update("design", **found.design.to_json())
    run.update("run", status="judging")
    return found


def _lasting(test: Any) -> str | None:
    """Test rows as they are found again from another folder."""
    if not isinstance(test, str | Path):
        return None
    return str(Path(test).absolute()) if Path(test).exists() else str(test)


def _deadline(minutes: float | None) -> float | None:
    """The end of the budget, counted from the start of this process, less what the ending takes."""
    if minutes is None:
        return None
    if not minutes > 0:
        raise OptionError(f"A time budget is a number of minutes above 0; given was {minutes}. Write --minutes 5.")
    age = _process_age()
    return time.monotonic() - age + 60 * minutes - max(ENDING_SECONDS, ENDING_SHARE * age)


def _process_age() -> float:
    import psutil

    age = time.time() - psutil.Process(os.getpid()).create_time()
    # In a notebook or server the process is old; a budget then counts from the call.
    return age if age < 30 else 0.0


def _command(origin: str, asked: dict[str, Any], level: float) -> str:
    """The command line that does the same; ``level`` is what is taken where none is asked for."""
    words = ["nervura", "train", origin]
    if asked["from"]:
        asked = {key: value if key in OWN_OF_A_CHALLENGER else None for key, value in asked.items()}
        asked |= {"kinds": {}, "drop": [], "options": {}, "level": level}
    keys = (
        "from",
        "target",
        "problem",
        "metric",
        "network",
        "minutes",
        "trials",
        "seed",
        "group",
        "time",
        "test",
        "table",
        "size",
    )
    for key in keys:
        if asked[key] is not None:
            words += [f"--{key}", str(asked[key])]
    if asked.get("pretrain"):
        words.append("--pretrain")
    if asked["level"] != level:
        words += ["--level", str(asked["level"])]
    for name, kind in asked["kinds"].items():
        words += ["--column", f"{name}={kind}"]
    for name in asked["track"]:
        words += ["--track", name]
    for name in asked["drop"]:
        words += ["--drop", name]
    for name, value in asked["options"].items():
        words += ["--set", f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"]
    return shlex.join(words)


def _rounded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {k: float(f"{v:.4g}") if isinstance(v, float) else v if v is not None else "" for k, v in row.items()}
        for row in rows
    ]
