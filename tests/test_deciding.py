"""The rule by which classes are named: it is the best there is for the metric, it spares few rows, and it changes nothing
but the class that is named."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura import metrics
from nervura.deciding import best_weights, thresholds, with_rule
from nervura.problems.base import Classification
from nervura.problems.binary import Binary
from nervura.problems.multiclass import Multiclass
from nervura.problems.regression import Regression

BINARY = Binary({"classes": ["no", "yes"]})
VALUES = Regression({"mean": 0.0, "deviation": 1.0})


def several(classes: int) -> Multiclass:
    return Multiclass({"classes": [f"c{code}" for code in range(classes)]})


def rare(rows: int, seed: int, mean: float = -3.5) -> tuple[np.ndarray, np.ndarray]:
    """Truth of two classes, the second of which is rare, and its true probabilities (rows, 2)."""
    draw = np.random.default_rng(seed)
    second = 1 / (1 + np.exp(-(mean + 1.5 * draw.normal(size=rows))))
    return (draw.random(rows) < second).astype(int), np.column_stack([1 - second, second])


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the truth and probabilities, each (rows, classes), with ties and zeros."""
    classes, rows = draw(st.integers(2, 4)), draw(st.integers(2, 25))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = draw(st.sampled_from([2, 5, 10_000]))
    raw = (
        generator.integers(0, steps + 1, size=(rows, classes)) + np.eye(classes)[generator.integers(classes, size=rows)]
    )
    truth = np.eye(classes)[generator.integers(classes, size=rows)]
    return 0.5 * truth + 0.5 * raw / raw.sum(1, keepdims=True), raw / raw.sum(1, keepdims=True)


def reached(metric, soft: np.ndarray, named: np.ndarray) -> float:
    marks = np.eye(soft.shape[1])[named]
    return float(metric.function((marks * soft).sum(0)[None], marks.sum(0)[None], soft.sum(0)[None])[0])


