"""Judgement: scores with intervals, paired differences, the verdict on depth, and the data of the report's charts.

Statistics alone: it knows no Keras and no run. Rows whose truth is not known to the problem (class code -1: a class that
was not in the training rows) are left out everywhere, and ``decide`` and ``diagnostics`` say how many they were.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import stdtrit

from nervura.problems.base import Problem

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
NORMAL = 1.959964
"""Half the width of the 95 % interval of a normal, in deviations."""

MOST_RESAMPLED = 20_000
"""Of more rows, this many are resampled and the interval is narrowed by the root of the shares of rows."""

CELLS = 500_000
"""Weights (sets x rows) held at once: 4 MB in float64, and the scores need a dozen such arrays."""

WORTH, WORTH_OF_LEFT = 0.05, 0.2
"""What depth might gain is no reason for it below both this share of what the best model gains over the constant guess and
this share of what the best of the others lacks of a perfect score. Without the second, where nearly all is told already,
half the errors might go and it would count for little."""

KINDS = ("constant", "linear", "shallow", "trees", "detector", "clusterer", "neighbours", "reference", "deep")
MOST_CURVES, MOST_POINTS, MOST_DOTS = 10, 200, 1_000


@dataclass
class Candidate:
    """A model that is judged, trained from one or more seeds.

    Attributes:
        kind: one of ``KINDS``; the verdict sets the best of ``deep`` against the best of the rest.
        simplicity: its rank, lower is simpler.
        validation: the estimates for the validation rows, one array per training seed.
        test: the estimates for the test rows, one array per training seed, in the same order.
        seconds: how long it took to train.
        groups: of a bagged model, the estimates of each group of its members for the test rows.
        problems: the problem as each training answers it, with the rule by which it names classes; empty where all
            name them alike.
    """

    name: str
    kind: str
    simplicity: int
    validation: list[np.ndarray]
    test: list[np.ndarray]
    seconds: float
    groups: list[np.ndarray] = field(default_factory=list)
    problems: Sequence[Problem] = ()


@dataclass
class Verdict:
    """What ``decide`` found.

    Attributes:
        best: the best on validation data.
        simplest: the simplest one within noise of the best, on validation data. It is the ``choice``.
        choice_holds: whether the choice is within noise of the best on test data too.
        deep_warranted: ``yes``, ``no`` or ``undecided``.
        signal: whether a model beats the constant guess beyond noise; None if validation and test data disagree on it,
            and without a constant guess.
        validation_differences: candidate minus best, on validation data, in the deciding metric.
        differences: the same on test data.
        depth: the best deep candidate minus the best of the others on test data, with their names; None if either lacks.
        scores: the deciding metric of each candidate, averaged over its seeds.
        left_out: rows left out because their class was not in the training rows.
        failed: candidates put aside because no seed gave finite estimates.
        bagged: candidates whose groups tell how much a training varies.
    """

    metric: str
    best: str
    simplest: str
    choice: str
    choice_holds: bool
    deep_warranted: str
    signal: bool | None
    validation_differences: dict[str, dict[str, float]]
    differences: dict[str, dict[str, float]]
    depth: dict[str, Any] | None
    scores: dict[str, dict[str, Any]]
    rows: dict[str, int]
    left_out: dict[str, int]
    failed: list[str]
    bagged: list[str]
    text: str
    text_pt: str

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def known(problem: Problem, truth: np.ndarray) -> np.ndarray:
    """Which rows can be judged: those of a class known from training, or with a finite value."""
    return truth >= 0 if problem.supervised_by == "classifier" else np.isfinite(truth)


def intervals(
    problem: Problem,
    truth: np.ndarray,
    estimates_per_seed: list[np.ndarray],
    resamples: int = 1000,
    seed: int = 0,
    problems: Sequence[Problem] = (),
) -> dict[str, dict[str, float | None]]:
    """Every metric of the first seed's model, the one that is shipped, with a 95 % percentile bootstrap interval.

    Rows are resampled; with several seeds, each resample also takes one of them, so that the interval says what another
    training on the same data might score on other rows of the same kind. Of more than ``MOST_RESAMPLED`` rows, so many
    are resampled and the deviations from the score are narrowed by the root of the shares of rows. A metric that is not
    defined on these rows (ROC area of one class) is None.

    Args:
        problems: the problem as each seed's model answers it, where they name classes by rules of their own.
    """
    truth, all_estimates = _judged(problem, truth, estimates_per_seed)
    if not len(truth):
        return {name: {"value": None, "low": None, "high": None} for name in problem.metrics}
    generator = np.random.default_rng(seed)
    rows = _some_rows(len(truth), generator)
    narrowing = math.sqrt(len(rows) / len(truth))
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in problem.metrics}
    every = _each(problem, problems, all_estimates)
    for one, estimates in zip(every, all_estimates, strict=True):
        here = one.scores(truth, estimates)
        of_sample = one.scores(truth[rows], estimates[rows])
        sets = -(-resamples // len(all_estimates))
        ranked = _ranked_sets(sets, truth[rows], estimates)
        for weights in _weights(len(rows), sets, generator):
            for name in problem.metrics:
                used = weights[:ranked] if name in RANKED else weights
                if len(used):
                    scores = one.score(name, truth[rows], estimates[rows], used)
                    drawn[name].append(here[name] + (scores - of_sample[name]) * narrowing)
            ranked = max(0, ranked - len(weights))
    found = {}
    for name, value in every[0].scores(truth, all_estimates[0]).items():
        draws = np.concatenate(drawn[name])
        draws = draws[np.isfinite(draws)]
        if not (len(draws) and math.isfinite(value)):
            found[name] = {"value": value if math.isfinite(value) else None, "low": None, "high": None}
            continue
        low, high = np.quantile(draws, [TAIL, 1 - TAIL])
        found[name] = {"value": value, "low": min(float(low), value), "high": max(float(high), value)}
    return found


@dataclass
class Scored:
    """A model in the deciding metric on some rows, turned so that less is better, for ``difference``.

    Attributes:
        scores: of the model from each seed (seeds,).
        drawn: how far the mean over the seeds is from that on other rows of the same kind, (resamples,). All models
            scored on the same rows are scored on the same resamples of them.
        groups: of a bagged model the scores of its groups.
        rows: how many rows there are, of the rarest class where the metric weighs classes and not rows.
    """

    scores: np.ndarray
    drawn: np.ndarray
    groups: np.ndarray
    rows: int


def scored(
    problem: Problem,
    truth: np.ndarray,
    estimates: list[np.ndarray],
    groups: Sequence[np.ndarray] = (),
    problems: Sequence[Problem] = (),
) -> Scored:
    """Scores a model, trained from one or more seeds, on resampled rows; see ``compare``."""
    truth, all_estimates = _judged(problem, truth, [*estimates, *groups])
    estimates, groups = all_estimates[: len(estimates)], all_estimates[len(estimates) :]
    every = _each(problem, problems, estimates)
    scores = np.array([one.loss(truth, e)[0] for one, e in zip(every, estimates, strict=True)])
    generator = np.random.default_rng(0)
    rows = _some_rows(len(truth), generator)
    of_sample = np.array([one.loss(truth[rows], e[rows])[0] for one, e in zip(every, estimates, strict=True)])
    drawn = []
    resamples = 1000
    if problem.metric in RANKED and estimates:
        resamples = _ranked_sets(resamples, truth[rows], estimates[0])
    for weights in _weights(len(rows), resamples, generator):
        each = [one.loss(truth[rows], e[rows], weights) for one, e in zip(every, estimates, strict=True)]
        drawn.append(np.mean(each, axis=0))
    counted = len(truth)
    if problem.metric in OF_CLASSES and len(truth):
        sizes = np.bincount(truth.astype(np.int64))
        counted = int(sizes[sizes > 0].min())
    return Scored(
        scores,
        (np.concatenate(drawn) - of_sample.mean()) * math.sqrt(len(rows) / len(truth)),
        np.array([every[0].loss(truth, e)[0] for e in groups]),
        counted,
    )


RANKED, RANKED_CELLS, FEWEST_RANKED = ("roc_auc", "average_precision"), 4_000_000, 200
"""Metrics of the order of rows take long to resample; of many rows or classes fewer resamples must do."""

OF_CLASSES = ("balanced_accuracy", "f1", "f1_macro", "roc_auc", "average_precision")
"""Metrics that rest on the rows of a class: where it is rare, few rows tell how much they vary."""


def difference(a: Scored, b: Scored) -> dict[str, float]:
    """The score of ``a`` minus that of ``b`` on the same rows, with a 95 % interval; below zero ``a`` is better."""
    found = float(a.scores.mean() - b.scores.mean())
    drawn = a.drawn - b.drawn
    # A resample may lack a class, and a metric then be undefined.
    drawn = drawn[np.isfinite(drawn)]
    below, above = (-np.quantile(drawn, TAIL), np.quantile(drawn, 1 - TAIL)) if len(drawn) else (0.0, 0.0)
    parts = [(float(drawn.var()) if len(drawn) else 0.0, max(1, a.rows - 1))]
    for one in (a.scores, b.scores, a.groups, b.groups):
        if len(one) > 1:
            parts.append((float(one.var(ddof=1)) / len(one), len(one) - 1))
    variance = sum(one for one, _ in parts)
    extra = 0.0
    if variance > 0 and a.rows > 1:
        # Scaled first, because the square of a tiny variance underflows.
        freedom = 1 / sum((one / variance) ** 2 / degrees for one, degrees in parts)
        extra = max(0.0, float(stdtrit(freedom, 1 - TAIL)) ** 2 * variance - NORMAL**2 * parts[0][0])
    return {
        "difference": found,
        "low": found - math.sqrt(below * abs(below) + extra if below > 0 else extra),
        "high": found + math.sqrt(above * abs(above) + extra if above > 0 else extra),
    }


def compare(
    problem: Problem,
    truth: np.ndarray,
    a: list[np.ndarray],
    b: list[np.ndarray],
    groups: tuple[Sequence[np.ndarray], Sequence[np.ndarray]] = ((), ()),
    problems: tuple[Sequence[Problem], Sequence[Problem]] = ((), ()),
) -> dict[str, float]:
    """The deciding metric of ``a`` minus that of ``b``, averaged over each one's seeds, with a 95 % interval.

    The interval has two parts. Rows: a paired bootstrap of the metric itself, in which both are scored on the
    same resampled rows, so that what is hard for both cancels. Seeds: the variance of each one's score from seed to
    seed, over its number of seeds. Seeds are not resampled as rows are, because a bootstrap of three to five values
    gives too small a spread; their variance is added instead, and Student's t, with the degrees of freedom of Welch and
    Satterthwaite, pays for how roughly so few seeds tell it. The seeds of ``a`` and ``b`` are not paired, since the
    same seed means nothing common to two networks. One seed alone adds nothing: a model that is a function of its
    data has no such spread, and that of any other is then not in the interval. A bagged model is trained once: its
    ``groups``, which differ in rows and seeds, are as many trainings, and the variance of their scores over their number
    is about that of their common answer (if anything too large, since what they have in common does not vary).

    Args:
        problems: as each seed of ``a`` and of ``b`` answers it, where they name classes by rules of their own.
    """
    first, second = (
        scored(problem, truth, estimates, of_groups, of_each)
        for estimates, of_groups, of_each in zip((a, b), groups, problems, strict=True)
    )
    return _as_metric(problem, difference(first, second))


def _as_metric(problem: Problem, found: dict[str, float]) -> dict[str, float]:
    """A difference in the metric's own direction."""
    if not problem.metrics[problem.metric].greater_is_better:
        return found
    return {"difference": 0.0 - found["difference"], "low": 0.0 - found["high"], "high": 0.0 - found["low"]}


