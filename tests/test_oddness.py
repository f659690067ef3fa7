"""Scores become surprises, p-values, alarms and reasons."""

import numpy as np
import polars as pl
import pytest

from nervura import oddness
from nervura.oddness import Surprise


@pytest.mark.parametrize("positive", [True, False])
def test_a_surprise_grows_with_the_score_and_tells_rows_apart_beyond_all_known_ones(positive: bool) -> None:
    scores = np.random.default_rng(0).gamma(2, size=500) - (0 if positive else 1)
    asked = np.linspace(scores.min(), 3 * scores.max(), 400)
    surprise = Surprise.of(scores)
    assert surprise.logarithmic == positive
    found = surprise(asked)
    assert (np.diff(found) >= 0).all()
    assert (np.diff(found[asked > scores.max()]) > 0).all()
    assert Surprise(surprise.ordered, surprise.logarithmic)(asked) == pytest.approx(found)


def test_a_surprise_is_minus_the_logarithm_of_the_share_that_scores_as_high() -> None:
    surprise = Surprise.of(-np.arange(1000.0))
    assert surprise(np.array([-499.5, -249.5])) == pytest.approx([np.log(2), np.log(4)], abs=0.01)


def test_the_tail_of_an_exponential_distribution_is_exponential() -> None:
    # Some below zero, so that the scores themselves and not their logarithms are compared.
    scores = np.random.default_rng(0).exponential(size=20_000) - 0.001
    assert Surprise.of(scores)(np.array([10.0])) == pytest.approx([10.0], rel=0.1)


def test_scores_that_do_not_vary_surprise_nobody() -> None:
    assert np.isfinite(Surprise.of(np.ones(5))(np.array([0.5, 1.0, 2.0]))).all()


def test_p_values_are_shares_of_the_calibration_with_the_row_itself_counted() -> None:
    calibration = np.array([1.0, 2.0, 3.0])
    assert oddness.p_values(np.array([0.0, 2.0, 2.5, 9.0]), calibration).tolist() == [1.0, 0.75, 0.5, 0.25]


def test_no_more_than_the_stated_share_of_usual_rows_raises_an_alarm() -> None:
    # The promise of conformal p-values holds on average over the calibration rows that are drawn.
    draw, level, rates = np.random.default_rng(0), 0.9, []
    for _ in range(300):
        calibration, new = np.sort(draw.normal(size=39)), draw.normal(size=200)
        rates.append((oddness.p_values(new, calibration) <= oddness.alarming(39, level)).mean())
    assert np.mean(rates) == pytest.approx(0.1, abs=0.01)


def test_too_few_rows_raise_the_alarm_at_the_smallest_p_value_that_there_is() -> None:
    assert oddness.alarming(19, 0.99) == pytest.approx(0.05)
    assert oddness.alarming(99, 0.99) == pytest.approx(0.01)


def test_reasons_name_the_columns_that_add_most() -> None:
    parts = np.array([[6.0, 2.0, 1.0, 1.0], [0.0, 0.0, 0.0, 5.0]])
    shares = oddness.shares_of(parts, np.array([0, 0, 1, 2]), 3)
    assert shares == pytest.approx(np.array([[0.8, 0.1, 0.1], [0, 0, 1]]))
    told = oddness.reasons(shares, ["size", "colour", "age"], np.array([[1, 0, -1], [1, 0, -1]]), "|")
    assert told == ["size high 80%|colour 10%|age low 10%", "age low 100%"]


@pytest.mark.parametrize(
    ("labels", "odd"),
    [
        (["a"] * 9 + ["b"], ["b"]),
        (["usual"] * 6 + ["x", "y", "y", None], ["y", "x"]),
        (["a"] * 5, []),
        ([None] * 3, []),
        ([str(value) for value in range(30)], []),
    ],
    ids=["the rarer of two", "all but the commonest", "one alone", "none", "values and no labels"],
)
def test_which_labels_mean_an_anomaly(labels: list[str | None], odd: list[str]) -> None:
    assert oddness.odd_labels(pl.Series("y", labels, dtype=pl.String)) == odd


def test_truth_is_unknown_where_there_is_no_label() -> None:
    found = oddness.truth_of(pl.Series(["a", "b", None]), ["b"], 3)
    assert found[:2].tolist() == [0.0, 1.0] and np.isnan(found[2])
    assert np.isnan(oddness.truth_of(None, ["b"], 2)).all()


def test_agreement_is_one_with_oneself() -> None:
    own = np.random.default_rng(0).normal(size=100)
    found = oddness.agreement({"same": 3 * own, "opposite": -own}, own, 0.05)
    assert found["same"] == pytest.approx((1.0, 1.0))
    assert found["opposite"] == pytest.approx((-1.0, 0.0))
    assert oddness.agreement({"constant": np.zeros(100)}, own, 0.05)["constant"][0] == 0
