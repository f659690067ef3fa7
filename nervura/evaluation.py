"""Judges a trained design on the test rows beside its baselines, and reaches the verdict."""

from __future__ import annotations

import gc
import json
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nervura import calibration, drifting, judging, training
from nervura.baselines import baselines
from nervura.baselines.base import Bag, Baseline, Fitted, Rows, X, height
from nervura.dataset import Arrays, Dataset
from nervura.deciding import RARE_CLASS, thresholds, with_rule
from nervura.designing import Design, design
from nervura.encoding import PICTURES, SERIES, adapted, label_texts, medium, plain, plain_tensors, readable, tensors
from nervura.ensembling import EnsembleDesign
from nervura.errors import SchemaError
from nervura.judging import Candidate
from nervura.predicting import (
    RULE,
    answering,
    batch_rows,
    called,
    check_columns,
    encode_known,
    judged_by,
    load_schema,
    outputs,
)
from nervura.problems.base import Appraised, Problem
from nervura.run import Run, kept_in
from nervura.schema import Schema
from nervura.sources import read

SEEDS = 3
"""Trainings of the design that the verdict's intervals rest on, the shipped one included."""

MOST_ROWS = 200_000
"""Baselines are fitted on at most this many training rows; the evaluation says when."""

DEPTHS = (0, 1, 2, 3)

ROWS_AT_ONCE = 100_000
"""Baselines are asked for so many rows at a time, since some hold several copies of them, in float64."""

MANY_ROWS = 100_000
"""From this many rows on, what was used for one model is given back before the next."""

MOST_PICTURES = 5_000
"""Baselines learn from at most so many pictures, shrunk to small ones."""

FEW_BASELINES = ("constant", "linear", "boosting")
"""What pictures and series, of which plain models see little, are judged beside."""

RIVAL_SECONDS = 30.0
"""A network that series are judged beside is trained for so long at most, or as long as the one that is judged."""

WITHOUT_PRETRAINING = "without_pretraining"
"""What the network is called that is trained beside a pretrained one, to tell what that gained."""

CURVES, CURVE_SHARES, FEWEST_CURVE_ROWS = ("lightgbm", "boosting"), (0.125, 0.25, 0.5, 1.0), 400
"""The baseline that the learning curve is drawn with, and the shares of the training rows that it learns from."""

Tell = Callable[[str], None]


def rivals(
    run: Run,
    dataset: Dataset,
    trained: Design,
    *,
    deadline: float | None = None,
    tell: Tell = lambda text: None,
) -> _Judge:
    """Trains what the design is compared with, before it is judged.

    Args:
        deadline: the moment (``time.monotonic``) to end by. What no longer fits is left out, and the run says so.
    """
    judge = _Judge(run, dataset, deadline, tell)
    judge.found = {c.name: c for c in judge.others(trained)}
    return judge


def evaluate(
    run: Run,
    dataset: Dataset,
    trained: Design,
    fit_seconds: float,
    *,
    judge: _Judge | None = None,
    deadline: float | None = None,
    tell: Tell = lambda text: None,
) -> dict[str, Any]:
    """Scores with intervals, baselines, depths and verdict; gives ``evaluation.json``, and writes it and
    ``histograms.json``.

    Args:
        trained: the design whose model is trained.
        fit_seconds: how long that took.
        judge: as ``rivals`` gave it, where these are trained already.
        deadline: the moment (``time.monotonic``) to end by. What no longer fits is left out, and the run says so.
    """
    problem = dataset.problem
    judge = judge or rivals(run, dataset, trained, deadline=deadline, tell=tell)
    judge.deadline = deadline
    own = judge.candidate_of(trained, fit_seconds)
    candidates = {trained.network.name: own, **judge.found}
    judge.more_seeds(trained, own)
    gain = judge.gain_of_pretraining(trained, own, candidates)
    truth = dataset.truth("test")
    scores = {n: judging.intervals(problem, truth, c.test, problems=c.problems) for n, c in candidates.items()}
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
        "diagnostics": {
            **judging.diagnostics(trained.problem, truth, own.test[0]),
            "trust": judging.trust(problem, truth, list(candidates.values())),
        },
        "rules": {n: c.problems[0].coding["rule"] for n, c in candidates.items() if _is_ruled(c)},
        "imbalance": judge.imbalance(own),
        "coverage": calibration.coverage(trained.problem, truth, own.test[0]),
        "learning_curve": judge.learning_curve(),
        **({"pretraining": gain} if gain else {}),
    }
    run.write("evaluation", evaluation)
    run.write("histograms", _histograms(dataset, trained.problem, own.test[0]))
    return evaluation