def _each(problem: Problem, problems: Sequence[Problem], estimates: Sequence[np.ndarray]) -> Sequence[Problem]:
    return problems or [problem] * len(estimates)


def decide(
    problem: Problem, validation_truth: np.ndarray, test_truth: np.ndarray, candidates: list[Candidate]
) -> Verdict:
    """Which model to use, and whether a deep one is warranted.

    On validation data alone: the best by the deciding metric, averaged over seeds, and the simplest whose paired
    difference from it has an interval that reaches zero; that one is the choice. Test data, which took no part in this,
    then says whether depth is warranted, from the paired difference between the deep candidate and the other one that
    validation data likes best:

    - yes: the choice is deep, and its interval on test data lies wholly on the better side;
    - no: the choice is not deep, and on test data the interval leaves depth no gain that counts (``worth``); or nothing
      beats the constant guess;
    - undecided: anything else, and when there is nothing to compare.
    """
    finite = [_finite(candidate) for candidate in candidates]
    running = [candidate for candidate in finite if candidate.validation]
    if not running:
        raise ValueError("There is nothing to decide: no candidate gave finite estimates.")
    valid, tested = known(problem, validation_truth), known(problem, test_truth)
    if not (valid.any() and tested.any()):
        raise ValueError("There is nothing to decide: validation and test rows need classes known from training.")

    problem, undefined = _defined(problem, ((validation_truth, 0), (test_truth, 1)), running)
    by_validation = {
        one.name: scored(problem, validation_truth, one.validation, problems=_judging(problem, one)) for one in running
    }
    by_test = {one.name: scored(problem, test_truth, one.test, one.groups, _judging(problem, one)) for one in running}
    sign = -1 if problem.metrics[problem.metric].greater_is_better else 1
    scores: dict[str, dict[str, Any]] = {
        one.name: {
            "kind": one.kind,
            "validation": sign * float(by_validation[one.name].scores.mean()),
            "test": sign * float(by_test[one.name].scores.mean()),
            "seeds": len(one.test),
            "seconds": one.seconds,
        }
        for one in running
    }

    def on_validation_rows(one: Candidate) -> float:
        return sign * scores[one.name]["validation"]

    running.sort(key=lambda one: (on_validation_rows(one), one.simplicity))
    best = running[0]
    on_validation = {
        one.name: difference(by_validation[one.name], by_validation[best.name]) for one in running if one is not best
    }

    def on_test_rows(one: Candidate, other: Candidate) -> dict[str, float]:
        return difference(by_test[one.name], by_test[other.name])

    on_test = {one.name: on_test_rows(one, best) for one in running if one is not best}
    within = [best, *(one for one in running if one is not best and on_validation[one.name]["low"] <= 0)]
    choice = min(within, key=lambda one: (one.simplicity, on_validation_rows(one)))

    deep = next((one for one in running if one.kind == "deep"), None)
    other = next((one for one in running if one.kind != "deep"), None)
    constant = next((one for one in running if one.kind == "constant"), None)
    depth: dict[str, Any] | None = None
    warranted, least = "undecided", 0.0
    if constant and other:
        best_of_all = min((one["test"] for one in scores.values()), key=lambda score: sign * score)
        least = worth(scores[constant.name]["test"], best_of_all, scores[other.name]["test"], sign < 0)
    signal = None
    if constant:
        rival = best if choice is constant else choice
        beaten = rival is not constant and on_test_rows(rival, constant)["high"] < 0
        # Where validation and test rows disagree, no claim is made either way.
        signal = beaten if beaten != (choice is constant) else None
    if deep and other:
        found = on_test_rows(deep, other)
        depth = {"deep": deep.name, "other": other.name, **_as_metric(problem, found)}
        if choice.kind == "deep" and found["high"] < 0:
            warranted = "yes"
        elif choice.kind != "deep" and (found["low"] >= -least or signal is False):
            warranted = "no"
    verdict = Verdict(
        metric=problem.metric,
        best=best.name,
        simplest=choice.name,
        choice=choice.name,
        choice_holds=choice is best or on_test[choice.name]["low"] <= 0,
        deep_warranted=warranted,
        signal=signal,
        validation_differences={name: _as_metric(problem, one) for name, one in on_validation.items()},
        differences={name: _as_metric(problem, one) for name, one in on_test.items()},
        depth=depth,
        scores=scores,
        rows={"validation": int(valid.sum()), "test": int(tested.sum())},
        left_out={"validation": int((~valid).sum()), "test": int((~tested).sum())},
        failed=[one.name for one in finite if not one.validation],
        bagged=[one.name for one in running if one.groups],
        text="",
        text_pt="",
    )
    trees = next((one for one in running if one.kind == "trees"), None)
    network = next((one for one in running if one.kind in ("linear", "shallow", "deep")), None)
    against = on_test_rows(trees, network) if trees and network else None
    won = against if against and against["high"] < 0 else None
    told = (verdict, sign < 0, undefined, choice, trees, network, won, constant, problem.windowed)
    verdict.text, verdict.text_pt = _tell(*told, language="en"), _tell(*told, language="pt")
    return verdict


