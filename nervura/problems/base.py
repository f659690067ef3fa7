"""The contract of a problem: what is asked of the target, how it is coded, judged and told to people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from nervura import metrics
from nervura.errors import ProblemError
from nervura.rebuilding import Layout, layout
from nervura.schema import KINDS, Column, Schema
from nervura.words import MOST_STEMS
from nervura.zoo.base import read_options

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.windows import Windows

SEPARATOR = "|"
"""Between the classes of a ``prediction_set``."""


class Declined(Exception):
    """A problem does not fit the target; the text is the reason. Declining is not failing: the caller decides."""


@dataclass(frozen=True)
class Head:
    """The output layer that a problem asks for, and the loss it is trained with (a Keras identifier and its options).

    Attributes:
        predicts: whether a target is predicted; where none is, networks give back their input.
        ahead: whether what is asked for are the steps after a window of a series.
    """

    units: int
    activation: str
    loss: str
    loss_options: dict[str, Any]
    predicts: bool = True
    ahead: bool = False

    @property
    def one_hot(self) -> bool:
        """Whether the loss wants class codes as rows of zeros and a one."""
        return self.loss == "CategoricalCrossentropy"


@dataclass(frozen=True)
class TextHead(Head):
    """What a problem asks for whose answers are texts: ``units`` is the number of codes of words.

    Attributes:
        length: a text has at most so many words.
        sided: whether the texts tell left from right, so that a picture must not be mirrored.
    """

    length: int = 0
    sided: bool = False


@dataclass(frozen=True)
class Metric:
    """A score of estimates against the truth, for many sets of weights at once (see ``nervura.metrics``).

    Attributes:
        of_named: whether it depends on the class that each row is named as alone; its function then takes
            ``metrics.counts``.
    """

    function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    greater_is_better: bool
    meaning: str
    of_named: bool = False


FEWEST_HALVED = 400
"""Fewer validation rows than this are not halved: what stops training then also calibrates."""


def halved(rows: int) -> tuple[slice, slice]:
    """Which of so many validation rows decide when training stops, and which nothing else uses: every second one."""
    return (slice(None), slice(None)) if rows < FEWEST_HALVED else (slice(0, None, 2), slice(1, None, 2))


@dataclass
class NoOptions:
    """A problem that can be told nothing."""


class Problem:
    """What is asked. A subclass in a file of this folder is found by the shelf.

    A member of the shelf knows no data; ``learn`` returns a copy that holds the coding of one target as JSON in
    ``coding``, and only that copy can encode, judge and decode.

    Attributes:
        metric: name of the score that decides, one of ``metrics``; the coding may hold another than the class has.
        stratified: whether the split keeps the target's shares.
        supervised_by: ``classifier`` or ``regressor``: the kind of scikit-learn model that answers the same question;
            ``nobody`` where no target is needed.
        needs_target: whether a target is predicted; see ``Targetless``.
        calibrates: whether it takes held-out rows that did not decide when training stopped.
        level: the share of new rows that its intervals, sets or thresholds are to hold, unless another is asked for.
        targets: the kinds of column that it can be asked of.
        windowed: whether its rows are windows of series in time (``nervura.windows``); it is then asked by name alone.
        Options: what it can be told beside the network's options: a dataclass of ``nervura.zoo.base.option`` fields.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    metric: str
    stratified: ClassVar[bool]
    supervised_by: ClassVar[str]
    needs_target: ClassVar[bool] = True
    calibrates: ClassVar[bool] = True
    level: ClassVar[float] = 0.9
    targets: ClassVar[frozenset[str]] = frozenset(KINDS) - {"captions"}
    windowed: ClassVar[bool] = False
    Options: ClassVar[type] = NoOptions
    metrics: dict[str, Metric]

    def __init__(self, coding: dict[str, Any] | None = None):
        self.coding = coding or {}
        self.metric = self.coding.get("metric", type(self).metric)

    def judged_by(self, metric: str | None) -> Self:
        """A copy whose deciding metric is another one of its ``metrics``; with None the one that it has by itself."""
        coding = {key: value for key, value in self.coding.items() if key != "metric"}
        return type(self)(coding if metric is None else {**coding, "metric": metric})

    def divided(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Options by name in two: those of the problem and those of the network."""
        own = {f.name for f in fields(self.Options)}
        kept = {name: value for name, value in given.items() if name in own}
        return kept, {name: value for name, value in given.items() if name not in own}

    def fits(self, target: Column, values: pl.Series) -> str:
        """Why this problem suits the target.

        Args:
            target: the target's column, with its kind.
            values: the known values of the target (``encoding.values``), without nulls.

        Raises:
            Declined: it does not suit; the text says why.
            ProblemError: the user asked for this problem by name (see ``insist``) and it cannot be asked.
        """
        raise NotImplementedError

    def insist(self, target: Column, values: pl.Series) -> None:
        """Checks that the problem can at least be asked, when the user names it.

        Raises:
            ProblemError: it cannot.
        """
        raise NotImplementedError

    def learn(self, values: pl.Series) -> Self:
        """A copy that knows how to code ``values``, the target of the training rows."""
        raise NotImplementedError

    def encode(self, values: pl.Series) -> np.ndarray:
        """The target as the network is trained on it, of shape (rows,)."""
        raise NotImplementedError

    def head(self, label_smoothing: float = 0.0) -> Head:
        """The output layer and the loss."""
        raise NotImplementedError

    @property
    def width(self) -> int:
        """How many numbers a network gives of a row."""
        return self.head().units

    def truth(self, encoded: np.ndarray) -> np.ndarray:
        """The encoded target as metrics want it: class codes (rows,) or values in the target's units (rows,)."""
        raise NotImplementedError

    def estimates(self, outputs: np.ndarray) -> np.ndarray:
        """The network's outputs as metrics want them: probabilities (rows, classes) or values (rows,), float64."""
        raise NotImplementedError

    def figures(self, estimates: np.ndarray) -> np.ndarray:
        """What another form of a run is compared with it by: (rows, ...)."""
        return estimates

    def constant(self, truth: np.ndarray, rows: int) -> np.ndarray:
        """The estimates of whoever knows the training target and ignores the inputs."""
        raise NotImplementedError

    def row_losses(self, truth: np.ndarray, estimates: np.ndarray) -> np.ndarray:
        """The loss of each row (rows,): what training and calibration make small in the mean, whatever metric decides."""
        raise NotImplementedError

    def strangeness(self, truth: np.ndarray, estimates: np.ndarray) -> np.ndarray:
        """How little each truth agrees with its estimate (rows,): what intervals and sets of answers are bounded by."""
        raise NotImplementedError

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        """The estimates as people want them: ``prediction`` and, for classes, ``probability_<class>``.

        Where the coding holds a ``conformal`` bound, also ``prediction_set`` for classes, else ``low`` and ``high``.
        """
        raise NotImplementedError

    @property
    def bound(self) -> float | None:
        """The strangeness that intervals and sets of answers keep within, or None where none was learnt."""
        return (self.coding.get("conformal") or {}).get("bound")

    def uncalibrated(self) -> Self:
        """A copy for another model than the one that temperature, rule and bound were learnt for."""
        learnt = ("temperature", "rule", "conformal")
        return type(self)({key: value for key, value in self.coding.items() if key not in learnt})

    def named(self, estimates: np.ndarray) -> np.ndarray:
        """What each row is said to be (rows,): a class code, or the value that is estimated."""
        return estimates

    def score(self, metric: str, truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """One of the ``metrics`` for sets of weights (sets, rows): (sets,)."""
        found = self.metrics[metric]
        if found.of_named:
            return found.function(*metrics.counts(truth, self.named(estimates), weights, estimates.shape[1]))
        return found.function(truth, estimates, weights)

    def loss(self, truth: np.ndarray, estimates: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """The deciding metric, turned so that less is better: (sets,), or of all rows alike (1,)."""
        weights = np.ones((1, len(truth))) if weights is None else weights
        found = self.score(self.metric, truth, estimates, weights)
        return -found if self.metrics[self.metric].greater_is_better else found

    def scores(self, truth: np.ndarray, estimates: np.ndarray) -> dict[str, float]:
        """Every metric of the problem."""
        once = np.ones((1, len(truth)))
        return {name: float(self.score(name, truth, estimates, once)[0]) for name in self.metrics}


class Classification(Problem):
    """What the problems with classes share: the classes in sorted order are coded 0, 1, 2 ..."""

    metric = "log_loss"
    stratified = True
    supervised_by = "classifier"

    @property
    def classes(self) -> list[str]:
        """Class names in the order of their codes."""
        return self.coding["classes"]

    def learn(self, values: pl.Series) -> Self:
        names = _class_names(values).unique().to_list()
        return type(self)({"classes": sorted(names, key=_natural)})

    def codes(self, values: pl.Series) -> np.ndarray:
        """The class codes (rows,) int64; -1 for a class that was not in the training rows."""
        names = _class_names(values)
        codes = names.replace_strict(self.classes, list(range(len(self.classes))), default=-1)
        return codes.cast(pl.Int64).to_numpy()

    def constant(self, truth: np.ndarray, rows: int) -> np.ndarray:
        shares = np.bincount(truth, minlength=len(self.classes)) / len(truth)
        return np.tile(shares, (rows, 1))

    def row_losses(self, truth: np.ndarray, estimates: np.ndarray) -> np.ndarray:
        return metrics.row_log_loss(truth, estimates)

    def tempered(self, shares: np.ndarray) -> np.ndarray:
        """Probabilities whose logits are divided by the ``temperature`` of the coding, if it has one."""
        temperature = self.coding.get("temperature", 1.0)
        if temperature == 1.0:
            return shares
        powers = np.clip(shares, metrics.SMALLEST, 1.0) ** (1 / temperature)
        return powers / powers.sum(1, keepdims=True)

    def ruled(self, weights: np.ndarray | None) -> Self:
        """A copy that names the class whose probability times its weight is largest; with None the likeliest class."""
        coding = {key: value for key, value in self.coding.items() if key != "rule"}
        return type(self)(coding if weights is None else {**coding, "rule": self.rule_of(weights)})

    def rule_of(self, weights: np.ndarray) -> dict[str, Any]:
        """A weight for each class (classes,) as the coding keeps it."""
        return {"weights": [float(f"{weight:.4g}") for weight in weights]}

    def named(self, estimates: np.ndarray) -> np.ndarray:
        """The code of the class that each row is named as (rows,): by the ``rule`` of the coding, else the likeliest."""
        rule = self.coding.get("rule")
        return (estimates if rule is None else estimates * rule["weights"]).argmax(1)

    def strangeness(self, truth: np.ndarray, estimates: np.ndarray) -> np.ndarray:
        return 1 - estimates[np.arange(len(truth)), truth]

    def answer_sets(self, estimates: np.ndarray) -> np.ndarray:
        """Which classes may be the answer, (rows, classes): the likeliest, the one named and all that the bound lets in."""
        sets = estimates >= 1 - (1.0 if self.bound is None else self.bound)
        for codes in (estimates.argmax(1), self.named(estimates)):
            sets[np.arange(len(sets)), codes] = True
        return sets

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        columns: dict[str, Any] = {"prediction": [self.classes[code] for code in self.named(estimates)]}
        columns |= {f"probability_{name}": estimates[:, code] for code, name in enumerate(self.classes)}
        if self.bound is not None:
            names = np.array(self.classes)
            columns["prediction_set"] = [SEPARATOR.join(names[row]) for row in self.answer_sets(estimates)]
        return pl.DataFrame(columns)


Both = tuple[str, str]
"""A text in English and in Portuguese."""


@dataclass
class Answers:
    """What a trained network gave for the rows of one part of the split.

    Attributes:
        x: the encoded rows by tensor.
        outputs: (rows, units) float32.
        labels: the values of the column that is judged by as text, or as texts of which each row has several; null where
            a row has none; None without that column.
        names: what the rows are called, where their table says it.
        places: the numbers of the rows in their table, from 0.
        windows: what each row is of series in time, in the same order; None of other rows.
    """

    x: dict[str, np.ndarray]
    outputs: np.ndarray
    labels: pl.Series | None = None
    names: list[str] | None = None
    places: np.ndarray | None = None
    windows: Windows | None = None


@dataclass
class Trained:
    """A trained network with its answers, as a problem that judges for itself has it.

    Attributes:
        name: of the network.
        kind: ``shallow`` or ``deep``, as the verdict takes it.
        model: gives the outputs; its layer ``given`` gives the rows as they are to be rebuilt.
        parts: ``train``, ``validation`` and ``test``; of many rows those for training are a sample.
        seconds: how long it took to train.
        left: the seconds left of a time budget, infinite without one. What does not fit is left out, with a note.
        tell: is told each step in words.
        beside: other networks, trained on the same rows (``Appraised.beside``).
    """

    name: str
    kind: str
    model: keras.Model
    parts: dict[str, Answers]
    seconds: float
    seed: int = 0
    left: Callable[[], float] = lambda: float("inf")
    tell: Callable[[str], None] = lambda text: None
    beside: list[Trained] = field(default_factory=list)


@dataclass
class Rival:
    """One of the methods that are set side by side.

    Attributes:
        kind, simplicity: as of a baseline (``nervura.judging.KINDS``).
        validation, test: what the metrics take as estimates (rows, ...).
        model: gives the same outputs as the network; it is kept in the run, for ``--use``. None where there is none.
        coding: what the problem learnt of its answers, kept beside it: it takes the place of what was learnt of the network's.
    """

    name: str
    kind: str
    simplicity: int
    validation: np.ndarray
    test: np.ndarray
    seconds: float
    model: keras.Model | None = None
    coding: dict[str, Any] = field(default_factory=dict)


@dataclass
class Finding:
    """A part of the report: a table, and pictures if ``picture`` or ``pictures`` names an array of the appraisal.

    Attributes:
        columns: the heads of the table; ``rows`` hold numbers and texts.
        picture: the name of an array uint8 (height, width, channels).
        pictures: the name of an array uint8 (pictures, height, width, channels).
        captions: what stands below each of these: lines of text, in both languages where they are pairs.
    """

    title: Both
    note: Both
    columns: list[Both] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    picture: str | None = None
    pictures: str | None = None
    captions: list[list[Any]] = field(default_factory=list)


@dataclass
class Appraisal:
    """What a problem that judges for itself found in a network's answers.

    Attributes:
        rivals: the network first, then what it is compared with. The verdict is made of them, unless ``verdict`` is given.
        truth: of the validation and the test rows, as the metrics take it; None: zeros, for metrics that need none.
        choosing: which test rows choose between the rivals where the validation rows cannot, bool (rows,); the others judge.
        verdict: as ``nervura.judging.Verdict`` is written, for a problem that has another than whether depth pays.
        findings: what the report shows besides scores and verdict.
        arrays: the pictures that findings name.
        notes: what was left out, and why.
    """

    rivals: list[Rival]
    findings: list[Finding] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    truth: dict[str, np.ndarray] | None = None
    choosing: np.ndarray | None = None
    verdict: dict[str, Any] | None = None


class Appraised(Problem):
    """What the problems share that judge a network themselves, beside methods of their own. In place of calibration and
    baselines they have ``settle``, which learns from the trained network's answers, and ``appraise``, which judges them.

    Attributes:
        network: what is trained where no network is named.
        beside: networks that are trained too, for the network to be judged by; it is not trained twice.
        answered: the parts whose rows the network answers before it is judged; of others the outputs are empty.
        keeps_rows: whether rows that it learnt from are among the arrays, since it cannot answer without them.
        arrays: what ``settle`` learnt beside the coding; kept in the run as ``problem.npz``.
    """

    stratified = False
    supervised_by = "nobody"
    calibrates = False
    keeps_rows: ClassVar[bool] = False
    network: ClassVar[str]
    beside: ClassVar[tuple[str, ...]] = ()
    answered: ClassVar[frozenset[str]] = frozenset({"train", "validation", "test"})

    def __init__(self, coding: dict[str, Any] | None = None, arrays: dict[str, np.ndarray] | None = None):
        super().__init__(coding)
        self.arrays = arrays or {}

    def told(self, given: Mapping[str, Any], level: float | None = None, labels: pl.Series | None = None) -> Self:
        """A copy that knows its options and the level that is asked for, and how the rows are labelled that it is judged
        by; it may keep what the labels mean, and learns nothing else from them.

        Raises:
            OptionError: an option's value is out of bounds.
        """
        options = asdict(read_options(self.Options, self.divided(given)[0]))
        return type(self)(
            {**self.coding, "options": options, "level": self.level if level is None else level}, self.arrays
        )

    @property
    def options(self) -> Any:
        """What it was told, as an instance of ``Options``."""
        return self.Options(**self.coding.get("options", {}))

    @property
    def stems(self) -> int:
        """How many of the commonest stems of a column of documents are counted."""
        return getattr(self.options, "stems", MOST_STEMS)

    def set_aside(self, schema: Schema) -> None:
        """Takes from the inputs of a schema what the problem does not look at; by default it looks at all."""

    def asked(self, model: keras.Model) -> keras.Model:
        """The part of a trained network whose outputs answer; by default all of it."""
        return model

    def learns_from(self, labels: pl.Series | None) -> np.ndarray | None:
        """Which rows may be learnt from, bool (rows,), by what they are labelled as; None: all. Others only judge."""
        return None

    def designed(self, tensors: list[Tensor], model: keras.Model) -> Self:
        """A copy that knows the outputs of the network that answers."""
        raise NotImplementedError

    def estimates(self, outputs: np.ndarray) -> np.ndarray:
        """The network's outputs as they are: of wide rows, float64 would take twice the memory."""
        return outputs

    def figures(self, estimates: np.ndarray) -> np.ndarray:
        return self.figures_of(self.decode(estimates))

    def figures_of(self, answers: pl.DataFrame) -> np.ndarray:
        """Those columns of ``decode`` that a small difference of the outputs changes but a little, (rows, columns)."""
        return answers.select(pl.col(pl.Float64)).to_numpy()

    def settle(self, parts: dict[str, Answers]) -> Self:
        """A copy that has learnt from the trained network's answers, for rows to come: coding, arrays or both."""
        return self

    def measured(self, outputs: np.ndarray, labels: pl.Series | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Truth (rows,) and estimates (rows, ...) as the metrics take them, of a network's outputs and the labels.

        Raises:
            ProblemError: it takes labels to judge, and there are none.
        """
        raise NotImplementedError

    def appraise(self, trained: Trained) -> Appraisal:
        """Judges a trained network beside simpler methods. Asked of the copy that ``settle`` gave."""
        raise NotImplementedError


class Forecaster(Appraised):
    """What problems share whose rows are windows of series in time."""

    windowed = True

    def forecast(self, asked: Windows, outputs: np.ndarray) -> pl.DataFrame:
        """A network's outputs for windows (windows, horizon) as people want them, a row for each step ahead of each: the keys,
        the time, ``prediction`` and, where they were learnt, ``low`` and ``high``."""
        raise NotImplementedError


class Targetless(Appraised):
    """What the problems without a target share. They are answered by networks that rebuild their input
    (``nervura.zoo.base.Rebuilding``), whose outputs are laid out as ``layout`` says.

    Every row is kept, with or without a value in a column of labels, which is judged by and never learnt from. In place
    of ``fits`` such a problem has ``fits_rows``.

    Attributes:
        rank: where no problem is named, that of the least rank is chosen among those that fit the rows.
        picture_network: what is trained on pictures where no network is named.
    """

    needs_target = False
    rank: ClassVar[int] = 50
    network: ClassVar[str] = "autoencoder"
    picture_network: ClassVar[str] = "autoencoder"

    @property
    def layout(self) -> Layout:
        """Where code, rebuilt row and given row stand in a network's outputs."""
        return Layout.from_json(self.coding["layout"])

    def fits_rows(self, schema: Schema) -> str:
        """What can be learnt from rows of such columns, in a sentence.

        Raises:
            Declined: nothing; the text says why.
        """
        raise NotImplementedError

    def fits(self, target: Column, values: pl.Series) -> str:
        raise Declined("it predicts no target")

    def insist(self, target: Column, values: pl.Series) -> None:
        """Every column can be judged by."""

    def learn(self, values: pl.Series) -> Self:
        return type(self)({"metric": self.metric})

    def encode(self, values: pl.Series) -> np.ndarray:
        """Zeros (rows,) in the place of a target."""
        return np.zeros(len(values), np.float32)

    def head(self, label_smoothing: float = 0.0) -> Head:
        """None: the network's outputs are as wide as ``layout`` says, once it is ``designed``."""
        return Head(self.width, "linear", "MeanSquaredError", {}, predicts=False)

    @property
    def width(self) -> int:
        return self.layout.length + 2 * self.layout.width if "layout" in self.coding else 0

    def designed(self, tensors: list[Tensor], model: keras.Model) -> Self:
        told = layout(tensors, model.get_layer("code").output.shape[-1]).to_json()
        return type(self)({**self.coding, "layout": told}, self.arrays)

    def truth(self, encoded: np.ndarray) -> np.ndarray:
        return encoded.astype(np.float64)


def no_labels(problem: Problem) -> ProblemError:
    """The error of a judgement that takes labels where there are none."""
    return ProblemError(f"To judge a run of the problem {problem.name} takes labels. Train it with --target COLUMN.")


def _class_names(values: pl.Series) -> pl.Series:
    if values.dtype == pl.Boolean:
        return values.replace_strict([True, False], ["yes", "no"], return_dtype=pl.String)
    if values.dtype.is_float():
        whole = values.cast(pl.Int64, strict=False)
        return whole.cast(pl.String) if (whole == values).all() else values.cast(pl.String)
    return values.cast(pl.String)


def _natural(name: str) -> tuple[int, float, str]:
    """Sorts numbers by value before words by letter."""
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)
