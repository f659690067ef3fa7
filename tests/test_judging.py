"""Judgement: intervals cover what they claim, and the verdict follows the evidence."""

import json

import numpy as np
import pytest

from nervura.judging import Candidate, compare, decide, diagnostics, intervals, reliability, trust
from nervura.problems.binary import Binary
from nervura.problems.multiclass import Multiclass
from nervura.problems.regression import Regression

BINARY = Binary({"classes": ["no", "yes"]})
VALUES = Regression({"mean": 0.0, "deviation": 1.0})


def two_columns(second):
    return np.column_stack([1 - second, second])


def binary_rows(rows, seed, slope=2.0):
    """Truth and the true probability of each row."""
    generator = np.random.default_rng(seed)
    second = 1 / (1 + np.exp(-slope * generator.normal(size=rows)))
    return (generator.random(rows) < second).astype(int), second


def blurred(second, noise, generator):
    """Estimates whose log odds are off by some noise."""
    return two_columns(1 / (1 + np.exp(-(np.log(second / (1 - second)) + noise * generator.normal(size=len(second))))))


def test_intervals_cover_the_truth_nineteen_times_in_twenty():
    large_truth, large = binary_rows(200_000, seed=99)
    aim = BINARY.scores(large_truth, two_columns(large))
    tries, hits = 150, dict.fromkeys(("log_loss", "roc_auc", "accuracy"), 0)
    for seed in range(tries):
        truth, second = binary_rows(300, seed)
        found = intervals(BINARY, truth, [two_columns(second)], resamples=300, seed=seed)
        for name in hits:
            hits[name] += found[name]["low"] <= aim[name] <= found[name]["high"]
    assert all(0.89 <= count / tries <= 0.99 for count in hits.values()), hits


def test_intervals_of_many_rows_shrink_as_they_should():
    truth, second = binary_rows(80_000, seed=1)
    found = intervals(BINARY, truth, [two_columns(second)], resamples=100)
    losses = BINARY.row_losses(truth, two_columns(second))
    width = found["log_loss"]["high"] - found["log_loss"]["low"]
    assert width == pytest.approx(2 * 1.96 * losses.std() / np.sqrt(len(truth)), rel=0.25)
    assert found["log_loss"]["value"] == pytest.approx(losses.mean())


def test_seeds_widen_the_interval_and_the_value_is_that_of_the_first():
    truth, second = binary_rows(400, seed=2)
    generator = np.random.default_rng(0)
    seeds = [blurred(second, noise, generator) for noise in (0.1, 2.0, 4.0)]
    alone, together = intervals(BINARY, truth, seeds[:1]), intervals(BINARY, truth, seeds)
    assert together["log_loss"]["value"] == alone["log_loss"]["value"]
    assert together["log_loss"]["high"] > alone["log_loss"]["high"]
    assert together["log_loss"]["low"] <= together["log_loss"]["value"]


def test_a_metric_that_is_not_defined_is_none():
    found = intervals(BINARY, np.zeros(10, int), [two_columns(np.full(10, 0.3))], resamples=50)
    assert found["roc_auc"] == {"value": None, "low": None, "high": None}
    assert found["log_loss"]["value"] == pytest.approx(-np.log(0.7))
    assert intervals(BINARY, np.array([-1]), [two_columns(np.array([0.3]))])["accuracy"]["value"] is None


@pytest.mark.parametrize("seeds", [1, 3])
def test_comparisons_cover_the_true_difference(seeds):
    """Two methods with known expected losses: a common part per row, own parts per row and per training seed."""
    tries, hits = 300, 0
    for number in range(tries):
        generator = np.random.default_rng(number)
        common = generator.exponential(0.5, size=200)
        spread = 0.0 if seeds == 1 else 0.03

        def estimates(offset, generator=generator, common=common, spread=spread):
            own = 0.1 * generator.normal(size=200)
            losses = [np.maximum(0.5 + common + own + offset + spread * generator.normal(), 1e-3) for _ in range(seeds)]
            return [two_columns(np.exp(-loss)) for loss in losses]

        found = compare(BINARY, np.ones(200, int), estimates(0.05), estimates(0.0))
        hits += found["low"] <= 0.05 <= found["high"]
    assert 0.9 <= hits / tries <= 0.995, hits