def worth(constant: float, best: float, other: float, greater_is_better: bool) -> float:
    """The least gain over ``other`` that counts, from scores of the constant guess, the best model and the other one."""
    gained = constant - best
    lacking = other
    if greater_is_better:
        gained, lacking = -gained, 1 - other
    return max(0.0, min(WORTH * gained, WORTH_OF_LEFT * lacking))


def _judging(problem: Problem, candidate: Candidate) -> list[Problem]:
    """The problem as each training of a candidate answers it, judged by the deciding metric of ``problem``."""
    return [one.judged_by(problem.metric) for one in candidate.problems]


def _defined(
    problem: Problem, parts: Sequence[tuple[np.ndarray, int]], candidates: Sequence[Candidate]
) -> tuple[Problem, str]:
    """The problem, and the metric that these rows leave undefined (a ROC area of one class), or an empty string; then
    the problem is that with the metric that it has by itself, which always is defined."""
    for truth, part in parts:
        rows = known(problem, truth)
        for one in candidates:
            for estimates in (one.validation, one.test)[part]:
                if not np.isfinite(problem.loss(truth[rows], estimates[rows])).all():
                    return problem.judged_by(None), problem.metric
    return problem, ""


PHRASES = {
    "en": {
        "yes": "A deep network is warranted here.",
        "no": "A deep network is not warranted here.",
        "undecided": "These rows do not decide whether a deep network is warranted here.",
        "untried": "Whether a deep network is warranted cannot be said: deep and simpler models were not both tried.",
        "no_signal": "There is no signal in these inputs that the models could find: none does better than the constant guess beyond noise.",
        "rows": "On the {rows} test rows",
        "windows": "On {rows} stretches of the test period",
        "depth": "{where}, {metric} ({direction}) is {a} for {deep}, the best deep network on validation data, and {b} for {other}, the best of the others: a difference of {difference}.",
        "best": "On validation data {best} is best ({metric} {value}), and nothing simpler is within noise of it.",
        "simpler": "On validation data {best} is best ({metric} {value}), and {choice} ({other}) is the simplest model within noise of it; on test data {choice} differs from it by {difference}.",
        "worse": "That is clearly worse, more than the validation rows could show: {best} is the safer one to use.",
        "unclear": "Validation and test rows disagree on whether anything beats the constant guess beyond noise.",
        "linear": "A linear model would do.",
        "trees": "Boosted trees ({trees}) beat the best network, {network}, on test data by {difference} in {metric}.",
        "seeds": "Only one training seed was used for {names}, so the intervals leave out their spread from seed to seed.",
        "undefined": "{undefined} is not defined on these validation or test rows, so {metric} decides.",
        "less": "less is better",
        "more": "more is better",
        "left_out": "{count} test rows are left out, because their class was not in the training rows.",
        "failed": "Put aside, because the estimates were not finite: {names}.",
        "interval": "{difference} (95 % interval {low} to {high})",
        "and": "and",
    },
    "pt": {
        "yes": "Uma rede profunda justifica-se aqui.",
        "no": "Uma rede profunda não se justifica aqui.",
        "undecided": "Estas linhas não decidem se uma rede profunda se justifica aqui.",
        "untried": "Não se pode dizer se uma rede profunda se justifica: não foram experimentados modelos profundos e modelos mais simples.",
        "no_signal": "Não há nestas entradas sinal que os modelos encontrassem: nenhum faz melhor que o palpite constante para além do ruído.",
        "rows": "Nas {rows} linhas de teste",
        "windows": "Em {rows} trechos do período de teste",
        "depth": "{where}, {metric} ({direction}) é {a} para {deep}, a melhor rede profunda nos dados de validação, e {b} para {other}, o melhor dos outros: uma diferença de {difference}.",
        "best": "Nos dados de validação, {best} é o melhor ({metric} {value}), e nada mais simples está dentro do ruído.",
        "simpler": "Nos dados de validação, {best} é o melhor ({metric} {value}), e {choice} ({other}) é o modelo mais simples dentro do ruído; nos dados de teste, {choice} difere dele em {difference}.",
        "worse": "É claramente pior, mais do que os dados de validação podiam mostrar: {best} é o mais seguro de usar.",
        "unclear": "As linhas de validação e de teste discordam sobre se algo supera o palpite constante para além do ruído.",
        "linear": "Um modelo linear basta.",
        "trees": "As árvores com boosting ({trees}) superam a melhor rede, {network}, nos dados de teste, por {difference} em {metric}.",
        "seeds": "Só foi usada uma semente de treino para {names}, por isso os intervalos não incluem a variação entre sementes.",
        "undefined": "{undefined} não está definida nestas linhas de validação ou de teste, por isso decide {metric}.",
        "less": "menos é melhor",
        "more": "mais é melhor",
        "left_out": "{count} linhas de teste ficam de fora, porque a sua classe não estava nas linhas de treino.",
        "failed": "Postos de lado, porque as estimativas não eram finitas: {names}.",
        "interval": "{difference} (intervalo de 95 %: {low} a {high})",
        "and": "e",
    },
}


