"""New data for the question of an earlier run: that run is the champion, a training from its weights or afresh challenges it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import polars as pl

from nervura import encoding, judging, training
from nervura.dataset import Arrays, Dataset
from nervura.designing import Design
from nervura.errors import OptionError, ProblemError, SchemaError
from nervura.inspecting import short
from nervura.keeping import Watcher, history_csv
from nervura.predicting import answerer, answering, check_columns, check_kinds, read_model
from nervura.problems.base import Appraised, Classification, Problem
from nervura.run import Run, plain
from nervura.schema import Schema
from nervura.searching import folder_of
from nervura.sources import read
from nervura.training import Fit

LEARNT = "learnt"
"""The file of a run with the hashes of the rows that it learnt from."""

STARTS = "starts"
"""The folder of a run in which the two trainings stand until one is chosen."""

WARM, AFRESH = "warm", "afresh"

LOOKED_AT = 200_000
"""How the columns of a table are typed is told from so many rows of it at most."""

MOST_NAMED = 5


@dataclass
class Champion:
    """An earlier run, whose question is asked again of new rows.

    Attributes:
        problem: its problem with the coding of the target, without what was calibrated.
        asked: all that it was asked.
        learnt: the hashes of the rows that it learnt from; None where it did not keep them, as a packed run does not.
        file: the network whose weights a training can start from; None where they are not at hand.
    """

    run: Run
    name: str
    schema: Schema
    problem: Problem
    asked: dict[str, Any]
    learnt: np.ndarray | None
    file: Path | None

    @classmethod
    def open(cls, path: str | Path) -> Champion:
        """The run that stands at a path.

        Raises:
            RunError: there is none, or its training did not end.
            OptionError: its problem judges itself.
        """
        run = Run.open(path)
        told = run.need("run")
        run.need("evaluation")  # says how to go on where the run has not come so far
        problem = answerer(run).problem
        name = told.get("name", run.path.name)
        if isinstance(problem, Appraised):
            raise OptionError(
                f"Champion and challenger are judged by classes or values that they predict; the problem of the run {name} is "
                f"{problem.name}. Train without --from."
            )
        arrays = None if run.packed is not None else run.read_arrays(LEARNT)
        file: Path = run.path / "model.keras"
        if run.read("search") is not None or "ensemble" in run.need("design"):
            # The network that a search began with, which is the one that was asked for.
            file = run.path / folder_of(0) / "model.keras"
        return cls(
            run,
            name,
            Schema.from_json(plain(run.need("schema"))),
            problem.uncalibrated(),
            plain(told["asked"]),
            None if arrays is None else arrays["rows"],
            file if file.exists() else None,
        )

    @property
    def place(self) -> str:
        """The file or directory that the run was opened from."""
        return str(self.run.packed or self.run.path)

    def inherited(self) -> dict[str, Any]:
        """What a challenger is asked: what the champion was, but for the source, the seed and the time that it may take."""
        kept = ("target", "problem", "metric", "network", "options", "level", "kinds", "drop", "group", "time", "size")
        asked = {key: self.asked.get(key) for key in kept}
        asked["target"], asked["problem"] = self.schema.target.name, self.problem.name
        options, folds = dict(asked["options"] or {}), self.run.need("design").get("options", {}).get("folds")
        if folds is not None and self.file is not None:
            options["folds"] = folds  # of other numbers of members the weights do not fit
        return {**asked, "options": options}

    def dataset(self, source: Any, table: str | None, seed: int) -> Dataset:
        """The rows of ``source`` for the champion's question, read and encoded as it did.

        Raises:
            SchemaError: a column is missing, or holds something else than it did.
            ProblemError: the target has other classes, or too few rows are new.
        """
        found = read(source, table=table)
        names = found.frame.collect_schema().names()
        check_columns(self.schema, names)
        group, moment = self.asked.get("group"), self.asked.get("time")
        needed = {"target": self.schema.target.name, "column of groups": group, "column of times": moment}
        for what, name in needed.items():
            if name is not None and name not in names:
                raise SchemaError(
                    f"New rows to learn from need the {what} of the run {self.name}, '{name}'; it is missing. Given: "
                    f"{', '.join(map(repr, names[:20]))}{' ...' if len(names) > 20 else ''}."
                )
        media = [column.name for column in self.schema.columns if column.kind in encoding.MEDIA]
        frame = found.frame.drop(media, strict=False).head(LOOKED_AT).collect()
        columns = [one for one in self.schema.columns if set(encoding.raw_names(one)) <= set(names)]
        there = Schema([replace(column) for column in columns])
        schema = encoding.adapted(there, frame)
        check_kinds(schema, frame)
        self._check_target(schema, found.frame)
        _count(schema, frame)
        schema.rows = found.frame.select(pl.len()).collect().item()
        unknown = [name for name in names if name not in self.schema.names and name != found.part]
        if unknown:
            more = f" and {len(unknown) - MOST_NAMED:,} more" if len(unknown) > MOST_NAMED else ""
            note = (
                f"Columns that the run {self.name} did not know are not read: {', '.join(unknown[:MOST_NAMED])}{more}."
            )
            found = replace(found, notes=(*found.notes, note))
        return Dataset.like(found, schema, self.problem, self.learnt, self.name, seed=seed, group=group, time=moment)

    def _check_target(self, schema: Schema, frame: pl.LazyFrame) -> None:
        """Whether the target is still what it was.

        Raises:
            SchemaError: most of its values are of another kind.
            ProblemError: it has classes that the champion does not know.
        """
        target = schema.target
        filled_in = pl.col(target.name).is_not_null().alias("filled")
        columns = frame.select(encoding.values(target).alias("y"), filled_in).collect()
        filled, values = int(columns["filled"].sum()), columns["y"].drop_nulls()
        if values.len() < 0.5 * filled or not filled:
            raw = frame.select(pl.col(target.name).cast(pl.String, strict=False)).collect().to_series()
            examples = ", ".join(map(repr, raw.drop_nulls().unique(maintain_order=True).head(3)))
            raise SchemaError(
                f"The target '{target.name}' must hold values of kind {target.kind}, as in the run {self.name}; "
                + (f"given were such as {examples}." if examples else "it has no value.")
            )
        if not isinstance(self.problem, Classification):
            return
        new = values.filter(pl.Series(self.problem.codes(values) < 0)).cast(pl.String)
        if new.len():
            classes = ", ".join(map(repr, self.problem.classes[:MOST_NAMED]))
            classes += " ..." if self.problem.classes[MOST_NAMED:] else ""
            raise ProblemError(
                f"The run {self.name} tells the classes {classes} of '{target.name}' apart; {new.len():,} of {values.len():,} "
                f"rows have others, such as {', '.join(map(repr, new.unique(maintain_order=True).head(3)))}. Leave such rows "
                "out, or train without --from."
            )

    def hand_over(self, model: keras.Model) -> bool:
        """Gives a model of the champion's design its weights; whether they can be learnt on from."""
        if self.file is None or any(hasattr(layer, "solve") for layer in model.layers):
            return False  # weights that are computed are computed from the rows there are
        weights = read_model(self.run, self.file).weights
        if [tuple(one.shape) for one in weights] != [tuple(one.shape) for one in model.weights]:
            return False
        for variable, value in zip(model.weights, weights, strict=True):
            variable.assign(value)
        return True