def test_comparisons_of_rmse_are_paired():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=500)
    shared = generator.normal(size=500)
    a, b = truth + shared, truth + 1.1 * shared
    found = compare(VALUES, truth, [a], [b])
    assert found["difference"] == pytest.approx(VALUES.scores(truth, a)["rmse"] - VALUES.scores(truth, b)["rmse"])
    assert found["low"] < found["difference"] < found["high"] < 0
    back = compare(VALUES, truth, [b], [a])
    assert back["difference"] == pytest.approx(-found["difference"])
    assert back["low"] == pytest.approx(-found["high"])
    assert compare(VALUES, truth, [a], [a]) == {"difference": 0.0, "low": 0.0, "high": 0.0}


def field_of(noises, rows=2000, seed=0, seeds=3):
    """Truth of both parts and candidates with so much noise in their log odds; ``None`` is the constant guess."""
    generator = np.random.default_rng(seed)
    parts = [binary_rows(rows, seed * 2 + 1), binary_rows(rows, seed * 2 + 2)]
    candidates = []
    for rank, (kind, noise) in enumerate(noises.items()):
        estimates = [
            [two_columns(np.full(rows, 0.5))]
            if noise is None
            else [blurred(second, noise, generator) for _ in range(seeds if kind != "trees" else 1)]
            for _, second in parts
        ]
        candidates.append(Candidate(f"the {kind}", kind, rank, *estimates, seconds=1.0))
    return parts[0][0], parts[1][0], candidates


def test_the_simple_model_is_chosen_when_models_are_equal():
    simple = 0
    for seed in range(20):
        verdict = decide(BINARY, *field_of({"constant": None, "linear": 0.3, "trees": 0.3, "deep": 0.3}, seed=seed))
        assert verdict.deep_warranted != "yes"
        simple += verdict.choice == "the linear"
    assert simple >= 17


def test_a_deep_network_is_warranted_when_it_is_clearly_better():
    for seed in range(10):
        verdict = decide(BINARY, *field_of({"constant": None, "linear": 1.5, "trees": 1.2, "deep": 0.1}, seed=seed))
        assert (verdict.choice, verdict.deep_warranted, verdict.signal) == ("the deep", "yes", True)
        assert verdict.depth["other"] == "the trees" and verdict.depth["high"] < 0


def test_boosted_trees_that_win_are_named_with_their_lead():
    verdict = decide(BINARY, *field_of({"constant": None, "linear": 2.0, "trees": 0.1, "deep": 1.5}))
    assert (verdict.choice, verdict.deep_warranted) == ("the trees", "no")
    lead = verdict.scores["the deep"]["test"] - verdict.scores["the trees"]["test"]
    assert f"Boosted trees (the trees) beat the best network, the deep, on test data by {lead:.4g} " in verdict.text


def test_half_of_the_errors_are_worth_having_where_few_are_left():
    generator = np.random.default_rng(0)
    truths = [generator.integers(2, size=rows) for rows in (60, 4_000)]

    def candidate(name, kind, rank, wrong):
        each = [
            two_columns(np.abs(truth - np.where(generator.random(len(truth)) < wrong, 0.9, 0.01))) for truth in truths
        ]
        return Candidate(name, kind, rank, [each[0]], [each[1]], 1.0)

    flat = Candidate("constant", "constant", 0, *([two_columns(np.full(len(one), 0.5))] for one in truths), seconds=0.0)
    verdict = decide(
        BINARY, *truths, [flat, candidate("linear", "linear", 1, 0.015), candidate("deep", "deep", 2, 0.005)]
    )
    assert verdict.choice == "linear" and verdict.depth["high"] < 0
    assert verdict.deep_warranted == "undecided"
    assert not verdict.choice_holds and "deep is the safer one to use" in verdict.text