def _tell(
    verdict: Verdict,
    more_is_better: bool,
    undefined: str,
    choice: Candidate,
    trees: Candidate | None,
    network: Candidate | None,
    won: dict[str, float] | None,
    constant: Candidate | None,
    windowed: bool,
    language: str,
) -> str:
    """The verdict as one paragraph, made of the figures in it."""
    phrases = PHRASES[language]

    def number(value: float) -> str:
        text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
        return text.translate(str.maketrans(",.", "\u00a0,")) if language == "pt" else text

    def interval(found: dict[str, Any], sign: int = 1) -> str:
        ends = sorted((sign * found["low"], sign * found["high"]))
        return phrases["interval"].format(
            difference=number(sign * found["difference"]), low=number(ends[0]), high=number(ends[1])
        )

    scores, metric = verdict.scores, verdict.metric
    said = [phrases["undefined"].format(undefined=undefined, metric=metric)] if undefined else []
    if verdict.depth is None:
        said.append(phrases["untried"])
    else:
        said.append(phrases[verdict.deep_warranted])
        said.append(
            phrases["depth"].format(
                where=phrases["windows" if windowed else "rows"].format(rows=number(verdict.rows["test"])),
                metric=metric,
                direction=phrases["more" if more_is_better else "less"],
                a=number(scores[verdict.depth["deep"]]["test"]),
                b=number(scores[verdict.depth["other"]]["test"]),
                deep=verdict.depth["deep"],
                other=verdict.depth["other"],
                difference=interval(verdict.depth),
            )
        )
    figures = {
        "best": verdict.best,
        "choice": verdict.choice,
        "metric": metric,
        "value": number(scores[verdict.best]["validation"]),
        "other": number(scores[verdict.choice]["validation"]),
    }
    if verdict.choice == verdict.best:
        said.append(phrases["best"].format(**figures))
    else:
        said.append(phrases["simpler"].format(**figures, difference=interval(verdict.differences[verdict.choice])))
    if not verdict.choice_holds:
        said.append(phrases["worse"].format(**figures))
    if verdict.signal is False:
        said.append(phrases["no_signal"])
    elif verdict.signal is None and constant:
        said.append(phrases["unclear"])
    elif choice.kind == "linear" and verdict.deep_warranted == "no":
        said.append(phrases["linear"])
    if trees and network and won:
        # By how much: the lead, whichever way the metric goes.
        lead = interval(won, -1)
        said.append(phrases["trees"].format(trees=trees.name, network=network.name, difference=lead, metric=metric))
    single = [name for name, one in scores.items() if one["seeds"] == 1 and one["kind"] in ("shallow", "deep")]
    single = [name for name in single if name not in verdict.bagged]
    if single:
        said.append(phrases["seeds"].format(names=_listed(single, phrases["and"])))
    if verdict.left_out["test"]:
        said.append(phrases["left_out"].format(count=number(verdict.left_out["test"])))
    if verdict.failed:
        said.append(phrases["failed"].format(names=_listed(verdict.failed, phrases["and"])))
    return " ".join(said)