def _count(schema: Schema, frame: pl.DataFrame) -> None:
    """Brings what a schema tells of its columns' values up to these rows."""
    for column in schema.columns:
        if column.name in frame.columns and column.kind not in ("captions", *encoding.MEDIA):
            values = frame.select(encoding.values(column).alias("v")).to_series()
            column.missing, column.distinct = values.null_count(), values.drop_nulls().n_unique()
            column.examples = [
                short(value) for value in frame[column.name].drop_nulls().unique(maintain_order=True).head(3)
            ]


def begin(
    run: Run,
    champion: Champion,
    dataset: Dataset,
    make: Callable[[], Design],
    stopping: Arrays,
    *,
    deadline: float | None = None,
    watchers: Sequence[Watcher] = (),
    tell: Callable[[str], None] = lambda text: None,
    **how: Any,
) -> tuple[Design, Fit]:
    """Trains from the champion's weights and afresh, and keeps what the validation rows like better.

    Each training stands in the run until one is chosen, so that a run that was stopped goes on where it was.

    Args:
        make: gives the design, with first weights of its own.
        stopping: the validation rows that decide when to stop.
        deadline: the moment (``time.monotonic``) at which both must have ended.
        how: further arguments of ``training.fit``.
    """
    fits: dict[str, tuple[Design, Fit]] = {}
    told: dict[str, dict[str, Any]] = {}
    for start in (WARM, AFRESH):
        made = make()
        if start == WARM and not champion.hand_over(made.model):
            continue
        part = _start(run, start)
        kept = part.read("start")
        if kept is None:
            origin = f"from the weights of {champion.name}" if start == WARM else "afresh"
            tell(f"training {made.network.name} {origin}")
            now = time.monotonic()
            # The second training may use what the first one left.
            limit = deadline if deadline is None or start == AFRESH else now + (deadline - now) / 2
            part.path.mkdir(parents=True, exist_ok=True)
            fit = training.fit(
                made,
                dataset.arrays("train"),
                stopping,
                folds=dataset.fold_of_training,
                deadline=limit,
                run=part,
                watchers=watchers,
                warm=start == WARM,
                **how,
            )
            x, truth = dataset.arrays("validation")[0], dataset.truth("validation")
            score = float(
                dataset.problem.loss(truth, dataset.problem.estimates(training.outputs_without(made, x, 0)))[0]
            )
            part.write_text("history.csv", history_csv(fit.history))
            part.write_file("model.keras", made.model.save)
            kept = {**vars(fit), "history": None, "score": score if np.isfinite(score) else None}
            part.write("start", kept)
        else:
            for variable, value in zip(
                made.model.variables, read_model(run, part.path / "model.keras").variables, strict=True
            ):
                variable.assign(value)
        told[start] = kept
        fits[start] = (
            made,
            Fit(**{**{key: kept[key] for key in vars(Fit({}, 0, "", 0.0, 0))}, "history": part.history()}),
        )
    chosen = min(fits, key=lambda start: np.inf if told[start]["score"] is None else told[start]["score"])
    made, fit = fits[chosen]
    sign = -1.0 if dataset.problem.metrics[dataset.problem.metric].greater_is_better else 1.0
    scores = {start: None if one["score"] is None else sign * one["score"] for start, one in told.items()}
    run.update("run", starts={"kept": chosen, "metric": dataset.problem.metric, "validation": scores})
    fit.seconds = sum(one.seconds for _, one in fits.values())
    return made, fit