def test_without_signal_the_verdict_says_so():
    verdict = decide(BINARY, *field_of({"constant": None, "linear": 9.0, "deep": 9.0}))
    assert (verdict.choice, verdict.deep_warranted, verdict.signal) == ("the constant", "no", False)
    assert "no signal" in verdict.text and "sinal" in verdict.text_pt


def test_a_few_rows_do_not_decide():
    verdict = decide(BINARY, *field_of({"constant": None, "linear": 0.6, "deep": 0.3}, rows=60))
    assert verdict.deep_warranted == "undecided"
    assert "do not decide" in verdict.text and "would do" not in verdict.text


def test_a_linear_model_that_does_is_named():
    verdict = decide(BINARY, *field_of({"constant": None, "linear": 0.1, "deep": 0.6}))
    assert verdict.deep_warranted == "no" and "A linear model would do." in verdict.text
    only = decide(BINARY, *field_of({"linear": 0.1}))
    assert only.deep_warranted == "undecided" and only.signal is None and "not both tried" in only.text


def test_figures_of_the_text_stand_in_the_json():
    verdict = decide(BINARY, *field_of({"constant": None, "linear": 0.6, "trees": 0.5, "deep": 0.4}))
    told = json.loads(json.dumps(verdict.to_json(), allow_nan=False))
    for value in (told["depth"]["difference"], told["depth"]["low"], told["depth"]["high"]):
        assert f"{value:.4g}" in told["text"] and f"{value:.4g}".replace(".", ",") in told["text_pt"]
    assert told["rows"] == {"validation": 2000, "test": 2000}
    assert set(told["differences"]) == {one for one in told["scores"] if one != told["best"]}


def test_rows_of_unseen_classes_and_diverged_seeds_are_left_out():
    validation, test, candidates = field_of({"constant": None, "linear": 0.2, "deep": 0.2})
    test = test.copy()
    test[:7] = -1
    candidates[2].validation[0] = np.full_like(candidates[2].validation[0], np.nan)
    lost = Candidate("lost", "deep", 9, [np.full((2000, 2), np.nan)], [np.full((2000, 2), np.nan)], 1.0)
    verdict = decide(BINARY, validation, test, [*candidates, lost])
    assert verdict.left_out == {"validation": 0, "test": 7} and verdict.rows["test"] == 1993
    assert verdict.failed == ["lost"] and verdict.scores["the deep"]["seeds"] == 2
    assert "7 test rows are left out" in verdict.text and "finite: lost" in verdict.text
    assert diagnostics(BINARY, test, candidates[1].test[0])["left_out"] == 7
    with pytest.raises(ValueError, match="nothing to decide"):
        decide(BINARY, validation, test, [lost])
    with pytest.raises(ValueError, match="nothing to decide"):
        decide(BINARY, validation, np.full(2000, -1), candidates)


def test_the_verdict_on_values():
    generator = np.random.default_rng(0)
    truths = [generator.normal(size=800) * 1000 for _ in range(2)]

    def candidate(name, kind, rank, noise):
        made = [[truth + noise * generator.normal(size=800) for _ in range(2)] for truth in truths]
        return Candidate(name, kind, rank, *made, seconds=0.1)

    flat = Candidate("constant", "constant", 0, *([[np.zeros(800)]] * 2), seconds=0.0)
    field = [flat, candidate("perceptron", "linear", 1, 500), candidate("three_layers", "deep", 2, 100)]
    verdict = decide(VALUES, *truths, field)
    assert (verdict.metric, verdict.choice, verdict.deep_warranted) == ("rmse", "three_layers", "yes")
    assert verdict.differences["perceptron"]["difference"] == pytest.approx(400, rel=0.1)


def test_reliability_of_honest_probabilities():
    truth, second = binary_rows(20_000, seed=3)
    points, error = reliability(truth, two_columns(second))
    assert error < 0.02 and sum(point["rows"] for point in points) == 20_000
    _, biased = reliability(truth, two_columns(np.clip(second + 0.2, 0, 1)))
    assert biased == pytest.approx(0.19, abs=0.03)