def _listed(names: list[str], joint: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joint} {names[-1]}"


def reliability(truth: np.ndarray, estimates: np.ndarray, bins: int = 10) -> tuple[list[dict[str, Any]], float | None]:
    """The points of the calibration curve and the expected calibration error.

    For two classes: the probability of the second and how often it was true. For more: the probability of the class
    named and how often it was right. Bins are equally wide; empty ones are left out.
    """
    if estimates.shape[1] == 2:
        probability, came_true = estimates[:, 1], truth == 1
    else:
        probability, came_true = estimates.max(1), estimates.argmax(1) == truth
    place = np.minimum((probability * bins).astype(int), bins - 1)
    points, error = [], 0.0
    for number in range(bins):
        inside = place == number
        if not inside.any():
            continue
        mean, share = float(probability[inside].mean()), float(came_true[inside].mean())
        points.append(
            {
                "low": number / bins,
                "high": (number + 1) / bins,
                "mean_probability": mean,
                "share": share,
                "rows": int(inside.sum()),
            }
        )
        error += float(inside.mean()) * abs(mean - share)
    return points, error if points else None


def confusion(classes: list[str], truth: np.ndarray, named: np.ndarray) -> dict[str, Any]:
    """How many rows of each class (rows of the table) were named as each class (columns)."""
    size = len(classes)
    counts = np.bincount(truth * size + named, minlength=size * size).reshape(size, size)
    return {"classes": list(classes), "counts": counts.tolist()}


