"""ECOD sums the surprise at each value."""

import numpy as np
import pytest

from nervura.detectors import detectors


def test_the_surprise_is_minus_the_logarithm_of_the_tail() -> None:
    known = np.arange(1.0, 100.0)[:, None]
    fitted = detectors.load("ecod").fit(known)
    # 10 of 100 values, the row itself counted, are as small as 9.
    assert fitted.score(np.array([[9.0]])) == pytest.approx(-np.log(0.10))
    assert fitted.score(np.array([[1000.0]])) == pytest.approx(-np.log(0.01))
    assert fitted.score(np.array([[50.0]])) == pytest.approx(-np.log(0.50), abs=0.02)


def test_columns_add_up_and_the_long_tail_has_its_own_sum() -> None:
    known = np.random.default_rng(0).exponential(size=(999, 2)) * [1, -1]
    fitted = detectors.load("ecod").fit(known)
    assert fitted.arrays()["skewed_left"].tolist() == [False, True]
    # Far out in both long tails, which lie on opposite sides: neither one-sided sum sees both.
    assert fitted.score(np.array([[50.0, -50.0]])) == pytest.approx(-2 * np.log(1 / 1000))