@settings(max_examples=150, deadline=None)
@given(judged(), st.sampled_from(["accuracy", "balanced_accuracy", "f1"]))
def test_of_two_classes_no_threshold_is_better(drawn, name):
    soft, shares = drawn
    soft, shares = soft[:, :2] + 1e-9, shares[:, :2] + 1e-9
    soft, shares = (part / part.sum(1, keepdims=True) for part in (soft, shares))
    metric = Binary.metrics[name]
    weights = best_weights(metric, soft, shares)
    found = reached(metric, soft, (shares * weights).argmax(1))
    second = np.unique(shares[:, 1])
    every = [-1.0, *((second[1:] + second[:-1]) / 2), 2.0]
    best = max(reached(metric, soft, (shares[:, 1] > threshold).astype(int)) for threshold in every)
    assert found == pytest.approx(best, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(judged(), st.sampled_from(["accuracy", "balanced_accuracy", "f1_macro"]))
def test_the_weights_of_several_classes_are_never_worse_than_none(drawn, name):
    soft, shares = drawn
    metric = Multiclass.metrics[name]
    weights = best_weights(metric, soft, shares)
    assert weights.shape == (shares.shape[1],) and (weights > 0).all() and np.isfinite(weights).all()
    assert np.exp(np.log(weights).mean()) == pytest.approx(1)
    # A tie goes to the first class; a weight lies between two rows, so that none is on the border.
    if len(np.unique(shares)) == shares.size:
        assert reached(metric, soft, (shares * weights).argmax(1)) >= reached(metric, soft, shares.argmax(1)) - 1e-9


def test_the_best_threshold_is_where_theory_has_it():
    """Of true probabilities: the share of the class for balanced accuracy, half of the best F1 for F1, 1/2 for accuracy.

    Source: Lipton et al., Optimal Thresholding of Classifiers to Maximize F1 Measure, ECML 2014.
    """
    truth, shares = rare(200_000, seed=0, mean=-2.0)
    found = {name: with_rule(BINARY.judged_by(name), truth, shares) for name in ("balanced_accuracy", "f1", "accuracy")}
    assert found["balanced_accuracy"].coding["rule"]["threshold"] == pytest.approx(truth.mean(), abs=0.02)
    best = found["f1"].scores(truth, shares)["f1"]
    assert found["f1"].coding["rule"]["threshold"] == pytest.approx(best / 2, abs=0.02)
    accuracy = found["accuracy"].coding.get("rule", {"threshold": 0.5})
    assert accuracy["threshold"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("rows", [300, 2_000])
def test_a_rule_learnt_from_few_rows_gains_on_new_ones(rows):
    new_truth, new_shares = rare(30_000, seed=10_000)
    gains: dict[str, list[float]] = {"f1": [], "balanced_accuracy": [], "accuracy": []}
    for seed in range(20):
        truth, shares = rare(rows, seed)
        for name in gains:
            problem = BINARY.judged_by(name)
            ruled = with_rule(problem, truth, shares)
            gains[name].append(problem.loss(new_truth, new_shares)[0] - ruled.loss(new_truth, new_shares)[0])
    assert np.mean(gains["f1"]) > 0.1 and np.mean(gains["balanced_accuracy"]) > 0.15
    # Of accuracy the likeliest class is the best there is: next to nothing may be lost.
    assert np.mean(gains["accuracy"]) > -0.002


def test_rare_ones_of_several_classes_are_found():
    draw = np.random.default_rng(0)
    centres = np.array([0.0, 1.5, 3.0])
    sizes = np.array([0.9, 0.07, 0.03])

    def rows(count: int) -> tuple[np.ndarray, np.ndarray]:
        truth = draw.choice(3, count, p=sizes)
        x = centres[truth] + draw.normal(size=count)
        shares = sizes * np.exp(-((x[:, None] - centres) ** 2) / 2)
        return truth, shares / shares.sum(1, keepdims=True)

    learnt, new = rows(2_000), rows(30_000)
    for name, least in (("balanced_accuracy", 0.1), ("f1_macro", 0.02)):
        problem = several(3).judged_by(name)
        ruled = with_rule(problem, *learnt)
        assert problem.loss(*new)[0] - ruled.loss(*new)[0] > least
    # Where each class counts alike, its weight is one over its share.
    weights = np.array(with_rule(several(3).judged_by("balanced_accuracy"), *new).coding["rule"]["weights"])
    assert weights / weights[0] == pytest.approx(sizes[0] / sizes, rel=0.25)


def test_nothing_is_learnt_where_nothing_is_to_be_learnt():
    truth, shares = rare(500, seed=1)
    for problem in (BINARY, BINARY.judged_by("log_loss"), BINARY.judged_by("roc_auc")):
        assert with_rule(problem, truth, shares) is problem
    assert with_rule(VALUES, truth.astype(float), shares[:, 1]) is VALUES
    by_f1 = BINARY.judged_by("f1")
    assert "rule" not in with_rule(by_f1, truth[:20], shares[:20]).coding
    assert "rule" not in with_rule(by_f1, np.zeros(500, int), shares).coding
    assert "rule" not in with_rule(by_f1, np.full(500, -1), shares).coding
    known = with_rule(by_f1, np.append(truth, -1), np.vstack([shares, [[0.5, 0.5]]]))
    assert known.coding == with_rule(by_f1, truth, shares).coding


def test_many_classes_some_of_which_are_absent_have_a_rule_too():
    draw = np.random.default_rng(0)
    truth = draw.integers(30, size=400)
    shares = draw.dirichlet(np.full(40, 0.2), size=400) + 0.5 * np.eye(40)[truth] + 1e-12
    ruled = with_rule(several(40).judged_by("f1_macro"), truth, shares / shares.sum(1, keepdims=True))
    json.dumps(ruled.coding, allow_nan=False)


@pytest.mark.parametrize(
    ("problem", "name"), [(BINARY, "f1"), (several(3), "balanced_accuracy")], ids=["binary", "multiclass"]
)
def test_a_rule_names_classes_and_leaves_probabilities_alone(problem: Classification, name: str):
    draw = np.random.default_rng(3)
    classes = len(problem.classes)
    sizes = np.linspace(0.9, 0.02, classes) / np.linspace(0.9, 0.02, classes).sum()
    truth = draw.choice(classes, 1_000, p=sizes)
    shares = draw.dirichlet(np.ones(classes), size=1_000) * sizes + 0.1 * np.eye(classes)[truth]
    shares /= shares.sum(1, keepdims=True)
    ruled = with_rule(problem.judged_by(name), truth, shares)
    kept = type(ruled)(json.loads(json.dumps({**ruled.coding, "conformal": {"level": 0.5, "bound": 0.1}})))
    assert kept.metric == name and (kept.named(shares) == ruled.named(shares)).all()
    plain, told = problem.decode(shares), kept.decode(shares)
    probabilities = [f"probability_{one}" for one in problem.classes]
    assert told.select(probabilities).equals(plain.select(probabilities))
    assert told["prediction"].to_list() == [problem.classes[code] for code in kept.named(shares)]
    assert told["prediction"].to_list() != plain["prediction"].to_list()
    assert all(
        named in among.split("|") for named, among in zip(told["prediction"], told["prediction_set"], strict=True)
    )
    # Metrics of the probabilities do not see the rule, and those of named classes do.
    before, after = problem.scores(truth, shares), kept.scores(truth, shares)
    assert (after["log_loss"], after["brier"], after["roc_auc"]) == (
        before["log_loss"],
        before["brier"],
        before["roc_auc"],
    )
    assert after[name] > before[name]
    counts = metrics.counts(truth, kept.named(shares), np.ones((1, 1_000)), classes)
    assert after["accuracy"] == metrics.accuracy(*counts)[0]
    assert "rule" not in kept.uncalibrated().coding and kept.uncalibrated().metric == name


def test_thresholds_that_a_report_offers():
    truth, shares = rare(3_000, seed=2)
    found = thresholds(BINARY, truth, shares)
    assert set(found) == {"balanced_accuracy", "f1"}
    assert 0 < found["balanced_accuracy"] < found["f1"] < 0.5
    assert thresholds(several(2), truth, shares) == {"balanced_accuracy": None, "f1_macro": None}