def trust(problem: Problem, truth: np.ndarray, candidates: Sequence[Candidate]) -> dict[str, dict[str, float | None]]:
    """How far each candidate's probabilities can be trusted: its Brier score and expected calibration error, by name."""
    rows = known(problem, truth)
    if problem.supervised_by != "classifier" or not rows.any():
        return {}
    found: dict[str, dict[str, float | None]] = {}
    for one in candidates:
        estimates = one.test[0][rows]
        if np.isfinite(estimates).all():
            brier = problem.score("brier", truth[rows], estimates, np.ones((1, len(estimates))))[0]
            error = reliability(truth[rows], estimates)[1]
            found[one.name] = {"brier": float(brier), "expected_calibration_error": error}
    return found


def diagnostics(problem: Problem, truth: np.ndarray, estimates: np.ndarray) -> dict[str, Any]:
    """What the report draws: for classes confusion, calibration and curves, for values scatter and residuals."""
    rows = known(problem, truth)
    counted = {"rows": int(rows.sum()), "left_out": int((~rows).sum())}
    truth, estimates = truth[rows], estimates[rows]
    if problem.supervised_by == "regressor":
        return counted | _of_values(truth, estimates)
    points, error = reliability(truth, estimates)
    roc, precision_recall = _curves(problem.coding["classes"], truth, estimates)
    return counted | {
        "confusion": confusion(problem.coding["classes"], truth, problem.named(estimates)),
        "reliability": points,
        "expected_calibration_error": error,
        "roc": roc,
        "precision_recall": precision_recall,
    }