def test_diagnostics_of_classes():
    generator = np.random.default_rng(0)
    problem = Multiclass({"classes": [f"c{i}" for i in range(15)]})
    truth = generator.integers(12, size=3000)
    shares = generator.dirichlet(np.ones(15), size=3000) + np.eye(15)[truth] * 0.3
    found = diagnostics(problem, truth, shares / shares.sum(1, keepdims=True))
    json.dumps(found, allow_nan=False)
    assert np.sum(found["confusion"]["counts"]) == 3000
    assert np.trace(np.array(found["confusion"]["counts"])) == (shares.argmax(1) == truth).sum()
    assert len(found["roc"]) == len(found["precision_recall"]) == 10
    for curve in found["roc"].values():
        assert len(curve["true_positive_rate"]) <= 200
        area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
        assert 0.7 < area < 1 and curve["false_positive_rate"][-1] == 1
    for curve in found["precision_recall"].values():
        assert len(curve["recall"]) <= 200 and (curve["recall"][0], curve["recall"][-1]) == (1, 0)


def test_diagnostics_of_one_class_have_no_curves():
    found = diagnostics(BINARY, np.zeros(5, int), two_columns(np.full(5, 0.2)))
    assert found["roc"] == {} and found["confusion"]["counts"] == [[5, 0], [0, 0]]


def test_diagnostics_of_values():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=5000)
    found = diagnostics(VALUES, truth, truth + generator.normal(size=5000))
    json.dumps(found, allow_nan=False)
    assert len(found["scatter"]["true"]) == len(found["scatter"]["predicted"]) == 1000
    assert sum(found["residual_histogram"]["counts"]) == 5000
    assert found["residual_quantiles"]["0.95"] == pytest.approx(1.64, abs=0.1)


# --- Metrics that are no mean over rows ---


def rare_rows(rows, seed, mean=-2.0):
    """Truth and true probability, the second class being rare."""
    generator = np.random.default_rng(seed)
    second = 1 / (1 + np.exp(-(mean + 1.5 * generator.normal(size=rows))))
    return (generator.random(rows) < second).astype(int), second


def two_models(rows, seed):
    """Truth, and the estimates of a good and of a worse model that share a part of what they get wrong."""
    truth, second = rare_rows(rows, seed)
    generator = np.random.default_rng(seed + 10**6)
    shared = generator.normal(size=rows)
    logit = np.log(second / (1 - second)) + 0.5 * shared
    good, worse = (logit + noise * generator.normal(size=rows) for noise in (0.3, 1.2))
    return truth, two_columns(1 / (1 + np.exp(-good))), two_columns(1 / (1 + np.exp(-worse)))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "f1", "balanced_accuracy", "accuracy", "brier"])
def test_comparisons_cover_the_true_difference_whatever_the_metric(name):
    """The truth is the difference on very many rows."""
    problem = BINARY.judged_by(name).ruled(np.array([0.25, 0.75])) if name in ("f1", "balanced_accuracy") else None
    problem = problem or BINARY.judged_by(name)
    large, good, worse = two_models(400_000, seed=12_345)
    aim = problem.scores(large, good)[name] - problem.scores(large, worse)[name]
    tries, hits, widths = 120, 0, []
    for seed in range(tries):
        truth, one, other = two_models(300, seed)
        found = compare(problem, truth, [one], [other])
        expected = problem.scores(truth, one)[name] - problem.scores(truth, other)[name]
        assert found["difference"] == pytest.approx(expected)
        hits += found["low"] <= aim <= found["high"]
        widths.append(found["high"] - found["low"])
    assert 0.89 <= hits / tries, (name, hits / tries)
    # Too wide an interval would cover as well: it is to be as narrow as the figures vary.
    spread = np.std([_difference(problem, name, *two_models(300, seed)) for seed in range(tries)])
    assert np.mean(widths) < 1.4 * 2 * 1.96 * spread, name


def _difference(problem, name, truth, one, other):
    return problem.scores(truth, one)[name] - problem.scores(truth, other)[name]


