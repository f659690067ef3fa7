"""Probabilities that come true, and intervals and sets that hold what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from nervura.calibration import SHARPER_TOGETHER, calibrate, conformal_bound, coverage, temperature
from nervura.problems import problems
from nervura.problems.base import Problem


def binary() -> Problem:
    return type(problems.load("binary"))({"classes": ["no", "yes"]})


def answered(rows: int, seed: int, sureness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Outputs whose logits are ``sureness`` times those that the truth is drawn from."""
    draw = np.random.default_rng(seed)
    logits = 2 * draw.normal(size=rows)
    truth = (draw.random(rows) < expit(logits)).astype("float32")
    return expit(sureness * logits)[:, None].astype("float32"), truth


@pytest.mark.parametrize("sureness", [0.5, 1.0, 2.0])
def test_the_temperature_undoes_how_sure_a_network_is(sureness: float) -> None:
    assert temperature(binary(), *answered(20_000, 0, sureness)) == pytest.approx(sureness, rel=0.05)


def test_rows_that_are_all_right_do_not_make_a_network_far_too_sure() -> None:
    truth = (np.arange(200) % 2).astype("float32")
    outputs = np.where(truth == 1, 0.97, 0.03)[:, None].astype("float32")
    assert 0.6 < temperature(binary(), outputs, truth) < 1.0


def test_few_rows_give_no_temperature() -> None:
    assert temperature(binary(), *answered(20, 0, 3.0)) == 1.0


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.floats(0.5, 0.99), st.integers(0, 2**20))
def test_the_bound_is_the_least_that_holds_the_level(rows: int, level: float, seed: int) -> None:
    strangeness = np.random.default_rng(seed).random(rows)
    bound = conformal_bound(strangeness, level)
    if bound is None:
        assert (rows + 1) * level > rows
    else:
        assert (strangeness <= bound).sum() >= (rows + 1) * level - 1e-9
        assert (strangeness < bound).sum() < (rows + 1) * level


@pytest.mark.parametrize("groups", [1, 5])
def test_sets_hold_the_level_on_new_rows(groups: int) -> None:
    problem = calibrate(binary(), answered(4_000, 1, 2.0), answered(4_000, 2, 2.0), 0.9, groups)
    outputs, truth = answered(20_000, 3, 2.0)
    # The mean of several groups is less sure than each: as much less as the temperature is lower.
    together = expit(logit(outputs.astype(float)) * (SHARPER_TOGETHER if groups > 1 else 1.0))
    held = coverage(problem, truth.astype(int), problem.estimates(together))
    assert held is not None and held["coverage"] == pytest.approx(0.9, abs=0.015)


def test_the_mean_of_groups_is_made_surer_than_one_of_them() -> None:
    rows = answered(4_000, 1), answered(4_000, 2)
    one, five = (calibrate(binary(), *rows, 0.9, groups).coding for groups in (1, 5))
    assert five["temperature"] == pytest.approx(SHARPER_TOGETHER * one["temperature"])
    assert five["conformal"] == one["conformal"]