def _histograms(dataset: Dataset, problem: Problem, estimates: np.ndarray) -> dict[str, Any]:
    """What the training rows, and the answers for the test rows, look like: new rows are compared with it."""
    if medium(dataset.schema) == PICTURES:
        rows: pl.DataFrame | np.ndarray = dataset.arrays("train")[0][PICTURES]
    elif any(column.kind in drifting.COUNTED for column in dataset.schema.inputs):
        rows = dataset.sample("train", drifting.MOST_ROWS)
    else:
        rows = pl.DataFrame()  # series and documents are not counted, and long to read again
    return drifting.histograms(dataset.schema, rows, problem, estimates)


def _is_ruled(candidate: Candidate) -> bool:
    return bool(candidate.problems) and "rule" in candidate.problems[0].coding


def evaluate_on(run: Run, source: Any, table: str | None = None, use: str = "network") -> dict[str, Any]:
    """The scores of a run's model on other rows that have the target, with intervals.

    Args:
        use: which of the run's models, as for ``nervura.predicting.predict``.

    Raises:
        SchemaError: a column is missing, or no row has a target that is known from training.
    """
    problem, answer = answering(run, use)
    schema = load_schema(run)
    frame = read(source, table=table).frame
    if isinstance(problem, Appraised):
        truth, estimates = _measured(problem, answer, schema, frame)
    elif medium(schema) is None:
        rows = frame.collect()
        x, truth = encode_known(schema, problem, rows.filter(pl.Series(judged_by(schema, problem, rows))))
        estimates = answer(x)
    else:
        # Encoded pictures are far larger than the rows that they are read from.
        target = pl.selectors.by_name(schema.target.name, require_all=False)
        good = judged_by(schema, problem, frame.select(target).collect())
        answered, start = [], 0
        for batch in frame.collect_batches(chunk_size=batch_rows(schema), maintain_order=True):
            known = batch.filter(pl.Series(good[start : start + batch.height], dtype=pl.Boolean))
            start += batch.height
            if known.height:
                x, truth = encode_known(schema, problem, known)
                answered.append((answer(x), truth))
        estimates, truth = (np.concatenate(parts) for parts in zip(*answered, strict=True))
        if not len(truth):
            raise SchemaError(f"Pictures to judge by must be readable; none of {int(good.sum()):,} is.")
    return {
        "problem": problem.name,
        "metric": problem.metric,
        "model": called(run, use),
        "rows": {"given": len(truth)},
        "test": judging.intervals(problem, truth, [estimates]),
    }