def _start(run: Run, start: str) -> Run:
    return Run(run.path / STARTS / start)


def starts(run: Run) -> list[Run]:
    """The trainings from which the network of a run is to be chosen, as far as they have come."""
    return [part for start in (WARM, AFRESH) if (part := _start(run, start)).path.exists()]


def forget_starts(run: Run) -> None:
    """Takes away the trainings that were chosen from, once the run has its network."""
    shutil.rmtree(run.path / STARTS, ignore_errors=True)


def contest(run: Run, champion: Champion, dataset: Dataset, made: Design) -> dict[str, Any]:
    """Judges the champion and the trained, calibrated challenger on the same test rows; written into ``evaluation.json``.

    Both are taken as they are: the interval says what other rows would make of the difference between these two networks,
    not what other trainings would. The challenger is better where the interval lies wholly on its side.
    """
    problem, x, truth = dataset.problem, dataset.arrays("test")[0], dataset.truth("test")
    defending, answer = answering(champion.run)
    defended, challenging = answer(x), made.problem.estimates(training.predict(made.model, x))
    difference = judging.compare(problem, truth, [challenging], [defended], problems=([made.problem], [defending]))
    more = problem.metrics[problem.metric].greater_is_better
    better, worse = difference["low"] > 0, difference["high"] < 0
    if not more:
        better, worse = worse, better
    found = {
        "run": champion.place,
        "name": champion.name,
        "network": champion.run.need("design")["network"],
        "metric": problem.metric,
        "rows": int(judging.known(problem, truth).sum()),
        "champion": judging.intervals(problem, truth, [defended], problems=[defending]),
        "challenger": judging.intervals(problem, truth, [challenging], problems=[made.problem]),
        **difference,
        "verdict": "better" if better else "worse" if worse else "even",
        "starts": run.need("run").get("starts"),
    }
    run.update("evaluation", champion=found)
    return found
