"""Is it worth training a network on this? What the data, the question and the machine say before any training."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import polars as pl
import psutil
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from nervura import backend, encoding
from nervura.baselines import baselines
from nervura.baselines.base import Fitted, Guess
from nervura.baselines.boosting import grow
from nervura.baselines.linear import LinearFit
from nervura.dataset import Dataset
from nervura.deciding import RARE_CLASS, thresholds, with_rule
from nervura.errors import ProblemError
from nervura.inspecting import GIVES_AWAY
from nervura.problems.base import Appraised
from nervura.schema import Column

MOST_ROWS = 5_000
MOST_CELLS = 2_000_000
FEWEST_ROWS = 200
"""The models of the check learn from at most this many rows and encoded numbers; very wide tables keep a few rows."""

ROWS_PER_INPUT = 10
RARE = 0.05
HOUR, DAY = 3_600.0, 86_400.0

STATES = ("ok", "warning", "fail")


@dataclass
class Section:
    """One side of the question; ``state`` is the worst of its findings."""

    name: str
    state: str = "ok"
    findings: list[str] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)

    def say(self, text: str, state: str = "ok") -> None:
        self.findings.append(text)
        self.state = max(self.state, state, key=STATES.index)


@dataclass
class Check:
    """What was found, side by side, and the sentence that it comes down to."""

    sections: list[Section]
    verdict: str

    def __getitem__(self, name: str) -> Section:
        return next(section for section in self.sections if section.name == name)

    @property
    def state(self) -> str:
        """The worst state of all sections."""
        return max((section.state for section in self.sections), key=STATES.index)

    def to_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "verdict": self.verdict,
            "sections": [asdict(section) for section in self.sections],
        }

    def __str__(self) -> str:
        lines = []
        for section in self.sections:
            lines.append(f"{section.name} ({section.state})")
            lines += [f"  - {finding}" for finding in section.findings]
        return "\n".join([*lines, "", self.verdict])


def check(dataset: Dataset, measure: Callable[[], float] | None = None) -> Check:
    """Looks at everything that can be known before a training.

    Args:
        measure: gives the expected duration of the training in seconds, from a short run; without it that is left open.
    """
    if isinstance(dataset.problem, Appraised):
        dataset.schema.target  # noqa: B018  # says what is missing where there is none
        raise ProblemError(
            f"A check tells whether classes or values can be predicted, and the problem {dataset.problem.name} has none. "
            "Leave --problem out, or write: nervura train"
        )
    sample = _Sample(dataset)
    objective = _objective(dataset, sample)
    sections = [
        _data(dataset),
        objective,
        _computing_power(dataset, measure),
        _nature(dataset, sample.frame),
        _separability(dataset, sample, objective.numbers["curved"]),
    ]
    return Check(sections, _verdict(dataset, sections))


class _Sample:
    """A few training rows, encoded, with the pairs of row numbers (learnt from, judged) for a quick comparison."""

    def __init__(self, dataset: Dataset):
        self.tensors = encoding.plain_tensors(dataset.schema)
        width = sum(tensor.width for tensor in self.tensors)
        rows = max(FEWEST_ROWS, min(MOST_ROWS, MOST_CELLS // max(width, 1)))
        self.frame = dataset.sample("train", rows)
        held_together = any(column.role in ("group", "time") for column in dataset.schema.columns)
        # Rows of one group or of neighbouring days know each other: there the validation rows must judge.
        judges = dataset.sample("validation", rows) if held_together else self.frame.clear()
        both = pl.concat([self.frame, judges])
        target = both.select(encoding.values(dataset.schema.target).alias("y")).to_series()
        x = encoding.plain(encoding.encode(dataset.schema, both))
        y = dataset.problem.truth(dataset.problem.encode(target))
        self.all_x, self.all_y = x, y
        self.rows = self.frame.height
        self.x = {name: array[: self.rows] for name, array in x.items()}
        self.y = y[: self.rows]

    def folds(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if len(self.all_y) > self.rows:
            yield np.arange(self.rows), np.arange(self.rows, len(self.all_y))
            return
        count = 5 if self.rows <= 1_000 else 3
        # Dealt out in the order of the target, so that all folds hold all of it.
        order = np.lexsort((np.random.default_rng(0).random(self.rows), self.y))
        fold = np.empty(self.rows, dtype=int)
        fold[order] = np.arange(self.rows) % count
        for number in range(count):
            yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)

    def of(self, rows: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        return {name: array[rows] for name, array in self.all_x.items()}, self.all_y[rows]


def _data(dataset: Dataset) -> Section:
    section = Section("data")
    schema = dataset.schema
    rows = {part: dataset.rows(part) for part in ("train", "validation", "test")}
    width = sum(tensor.width for tensor in encoding.tensors(schema))
    section.numbers = {"rows": rows, "columns": len(schema.inputs), "encoded_inputs": width}
    section.say(
        f"{rows['train']:,} rows to learn from, {rows['validation']:,} to decide when to stop, {rows['test']:,} to judge."
    )
    if rows["train"] < 100:
        section.say("So few rows allow only a rough answer, and the scores will be uncertain.", "warning")
    pictures, whole = encoding.image_column(schema), encoding.series_column(schema)
    if whole is not None:
        section.say(_series_told(whole))
    elif pictures is None:
        section.say(
            f"{len(schema.inputs):,} columns become {width:,} encoded inputs: {rows['train'] / width:,.1f} rows for each.",
            "warning" if rows["train"] < ROWS_PER_INPUT * width else "ok",
        )
    else:
        form: dict[str, Any] = pictures.encoding or {}
        colours = "grey" if form["channels"] == 1 else "colour"
        section.say(f"Pictures are read as {form['height']} x {form['width']} pixels in {colours}: {form['rule']}.")
    if dataset.problem.supervised_by == "classifier":
        _classes(dataset, section)
    missing = sum(column.missing for column in schema.inputs) / (schema.rows * len(schema.inputs))
    section.numbers["missing"] = missing
    gaps = [column for column in schema.inputs if column.missing]
    if gaps:
        worst = max(gaps, key=lambda column: column.missing)
        section.say(
            f"{_share(missing)} of the input values are missing, most in '{worst.name}' "
            f"({_share(worst.missing / schema.rows)}).",
            "warning" if missing > 0.3 else "ok",
        )
    for note in (*dataset.table.notes, *dataset.split.notes):
        section.say(note)
    for column in schema.columns:
        for text in column.warnings:
            if column.role != "aside" and (GIVES_AWAY in text or column.role == "target"):
                section.say(f"'{column.name}': {text}.", "warning")
    for column in schema.aside:
        if "same values as the target" in column.reason:
            section.say(f"'{column.name}' is set aside: {column.reason}.", "warning")
    return section


def _series_told(column: Column) -> str:
    form: dict[str, Any] = column.encoding or {}
    channels = f"{form['channels']} channels" if form["channels"] > 1 else "1 channel"
    lengths = (
        f"{form['shortest']:,} to {form['longest']:,}" if form["shortest"] < form["longest"] else f"{form['longest']:,}"
    )
    gaps = f"; {form['gaps']:,} missing values are filled along straight lines" if form["gaps"] else ""
    means = f", read as the means of {form['mean_of']}" if form["mean_of"] > 1 else ""
    return f"Series of {lengths} moments{means}, {channels}{gaps}."


def _inputs(dataset: Dataset) -> str:
    """What the answer is to be read from, in a word."""
    return encoding.medium(dataset.schema) or "columns"


def _classes(dataset: Dataset, section: Section) -> None:
    target = encoding.values(dataset.schema.target)
    codes = dataset.problem.encode(dataset.sample("train", 100_000).select(target.alias("y")).to_series())
    names = dataset.problem.coding["classes"]
    shares = np.bincount(dataset.problem.truth(codes), minlength=len(names)) / len(codes)
    counts = {name: round(share * dataset.rows("train")) for name, share in zip(names, shares, strict=True)}
    rarest, commonest = min(counts, key=lambda name: counts[name]), max(counts, key=lambda name: counts[name])
    section.numbers["rows_per_class"] = counts
    text = f"Of {len(names)} classes '{rarest}' is the rarest with {counts[rarest]:,} rows ({_share(shares.min())})"
    imbalanced = counts[rarest] < 10 or shares.min() < RARE / max(1, len(names) / 2)
    if imbalanced:
        text += f"; always answering '{commonest}' is right in {_share(shares.max())}, so accuracy alone says little"
    section.say(f"{text}.", "warning" if imbalanced else "ok")


def _objective(dataset: Dataset, sample: _Sample) -> Section:
    """Whether the columns say anything of the target, told by two quick models beside a constant guess."""
    section = Section("objective")
    problem, metric = dataset.problem, dataset.problem.metric
    section.say(f"{problem.summary.split(':')[0]}, since {dataset.detection.reason}; judged by {metric}.")
    losses: dict[str, list[np.ndarray]] = {"constant": [], "linear": [], "trees": []}
    values: dict[str, list[float]] = {name: [] for name in losses}
    guesses: dict[str, list[np.ndarray]] = {name: [] for name in losses}
    truths = []
    for learnt, judged in sample.folds():
        x, y = sample.of(learnt)
        unseen, truth = sample.of(judged)
        truths.append(truth)
        models = {
            "constant": baselines.load("constant").fit(problem, sample.tensors, (x, y)),
            "linear": baselines.load("linear").fit(problem, sample.tensors, (x, y)),
            "trees": _trees(dataset, sample, x, y),
        }
        for name, model in models.items():
            estimates = model.estimates(unseen)
            guesses[name].append(estimates)
            losses[name].append(problem.row_losses(truth, estimates))
            ruled = with_rule(problem, truth, estimates)
            values[name].append(ruled.scores(truth, estimates)[metric])
    rows = {name: np.concatenate(parts) for name, parts in losses.items()}
    score = {name: float(np.mean(parts)) for name, parts in values.items()}
    best = min(("linear", "trees"), key=lambda name: rows[name].mean())
    better, certain = _gain(rows["constant"], rows[best])
    ordered = any(_rises(truths, guesses[name]) for name in ("linear", "trees"))
    section.numbers = {
        "metric": metric,
        "scores": score,
        "gain": better,
        "certain": certain,
        "signal": certain or ordered,
    }
    section.say(
        f"On rows not learnt from, a constant guess has {metric} {score['constant']:.4g}, a linear model "
        f"{score['linear']:.4g} and boosted trees {score['trees']:.4g} "
        f"({'more' if problem.metrics[metric].greater_is_better else 'less'} is better)."
    )
    target = dataset.schema.target.name
    if certain and problem.supervised_by == "regressor":
        section.say(f"The {_inputs(dataset)} tell something of '{target}': about {better:.0%} of its variance.")
    elif certain:
        section.say(f"The {_inputs(dataset)} tell something of '{target}': {better:.0%} less loss than guessing.")
    elif ordered:
        section.say(
            f"The estimates order '{target}' better than chance, but their {metric} is not surely better than that of "
            "a guess: extreme values or rare classes decide it.",
            "warning",
        )
    else:
        few, whole = sample.rows < 1_000, encoding.medium(dataset.schema)
        section.say(
            f"Neither model is surely better than guessing: there is no sign that these {_inputs(dataset)} tell anything "
            f"of '{target}'{', though so few rows can hide it' if few else ''}"
            f"{f', and such models see little of {whole}' if whole else ''}.",
            "warning" if few or whole else "fail",
        )
    _say_of_rare_classes(section, dataset, np.concatenate(truths), np.concatenate(guesses[best]))
    gain, curved = _gain(rows["linear"], rows["trees"])
    curved = curved and gain > 0.02
    section.numbers |= {"curved": curved}
    if certain or ordered:
        section.say(f"Boosted trees are {'clearly' if curved else 'not clearly'} better than the linear model.")
    return section


def _say_of_rare_classes(section: Section, dataset: Dataset, truth: np.ndarray, estimates: np.ndarray) -> None:
    """Of a rare class: which metrics make it be named, and where the threshold then lies, by estimates of unseen rows."""
    problem = dataset.problem
    if problem.supervised_by != "classifier" or "metric" in problem.coding:
        return
    counts = np.bincount(truth[truth >= 0], minlength=len(problem.coding["classes"]))
    share = counts.min() / counts.sum()
    if share >= RARE_CLASS:
        return
    found = thresholds(problem, truth, estimates)
    section.numbers["thresholds"] = found
    ways = [
        f"--metric {name}" + (f" (a threshold of about {value:.2g})" if value is not None else "")
        for name, value in found.items()
    ]
    section.say(
        f"The class '{problem.coding['classes'][int(counts.argmin())]}' has {_share(float(share))} of the rows, so that "
        f"the likeliest class is hardly ever it. To have it named, write {' or '.join(ways)}."
    )


def _rises(truth: list[np.ndarray], estimates: list[np.ndarray]) -> bool:
    """Whether larger estimates go with larger values or truer classes, beyond chance, however far off they are."""
    found: list[list[float]] = []
    for y, e in zip(truth, estimates, strict=True):
        if e.ndim == 1:
            found.append([_rank_correlation(y, e)])
        else:
            found.append([_rank_correlation(y == code, e[:, code]) for code in range(e.shape[1])])
    rows = sum(len(y) for y in truth)
    classes = len(found[0])
    # Among many classes one stands out by chance alone, so the limit rises with their number.
    return bool(np.mean(found, axis=0).max() > np.sqrt((9 + 2 * np.log(classes)) / rows))


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    frame = pl.DataFrame({"first": first.astype(np.float64), "second": second})
    return float(np.nan_to_num(frame.select(pl.corr("first", "second", method="spearman")).item() or 0.0))


def _gain(before: np.ndarray, after: np.ndarray) -> tuple[float, bool]:
    """By what share the mean loss of the rows falls, and whether that is beyond chance."""
    gain = before - after
    error = gain.std() / np.sqrt(len(gain))
    return float(gain.mean() / max(before.mean(), 1e-300)), bool(gain.mean() > 2.5 * error and gain.mean() > 0)


def _trees(dataset: Dataset, sample: _Sample, x: dict[str, np.ndarray], y: np.ndarray) -> Fitted:
    """A few boosted trees; cheaper than the baseline ``boosting``, which looks for the best number of them."""
    if (y == y[0]).all():
        return Guess(dataset.problem.constant(y, 1)[0])
    classes = len(dataset.problem.coding.get("classes", ()))
    options: dict[str, Any] = {"early_stopping": False, "random_state": 0}
    if classes > 2:
        options |= {"max_iter": max(20, 100 // classes), "max_leaf_nodes": 15}
    else:
        options |= {"max_iter": 50}
    return grow(dataset.problem, sample.tensors, (x, y), **options)


def _computing_power(dataset: Dataset, measure: Callable[[], float] | None) -> Section:
    section = Section("computing power")
    seconds = measure() if measure is not None else None
    memory = psutil.virtual_memory().available
    width = sum(tensor.width * np.dtype(tensor.dtype).itemsize for tensor in encoding.tensors(dataset.schema))
    needed = width * sum(dataset.rows(part) for part in ("train", "validation", "test"))
    # Asking the backend for its devices imports it, which a check without a measured run need not wait for.
    device = backend.device() if "keras" in sys.modules else f"CPU, {os.cpu_count()} cores"
    section.numbers = {"device": device, "memory": memory, "needed": needed, "seconds": seconds}
    section.say(f"Computed on: {device}.")
    section.say(
        f"The encoded rows take {_size(needed)} of the {_size(memory)} of free memory.",
        "fail" if needed > memory else "warning" if needed > 0.5 * memory else "ok",
    )
    if seconds is None:
        section.say("How long a training takes was not measured.")
    else:
        section.say(
            f"A training takes about {_duration(seconds)}.",
            "fail" if seconds > 7 * DAY else "warning" if seconds > HOUR else "ok",
        )
    return section


def _nature(dataset: Dataset, frame: pl.DataFrame) -> Section:
    """Dense networks read columns as separate facts; pixels and words mean something only beside their neighbours."""
    section = Section("nature")
    inputs = dataset.schema.inputs
    kinds = {kind: sum(column.kind == kind for column in inputs) for kind in dict.fromkeys(c.kind for c in inputs)}
    section.numbers = {"kinds": kinds}
    if "image" in kinds:
        section.say("Pictures: what a pixel means lies in its neighbours, which convolutional networks read together.")
        return section
    if "series" in kinds:
        section.say("Series: what a moment means lies in those around it, which networks of series read together.")
        return section
    section.say("Columns by kind: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()) + ".")
    grid = _grid(inputs, frame)
    if grid:
        section.say(
            f"{grid} columns of whole numbers share one range and are numbered, as pixels are: what they mean lies in "
            "their neighbours, which a dense network does not see.",
            "warning",
        )
    texts = [column.name for column in inputs if column.kind == "text"]
    if texts:
        section.say(
            f"Of the texts in {', '.join(repr(name) for name in texts[:5])} only their length and frequent words are read, "
            "not the order of the words.",
            "warning",
        )
    documents = [column.name for column in inputs if column.kind == "document"]
    if documents:
        section.say(
            f"Of the documents in {', '.join(repr(name) for name in documents[:5])} it is counted how often each word is in "
            "them; their order is not read."
        )
    if not grid and not texts and not documents:
        section.say("Each column has a meaning of its own, which is what dense networks read.")
    return section


def _grid(inputs: list[Column], frame: pl.DataFrame) -> int:
    """How many columns look like pixels; 0 where most do not."""
    numbers = [column for column in inputs if column.kind == "number"]
    numbered = sum(bool(re.search(r"\d$", column.name)) for column in numbers)
    if len(numbers) < 25 or numbered < 0.8 * len(numbers):
        return 0
    typed = frame.select(encoding.values(column).alias(column.name) for column in numbers)
    whole = np.array(typed.select((pl.all() == pl.all().round()).all()).row(0), dtype=bool)
    low = np.array(typed.min().row(0), dtype=float)
    high = np.array(typed.max().row(0), dtype=float)
    top = np.nanmax(high)
    alike = whole & (low >= 0) & (high >= 0.5 * top) & (top >= 3)
    return int(alike.sum()) if alike.mean() > 0.5 else 0


def _separability(dataset: Dataset, sample: _Sample, curved: bool) -> Section:
    """Whether a network without hidden layers can already answer for every training row."""
    section = Section("linear separability")
    problem = dataset.problem
    fitted = baselines.load("linear").fit(problem, sample.tensors, (sample.x, sample.y))
    if not isinstance(fitted, LinearFit):
        section.say("The training rows have one answer alone, so nothing is to be separated.", "warning")
        return section
    design = fitted.columns.design(sample.x)
    section.numbers = {"rows": sample.rows, "inputs": design.shape[1], "separable": None}
    if design.shape[1] >= sample.rows - 1:
        section.say(
            f"With {design.shape[1]:,} inputs for {sample.rows:,} rows a linear model fits any answers, so that it fits "
            "these says nothing."
        )
        return section
    if problem.supervised_by == "regressor":
        explained = problem.scores(sample.y, fitted.estimates(sample.x))["r2"]
        separable = explained >= 0.99
        section.numbers["r2"] = explained
        section.say(
            f"A linear model explains {_share(max(explained, 0.0))} of the variance of the rows it learnt from."
        )
    else:
        # Hardly any penalty: the border may be as steep as the rows need.
        model = LogisticRegression(C=1e6, max_iter=2_000)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(design, sample.y)
        right = float((model.predict(design) == sample.y).mean())
        separable = right == 1.0
        section.numbers["accuracy"] = right
        section.say(f"A linear model names {_share(right)} of the rows it learnt from rightly.")
    section.numbers["separable"] = separable
    if encoding.image_column(dataset.schema) is not None:
        section.say("Such a model saw the pictures shrunk, and each pixel for itself.")
    elif encoding.series_column(dataset.schema) is not None:
        section.say("Such a model saw the means of segments of each series, each for itself.")
    elif separable:
        section.say("No hidden layer is needed: the network 'perceptron' can answer this.")
    elif curved:
        section.say("A straight border does not separate the answers; hidden layers can bend it.")
    else:
        section.say("A straight border does not separate the answers, but no bent one is seen to do better.")
    return section


def _verdict(dataset: Dataset, sections: list[Section]) -> str:
    target = dataset.schema.target.name
    worst = max((section.state for section in sections), key=STATES.index)
    troubled = [section.name for section in sections if section.state == worst]
    objective = next(section for section in sections if section.name == "objective").numbers
    if worst == "fail":
        return f"Not worth training yet: look at {_listed(troubled)}."
    gain = f"quick models have {objective['gain']:.0%} less loss than guessing '{target}'"
    if not objective["certain"] and objective["signal"]:
        gain = f"the {_inputs(dataset)} order '{target}' better than chance, but not surely by enough to beat a guess"
    elif not objective["certain"]:
        gain = f"it is open whether the {_inputs(dataset)} tell anything of '{target}'"
    if worst == "warning":
        return f"Worth a training, with care: {gain}; look at {_listed(troubled)}."
    return f"Ready to train: {gain}."


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _share(value: float) -> str:
    """A share in per cent; never 0 % or 100 % unless it is."""
    if value in (0.0, 1.0):
        return f"{value:.0%}"
    return f"{min(max(value, 1e-4), 1 - 1e-4):.{1 if 0.005 < value < 0.995 else 2}%}"


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1_000:
            return f"{size:.0f} {unit}"
        size /= 1_000
    return f"{size:,.1f} GB"


def _duration(seconds: float) -> str:
    for size, unit in ((DAY, "days"), (HOUR, "hours"), (60.0, "minutes")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 1.0):.0f} seconds"