def test_paired_comparisons_of_ranks_are_narrower_than_unpaired_ones():
    truth, good, worse = two_models(500, seed=5)
    problem = BINARY.judged_by("roc_auc")
    found = compare(problem, truth, [good], [worse])
    own = [intervals(problem, truth, [one])["roc_auc"] for one in (good, worse)]
    unpaired = np.hypot(*(one["high"] - one["low"] for one in own))
    assert found["high"] - found["low"] < 0.8 * unpaired
    back = compare(problem, truth, [worse], [good])
    assert (back["low"], back["high"]) == pytest.approx((-found["high"], -found["low"]))
    assert compare(problem, truth, [good], [good]) == {"difference": 0.0, "low": 0.0, "high": 0.0}


def test_each_training_is_judged_by_its_own_rule():
    truth, second = rare_rows(1_000, seed=1)
    plain = BINARY.judged_by("f1")
    eager = plain.ruled(np.array([0.2, 0.8]))
    estimates = two_columns(second)
    found = compare(plain, truth, [estimates], [estimates], problems=([eager], [plain]))
    assert found["difference"] == pytest.approx(
        eager.scores(truth, estimates)["f1"] - plain.scores(truth, estimates)["f1"]
    )
    assert found["low"] > 0
    shown = intervals(plain, truth, [estimates], problems=[eager])
    assert shown["f1"]["value"] == eager.scores(truth, estimates)["f1"]


@pytest.mark.parametrize("name", ["roc_auc", "f1", "accuracy"])
def test_the_verdict_follows_a_metric_of_which_more_is_better(name):
    problem = BINARY.judged_by(name)
    verdict = decide(
        problem, *field_of({"constant": None, "linear": 1.5, "trees": 1.2, "deep": 0.1}, rows=900, seeds=2)
    )
    assert (verdict.metric, verdict.best, verdict.choice, verdict.deep_warranted) == (name, *["the deep"] * 2, "yes")
    assert verdict.scores["the deep"]["test"] > verdict.scores["the trees"]["test"] > 0.5
    assert verdict.depth["difference"] > verdict.depth["low"] > 0
    assert all(one["high"] < 0 for other, one in verdict.differences.items() if other == "the linear")
    assert f"{name} (more is better) is " in verdict.text and "(mais é melhor)" in verdict.text_pt
    lost = decide(problem, *field_of({"constant": None, "linear": 2.0, "trees": 0.1, "deep": 1.5}, rows=900, seeds=2))
    lead = lost.scores["the trees"]["test"] - lost.scores["the deep"]["test"]
    assert f"beat the best network, the deep, on test data by {lead:.4g} (" in lost.text


def test_a_metric_that_the_rows_leave_undefined_does_not_decide():
    validation, test, candidates = field_of({"constant": None, "linear": 0.3, "deep": 0.3}, rows=200)
    verdict = decide(BINARY.judged_by("roc_auc"), np.zeros_like(validation), test, candidates)
    assert verdict.metric == "log_loss"
    assert verdict.text.startswith("roc_auc is not defined on these validation or test rows, so log_loss decides.")


def test_absolute_errors_decide_where_they_are_asked_for():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=400)
    often_right = truth + 5 * (generator.random(400) < 0.05)
    never_right = truth + 0.7 * generator.normal(size=400)
    by_rmse, by_mae = (compare(VALUES.judged_by(name), truth, [often_right], [never_right]) for name in ("rmse", "mae"))
    assert by_rmse["difference"] > 0 > by_mae["high"]
    by_r2 = compare(VALUES.judged_by("r2"), truth, [often_right], [never_right])
    assert by_r2["difference"] < 0


def test_the_trust_that_every_candidate_deserves():
    _, test, candidates = field_of({"constant": None, "linear": 0.1, "deep": 3.0})
    found = trust(BINARY, test, candidates)
    assert set(found) == {"the constant", "the linear", "the deep"}
    assert found["the deep"]["expected_calibration_error"] > found["the linear"]["expected_calibration_error"] > 0
    assert found["the linear"]["brier"] == BINARY.scores(test, candidates[1].test[0])["brier"]
    assert trust(VALUES, np.zeros(3), []) == {}
