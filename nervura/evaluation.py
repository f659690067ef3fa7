"""Judges a trained design on the test rows beside its baselines, and reaches the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl

from nervura import baselines, calibration, judging, training
from nervura.dataset import Arrays, Dataset
from nervura.designing import Design, design
from nervura.encoding import tensors
from nervura.judging import Candidate
from nervura.predicting import encode_known, load_model, load_problem, load_schema
from nervura.run import Run
from nervura.sources import read

SEEDS = 3
"""Trainings of the design that the verdict's intervals rest on, the shipped one included."""

MOST_ROWS = 200_000
"""Baselines are fitted on at most this many training rows; the evaluation says when."""

DEPTHS = (0, 1, 2, 3)
Tell = Callable[[str], None]


def evaluate(
    run: Run,
    dataset: Dataset,
    trained: Design,
    fit_seconds: float,
    *,
    deadline: float | None = None,
    tell: Tell = lambda text: None,
) -> dict[str, Any]:
    """Scores with intervals, baselines, depths and verdict; writes and gives ``evaluation.json``.

    Args:
        trained: the design whose model is trained.
        fit_seconds: how long that took.
        deadline: the moment (``time.monotonic``) to end by. What no longer fits is left out, and the run says so.
    """
    problem = dataset.problem
    judge = _Judge(run, dataset, deadline, tell)
    own = judge.candidate_of(trained, fit_seconds)
    candidates = {trained.network.name: own, **{c.name: c for c in judge.others(trained)}}
    judge.more_seeds(trained, own)
    truth = dataset.truth("test")
    scores = {name: judging.intervals(problem, truth, c.test) for name, c in candidates.items()}
    verdict = judging.decide(problem, dataset.truth("validation"), truth, list(candidates.values()))
    ladder = {depth_name(depth): str(depth) for depth in DEPTHS}
    evaluation = {
        "problem": problem.name,
        "metric": problem.metric,
        "rows": {part: dataset.rows(part) for part in ("train", "validation", "test")},
        "test": scores[trained.network.name],
        "baselines": {n: s for n, s in scores.items() if n != trained.network.name and n not in EXTRA_DEPTHS},
        "depths": {ladder[name]: scores[name] for name in ladder if name in scores},
        "seeds": {name: len(c.test) for name, c in candidates.items()},
        "seconds": {name: c.seconds for name, c in candidates.items()},
        "notes": judge.notes,
        "verdict": verdict.to_json(),
        "diagnostics": judging.diagnostics(problem, truth, own.test[0]),
        "coverage": calibration.coverage(trained.problem, truth, own.test[0]),
    }
    run.write("evaluation", evaluation)
    return evaluation


def evaluate_on(run: Run, source: Any, table: str | None = None) -> dict[str, Any]:
    """The scores of a run's model on other rows that have the target, with intervals."""
    problem, model = load_problem(run), load_model(run)
    frame = read(source, table=table).frame.collect()
    x, truth = encode_known(load_schema(run), problem, frame)
    estimates = problem.estimates(training.predict(model, x))
    return {
        "problem": problem.name,
        "metric": problem.metric,
        "rows": {"given": len(truth)},
        "test": judging.intervals(problem, truth, [estimates]),
    }


def depth_name(depth: int) -> str:
    """The candidate with that many hidden layers."""
    return {0: "perceptron", 1: "feed_forward"}.get(depth, f"feed_forward, {depth} layers")


EXTRA_DEPTHS = tuple(depth_name(depth) for depth in DEPTHS if depth > 1)


