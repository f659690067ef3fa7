"""The robust Gaussian does not let a crowd of odd rows change it."""

import numpy as np
import pytest
from sklearn.covariance import MinCovDet

from nervura.detectors import detectors


def crowded() -> tuple[np.ndarray, np.ndarray]:
    """Rows of a correlated Gaussian, and a fifth as many that lie together far from them."""
    draw = np.random.default_rng(0)
    usual = draw.multivariate_normal([0, 0, 0], [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], 1000)
    return usual, np.array([8.0, -8.0, 0.0]) + 0.1 * draw.normal(size=(200, 3))


def test_a_crowd_of_odd_rows_is_found_among_those_that_it_learns_from() -> None:
    usual, odd = crowded()
    both = np.vstack([usual, odd])
    fitted = detectors.load("robust_gaussian").fit(both)
    assert fitted.score(odd).min() > fitted.score(usual).max()
    assert np.abs(fitted.arrays()["mean"]).max() < 0.15
    # With all rows counted alike, the crowd moves the middle towards itself.
    assert np.abs(both.mean(0)).max() > 1


def test_rows_are_ranked_as_by_scikit_learns_minimum_covariance_determinant() -> None:
    both = np.vstack(crowded())
    theirs = MinCovDet(support_fraction=0.75, random_state=0).fit(both).mahalanobis(both)
    own = detectors.load("robust_gaussian").fit(both).score(both)
    assert np.corrcoef(np.argsort(np.argsort(own)), np.argsort(np.argsort(theirs)))[0, 1] > 0.99


def test_the_features_shares_sum_to_the_distance() -> None:
    usual, odd = crowded()
    fitted = detectors.load("robust_gaussian").fit(usual)
    assert fitted.shares(odd).sum(1) == pytest.approx(fitted.score(odd))


def test_columns_that_say_the_same_are_no_trouble() -> None:
    usual = crowded()[0]
    twice = np.hstack([usual, usual, np.zeros((len(usual), 1))])
    assert np.isfinite(detectors.load("robust_gaussian").fit(twice).score(twice)).all()