def _of_values(truth: np.ndarray, estimates: np.ndarray) -> dict[str, Any]:
    shown = np.arange(len(truth))
    if len(truth) > MOST_DOTS:
        shown = np.sort(np.random.default_rng(0).choice(len(truth), MOST_DOTS, replace=False))
    residuals = truth - estimates
    counts, edges = np.histogram(residuals, bins=30)
    quantiles = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    return {
        "scatter": {"true": truth[shown].tolist(), "predicted": estimates[shown].tolist()},
        "residual_histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "residual_quantiles": {str(q): float(np.quantile(residuals, q)) for q in quantiles} if len(truth) else {},
    }


def _curves(classes: list[str], truth: np.ndarray, estimates: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """ROC and precision-recall curves: of the second of two classes, or of each of the commonest against the rest."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    counts = np.bincount(truth, minlength=len(classes))
    commonest = [1] if len(classes) == 2 else np.argsort(-counts, kind="stable")[:MOST_CURVES].tolist()
    roc, precision_recall = {}, {}
    for code in commonest:
        if not 0 < counts[code] < len(truth):
            continue  # A curve needs rows of the class and rows of others.
        false_rate, true_rate, _ = roc_curve(truth == code, estimates[:, code])
        precision, recall, _ = precision_recall_curve(truth == code, estimates[:, code])
        chosen = _thinned(false_rate, true_rate)
        roc[classes[code]] = {
            "false_positive_rate": false_rate[chosen].tolist(),
            "true_positive_rate": true_rate[chosen].tolist(),
        }
        chosen = _thinned(recall, precision)
        precision_recall[classes[code]] = {"recall": recall[chosen].tolist(), "precision": precision[chosen].tolist()}
    return roc, precision_recall


def _thinned(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """At most ``MOST_POINTS`` points, spread evenly along the curve, its ends among them."""
    if len(x) <= MOST_POINTS:
        return np.arange(len(x))
    travelled = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    chosen = np.searchsorted(travelled, np.linspace(0, travelled[-1], MOST_POINTS - 1))
    return np.unique(np.append(np.minimum(chosen, len(x) - 1), len(x) - 1))


def _judged(problem: Problem, truth: np.ndarray, estimates: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    rows = known(problem, truth)
    return truth[rows], [one[rows] for one in estimates]


def _finite(candidate: Candidate) -> Candidate:
    """The candidate without the seeds whose training diverged."""
    pairs = list(zip(candidate.validation, candidate.test, strict=True))
    kept = [bool(np.isfinite(here).all() and np.isfinite(there).all()) for here, there in pairs]
    sound = [pair for pair, is_sound in zip(pairs, kept, strict=True) if is_sound]
    return Candidate(
        candidate.name,
        candidate.kind,
        candidate.simplicity,
        [here for here, _ in sound],
        [there for _, there in sound],
        candidate.seconds,
        candidate.groups,
        [one for one, is_sound in zip(candidate.problems, kept, strict=True) if is_sound] if candidate.problems else (),
    )


def _ranked_sets(sets: int, truth: np.ndarray, estimates: np.ndarray) -> int:
    """How many of ``sets`` resamples a metric of the order of rows is computed on: each class has an order of its own."""
    orders = estimates.shape[1] if estimates.ndim > 1 and estimates.shape[1] > 2 else 1
    return min(sets, max(FEWEST_RANKED, RANKED_CELLS // max(1, len(truth) * orders)))


def _some_rows(rows: int, generator: np.random.Generator) -> np.ndarray:
    if rows <= MOST_RESAMPLED:
        return np.arange(rows)
    return np.sort(generator.choice(rows, MOST_RESAMPLED, replace=False))


def _weights(rows: int, sets: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each row is drawn, in blocks of (sets, rows) that together hold ``sets`` resamples."""
    most = max(1, CELLS // rows)
    for start in range(0, sets, most):
        here = min(most, sets - start)
        drawn = generator.integers(rows, size=(here, rows)) + np.arange(here)[:, None] * rows
        yield np.bincount(drawn.ravel(), minlength=here * rows).reshape(here, rows).astype(np.float64)