class _Judge:
    """Trains what the design is compared with, as long as there is time."""

    def __init__(self, run: Run, dataset: Dataset, deadline: float | None, tell: Tell):
        self.run, self.dataset, self.deadline, self.tell = run, dataset, deadline, tell
        self.notes: list[str] = []
        self.sample = _sampled(dataset.arrays("train"))
        if len(self.sample[1]) < dataset.rows("train"):
            self.notes.append(
                f"Baselines were fitted on {len(self.sample[1]):,} of {dataset.rows('train'):,} training rows."
            )

    def left(self) -> float:
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()

    def candidate_of(self, trained: Design, seconds: float) -> Candidate:
        kinds = {"perceptron": ("linear", 1), "feed_forward": ("shallow", 2)}
        kind, simplicity = kinds.get(trained.network.name, ("deep", 6))
        if kind == "shallow" and len(trained.options.hidden or [1] * trained.options.layers) > 1:
            kind, simplicity = "deep", 5
        own = Candidate(trained.network.name, kind, simplicity, *self._answers(trained), seconds)
        if trained.groups > 1:
            of_groups = training.group_outputs(trained, self.dataset.arrays("test")[0])
            own.groups = [trained.problem.estimates(outputs) for outputs in of_groups]
        return own

    def others(self, trained: Design) -> Iterator[Candidate]:
        yield self._fitted("constant", "constant", 0, lambda: self._constant())
        for name, kind, simplicity, depth in (
            ("perceptron", "linear", 1, 0),
            ("feed_forward", "shallow", 2, 1),
            (depth_name(2), "deep", 4, 2),
            (depth_name(3), "deep", 5, 3),
        ):
            if name == trained.network.name:
                continue
            if self._fits(name, self._network_seconds()):
                yield self._network(name, kind, simplicity, depth)
            if depth == 1 and self._fits("boosting", self._boosting_seconds()):
                yield self._fitted("boosting", "trees", 3, lambda: self._boosting())

    def more_seeds(self, trained: Design, own: Candidate) -> None:
        """Trains the design again from other seeds, so that intervals know how much luck there is in a training.

        The groups of a bagged design tell it already.
        """
        if own.groups:
            return
        for seed in range(1, SEEDS):
            if not self._fits(f"training {trained.network.name} from seed {trained.seed + seed}", own.seconds * 1.1):
                return
            self.tell(f"{trained.network.name}, seed {trained.seed + seed}")
            again = design(
                self.dataset.problem,
                trained.network,
                self.dataset.schema,
                vars(trained.options),
                trained.seed + seed,
            )
            training.fit(again, self.dataset.arrays("train"), self.dataset.arrays("validation"), deadline=self.deadline)
            validation, test = self._answers(again)
            own.validation += validation
            own.test += test

    def _network(self, name: str, kind: str, simplicity: int, depth: int) -> Candidate:
        self.tell(name)
        began = time.monotonic()
        network = "perceptron" if depth == 0 else "feed_forward"
        options = {"layers": depth} if depth > 1 else {}
        made = design(self.dataset.problem, network, self.dataset.schema, options)
        limit = None if self.deadline is None else time.monotonic() + self.left() / 2
        training.fit(made, self.sample, self.dataset.arrays("validation"), deadline=limit)
        return Candidate(name, kind, simplicity, *self._answers(made), time.monotonic() - began)

    def _constant(self) -> baselines.Baseline:
        return baselines.constant(self.dataset.problem, self.dataset.problem.truth(self.sample[1]))

    def _boosting(self) -> baselines.Baseline:
        self.tell("boosting")
        problem = self.dataset.problem
        return baselines.boosting(problem, tensors(self.dataset.schema), self.sample[0], problem.truth(self.sample[1]))

    def _fitted(self, name: str, kind: str, simplicity: int, fit: Callable[[], baselines.Baseline]) -> Candidate:
        began = time.monotonic()
        model = fit()
        seconds = time.monotonic() - began
        validation, test = (model.estimates(self.dataset.arrays(part)[0]) for part in ("validation", "test"))
        return Candidate(name, kind, simplicity, [validation], [test], seconds)

    def _answers(self, made: Design) -> tuple[list[np.ndarray], list[np.ndarray]]:
        validation, test = (self.dataset.arrays(part)[0] for part in ("validation", "test"))
        answered = made.problem.estimates(training.outputs_without(made, validation, 0))
        return [answered], [made.problem.estimates(training.predict(made.model, test))]

    def _fits(self, what: str, seconds: float) -> bool:
        if self.left() > seconds:
            return True
        self.notes.append(f"Left out, to keep the time budget: {what}.")
        return False

    def _network_seconds(self) -> float:
        """What a short training of a small network takes: mostly its compilation, and longer with thousands of columns."""
        return 3.0 + sum(tensor.width for tensor in tensors(self.dataset.schema)) / 1000

    def _boosting_seconds(self) -> float:
        width = sum(tensor.width for tensor in tensors(self.dataset.schema))
        units = self.dataset.problem.head().units
        return 2.0 + len(self.sample[1]) * width * units / 1e5


def _sampled(arrays: Arrays) -> Arrays:
    """At most ``MOST_ROWS`` rows, taken evenly."""
    step = max(1, -(-len(arrays[1]) // MOST_ROWS))
    return {name: array[::step] for name, array in arrays[0].items()}, arrays[1][::step]


def scores_frame(evaluation: dict[str, Any], own: str) -> pl.DataFrame:
    """One row per model and one column per metric, for people."""
    models = {own: evaluation["test"], **evaluation.get("baselines", {})}
    return pl.DataFrame(
        [{"model": name, **{m: s["value"] for m, s in scores.items()}} for name, scores in models.items()]
    )