def _measured(
    problem: Appraised, answer: Callable[[X], np.ndarray], schema: Schema, frame: pl.LazyFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Truth and estimates of a problem that judges itself, as its metrics take them; labels count where there are some."""
    check_columns(schema, frame.collect_schema().names())
    column, parts = schema.labels, []
    for batch in frame.collect_batches(chunk_size=batch_rows(schema), maintain_order=True):
        fitting = adapted(schema, batch)
        rows = readable(fitting, batch)[0]
        if not rows.height:
            continue
        known = column is not None and column.name in rows.columns
        labels = rows.select(label_texts(fitting.target)).to_series() if known else None
        parts.append(problem.measured(outputs(answer, schema, rows), labels))
    if not parts:
        raise SchemaError("Rows to judge by are needed; the source has none that can be read.")
    truth, estimates = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return truth, estimates


def scores_of(run: Run, use: str) -> dict[str, Any]:
    """The scores that one of a run's models had on the test rows, with intervals.

    Args:
        use: which of them, as for ``nervura.predicting.predict``.
    """
    evaluation, name = run.need("evaluation"), called(run, use)
    if name == run.need("design")["network"]:
        return evaluation["test"]
    ladder = {depth_name(int(depth)): scores for depth, scores in (evaluation.get("depths") or {}).items()}
    return {**ladder, **evaluation["baselines"]}[name]


def depth_name(depth: int) -> str:
    """The candidate with that many hidden layers."""
    return {0: "perceptron", 1: "feed_forward"}.get(depth, f"feed_forward, {depth} layers")


LADDER = (
    ("perceptron", "linear", 1, 0),
    ("feed_forward", "shallow", 2, 1),
    (depth_name(2), "deep", 4, 2),
    (depth_name(3), "deep", 5, 3),
)
LADDERS = {
    None: LADDER,
    PICTURES: (("convolutional", "deep", 4, 1),),
    SERIES: (("temporal_convolution", "deep", 4, 1),),
}
"""The networks that every design is judged beside: name, kind, simplicity and number of hidden layers."""

EXTRA_DEPTHS = tuple(depth_name(depth) for depth in DEPTHS if depth > 1)


class _Judge:
    """Trains what the design is compared with, as long as there is time."""

    def __init__(self, run: Run, dataset: Dataset, deadline: float | None, tell: Tell):
        self.run, self.dataset, self.deadline, self.tell = run, dataset, deadline, tell
        self.notes: list[str] = []
        self.found: dict[str, Candidate] = {}
        self.sample = _sampled(dataset.arrays("train"))
        self.medium = medium(dataset.schema)
        self.shrunk: Rows | None = None
        if len(self.sample[1]) < dataset.rows("train"):
            self.notes.append(
                f"Baselines were fitted on {len(self.sample[1]):,} of {dataset.rows('train'):,} training rows."
            )

    def left(self) -> float:
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()

    def candidate_of(self, trained: Design, seconds: float) -> Candidate:
        own = Candidate(
            trained.network.name, *_kind_of(trained), *self._answers(trained), seconds, problems=[trained.problem]
        )
        if trained.groups > 1:
            of_groups = training.group_outputs(trained, self.dataset.arrays("test")[0])
            own.groups = [trained.problem.estimates(outputs) for outputs in of_groups]
        return own

    def others(self, trained: Design) -> Iterator[Candidate]:
        """The baselines and the ladder of networks, simple ones first, so that a short budget goes to them."""
        makers: list[tuple[float, Callable[[], Iterator[Candidate]]]] = []
        for name, kind, simplicity, depth in LADDERS[self.medium]:
            if name != trained.network.name:
                makers.append((simplicity, partial(self._network, name, kind, simplicity, depth)))
        for member in baselines:
            if self.medium and member.name not in FEW_BASELINES:
                continue
            if member.needs is not None and member.needs not in self.sample[0]:
                continue
            if not member.missing() and member.name != trained.network.name:
                makers.append((member.simplicity, partial(self._baseline, member)))
        if trained.pretrain:
            makers.append((0.5, partial(self._without_pretraining, trained)))
        for _, make in sorted(makers, key=lambda maker: maker[0]):
            yield from make()

    def _without_pretraining(self, trained: Design) -> Iterator[Candidate]:
        """The same network from the same seed, which has learnt from the rows with a target alone."""
        name, seconds = WITHOUT_PRETRAINING, self.run.need("run").get("fit_seconds", 0.0)
        if not self._fits(name, seconds):
            return
        self._begin(name)
        began = time.monotonic()
        made = self._plain_design(trained, trained.seed)
        limit = None if self.deadline is None else began + max(seconds, self.left() / 2)
        rows = self.dataset.arrays("train"), self.dataset.arrays("validation")
        training.fit(made, *rows, deadline=limit)
        validation, test = self._answers(made)
        ruled = self._ruled(validation[0])
        self._keep(name, lambda folder: made.model.save(folder / "model.keras"), ruled)
        seconds = time.monotonic() - began
        yield Candidate(name, *_kind_of(made), validation, test, seconds, problems=[ruled])

    def _plain_design(self, trained: Design, seed: int) -> Design:
        """A design like one that is pretrained, without that."""
        options = {name: False if name == "pretraining" else value for name, value in vars(trained.options).items()}
        return design(self.dataset.problem, trained.network, self.dataset.schema, options, seed)

    def gain_of_pretraining(
        self, trained: Design, own: Candidate, candidates: dict[str, Candidate]
    ) -> dict[str, Any] | None:
        """What the rows without a target gained, on the test rows; None where there is nothing to compare with."""
        plain = candidates.get(WITHOUT_PRETRAINING)
        if plain is None:
            return None
        if self.medium is None:
            self.more_seeds(self._plain_design(trained, trained.seed), plain)
        found = judging.compare(
            self.dataset.problem,
            self.dataset.truth("test"),
            own.test,
            plain.test,
            problems=(own.problems, plain.problems),
        )
        rows = len(next(iter((self.dataset.unlabelled or {}).values()), ()))
        return {"rows": rows, "without": plain.name, "metric": self.dataset.problem.metric, **found}

    def more_seeds(self, trained: Design, own: Candidate) -> None:
        """Trains the design again from other seeds, so that intervals know how much luck there is in a training.

        The groups of a bagged design tell it already, and a search has trained from many seeds. A network of pictures or
        series, whose training takes nearly all of the time, is trained once.
        """
        if own.groups or isinstance(trained, EnsembleDesign) or self.medium:
            return
        for seed in range(1, SEEDS):
            if not self._fits(f"training {own.name} from seed {trained.seed + seed}", own.seconds * 1.1):
                return
            self._begin(f"{own.name}, seed {trained.seed + seed}")
            validation, test, problem = self._from_seed(trained, trained.seed + seed)
            own.validation += validation
            own.test += test
            own.problems = [*own.problems, problem]

    def _from_seed(self, trained: Design, seed: int) -> tuple[list[np.ndarray], list[np.ndarray], Problem]:
        """What the design answers after a training from another seed, and the problem with its rule."""
        how = {"pretrain": trained.pretrain}
        again = design(self.dataset.problem, trained.network, self.dataset.schema, vars(trained.options), seed, **how)
        rows = self.dataset.arrays("train"), self.dataset.arrays("validation")
        unlabelled = self.dataset.unlabelled if trained.pretrain else None
        training.fit(again, *rows, unlabelled=unlabelled, deadline=self.deadline)
        validation, test = self._answers(again)
        return validation, test, self._ruled(validation[0])

    def _network(self, name: str, kind: str, simplicity: int, depth: int) -> Iterator[Candidate]:
        if not self._fits(name, self._network_seconds()):
            return
        self._begin(name)
        began = time.monotonic()
        network, options = ("feed_forward", {"layers": depth}) if depth > 1 else (name, {})
        made = design(self.dataset.problem, network, self.dataset.schema, options)
        limit = None if self.deadline is None else time.monotonic() + self.left() / 2
        if self.medium:
            # The judgement takes no longer than what it judges.
            seconds = self.run.need("run").get("fit_seconds", math.inf)
            longest = time.monotonic() + (max(seconds, RIVAL_SECONDS) if self.medium != PICTURES else seconds)
            limit = longest if limit is None else min(limit, longest)
        training.fit(made, self.sample, self.dataset.arrays("validation"), deadline=limit)
        validation, test = self._answers(made)
        ruled = self._ruled(validation[0])
        self._keep(name, lambda folder: made.model.save(folder / "model.keras"), ruled)
        yield Candidate(name, kind, simplicity, validation, test, time.monotonic() - began, problems=[ruled])

    def _baseline(self, member: Baseline) -> Iterator[Candidate]:
        """Fits a baseline, as far as there is time, and keeps it in the run."""
        problem, inputs, folds = self.dataset.problem, plain_tensors(self.dataset.schema), self.dataset.folds
        size = (len(self._learnt()[1]), sum(tensor.width for tensor in inputs), problem.head().units)
        models, seconds = member.models(*size) if folds > 1 else 0, member.seconds(*size)
        # A constant guess is always at hand.
        if member.kind != "constant" and not self._fits(member.name, seconds):
            return
        if models > 1 and self.left() < seconds * models:
            models = 1
            self.notes.append(f"To keep the time budget, {member.name} is one model and not {folds} over folds.")
        elif 0 < models < folds:
            self.notes.append(
                f"{member.name} is one model and not {folds} over folds, because of its time for {size[0]:,} rows, "
                f"{size[1]:,} features and {size[2]:,} outputs."
            )
        self._begin(member.name)
        began = time.monotonic()
        rows, fold_of = self._rows_and_folds() if models else (self._learnt(), None)
        fitted = member.fit(problem, inputs, rows, folds=fold_of, models=models)
        seconds = time.monotonic() - began
        validation, test = (plain(self.dataset.arrays(part)[0]) for part in ("validation", "test"))
        held_out = _estimates(fitted, validation, without=0)
        ruled = self._ruled(held_out)
        self._keep(member.name, fitted.write, ruled)
        each = [_estimates(model, test) for model in fitted.models] if isinstance(fitted, Bag) else []
        yield Candidate(
            member.name,
            member.kind,
            member.simplicity,
            [held_out],
            [np.mean(each, axis=0) if each else _estimates(fitted, test)],
            seconds,
            each if len(each) > 1 else [],
            [ruled],
        )

    def _ruled(self, held_out: np.ndarray) -> Problem:
        """The problem with the rule by which a model names classes best, learnt from its estimates of the validation rows."""
        return with_rule(self.dataset.problem, self.dataset.truth("validation"), held_out)

    def _keep(self, name: str, write: Callable[[Path], None], ruled: Problem) -> None:
        """Keeps a model in the run, with the rule by which it names classes."""

        def write_both(folder: Path) -> None:
            write(folder)
            if "rule" in ruled.coding:
                (folder / RULE).write_text(json.dumps(ruled.coding["rule"]) + "\n", encoding="utf-8")

        self.run.write_folder(kept_in(name), write_both)

    def imbalance(self, own: Candidate) -> dict[str, Any] | None:
        """How a class that is rare would be named more often: metrics to write, and the threshold that each would lead to.

        None where no class is rare or a metric was asked for.
        """
        problem = self.dataset.problem
        if problem.supervised_by != "classifier" or "metric" in problem.coding or not len(own.validation):
            return None
        counts = np.bincount(self.dataset.truth("train"), minlength=len(problem.coding["classes"]))
        share = float(counts.min() / counts.sum())
        if share >= RARE_CLASS:
            return None
        found = thresholds(problem, self.dataset.truth("validation"), own.validation[0])
        return {"class": problem.coding["classes"][int(counts.argmin())], "share": share, "thresholds": found}

    def _learnt(self) -> Rows:
        """The rows that baselines learn from, as they read them: all of the sample or, of pictures, fewer."""
        if self.shrunk is None:
            step = max(1, -(-len(self.sample[1]) // MOST_PICTURES)) if self.medium == PICTURES else 1
            x, y = {name: array[::step] for name, array in self.sample[0].items()}, self.sample[1][::step]
            self.shrunk = plain(x), self.dataset.problem.truth(y)
        return self.shrunk

    def _rows_and_folds(self) -> tuple[Rows, np.ndarray]:
        """Training and validation rows, and the fold of each; so few rows that no sample is taken have folds."""
        (x, truth), others = self._learnt(), plain(self.dataset.arrays("validation")[0])
        both = {name: np.concatenate([values, others[name]]) for name, values in x.items()}
        validation, fold_of_training = self.dataset.truth("validation"), self.dataset.fold_of_training
        assert fold_of_training is not None
        folds = np.concatenate([fold_of_training, np.zeros(len(validation), dtype=fold_of_training.dtype)])
        return (both, np.concatenate([truth, validation])), folds

    def _answers(self, made: Design) -> tuple[list[np.ndarray], list[np.ndarray]]:
        validation, test = (self.dataset.arrays(part)[0] for part in ("validation", "test"))
        answered = made.problem.estimates(training.outputs_without(made, validation, 0))
        return [answered], [made.problem.estimates(training.predict(made.model, test))]

    def learning_curve(self) -> list[dict[str, Any]]:
        """What boosted trees score on the test rows after an eighth, a quarter, half and all of the training rows.

        It tells whether more rows would help; trees, because they tell it within seconds. Empty of few rows, and of
        pictures and series, of which trees say little.
        """
        if self.medium:
            return []
        # LightGBM takes a third of the time, where it is installed.
        member = next(one for one in map(baselines.load, CURVES) if not one.missing())
        problem = self.dataset.problem
        (x, truth), test = self._learnt(), plain(self.dataset.arrays("test")[0])
        inputs = plain_tensors(self.dataset.schema)
        width = sum(tensor.width for tensor in inputs)
        seconds = 2 * member.seconds(len(truth), width, problem.head().units)
        if len(truth) < FEWEST_CURVE_ROWS or not self._fits("the learning curve", seconds):
            return []
        self._begin("learning curve")
        order = np.random.default_rng(0).permutation(len(truth))
        stopping = plain(self.dataset.arrays("validation")[0]), self.dataset.truth("validation")
        curve = []
        for share in CURVE_SHARES:
            chosen = np.sort(order[: round(share * len(truth))])
            # The trees stop on the validation rows. To find their number among few rows would take many trainings.
            rows = {name: np.concatenate([a[chosen], stopping[0][name]]) for name, a in x.items()}
            folds = np.repeat([1, 0], [len(chosen), len(stopping[1])])
            both = rows, np.concatenate([truth[chosen], stopping[1]])
            fitted = member.fit(problem, inputs, both, folds=folds, models=1)
            ruled = self._ruled(_estimates(fitted, stopping[0]))
            truth_of_test, estimates = self.dataset.truth("test"), [_estimates(fitted, test)]
            scores = judging.intervals(problem, truth_of_test, estimates, resamples=200, problems=[ruled])
            curve.append({"rows": len(chosen), **scores[problem.metric]})
        return curve

    def _begin(self, what: str) -> None:
        # Keras models are cycles of references: of many rows, each would leave memory behind until they are found.
        if self.dataset.schema.rows >= MANY_ROWS:
            gc.collect()
        self.tell(what)

    def _fits(self, what: str, seconds: float) -> bool:
        if self.left() > seconds:
            return True
        self.notes.append(f"Left out, to keep the time budget: {what}.")
        return False

    def _network_seconds(self) -> float:
        """What a short training of a small network takes: mostly its compilation, and longer with thousands of columns."""
        return 3.0 + sum(tensor.width for tensor in tensors(self.dataset.schema)) / 1000


def _kind_of(trained: Design) -> tuple[str, int]:
    """The kind of a network, as the verdict takes it, and its simplicity."""
    kinds = {
        "perceptron": ("linear", 1),
        "feed_forward": ("shallow", 2),
        "minirocket": ("shallow", 3),
        "bag_of_words": ("linear", 2),
        "bag_of_embeddings": ("shallow", 3),
        "convolutional": ("deep", 4),
        "temporal_convolution": ("deep", 4),
    }
    kind, simplicity = kinds.get(trained.network.name, ("deep", 6))
    if trained.network.name == "feed_forward" and len(trained.options.hidden or [1] * trained.options.layers) > 1:
        return "deep", 5
    return kind, simplicity


def _estimates(model: Fitted, x: X, without: int | None = None) -> np.ndarray:
    """What a baseline estimates of many rows, so many at a time."""
    parts = [
        model.estimates({name: array[start : start + ROWS_AT_ONCE] for name, array in x.items()}, without)
        for start in range(0, max(1, height(x)), ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


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
