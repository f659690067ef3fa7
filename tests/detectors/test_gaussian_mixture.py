"""The mixture is that of scikit-learn."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from nervura.detectors import detectors
from nervura.detectors.gaussian_mixture import GaussianMixtureFit


def test_it_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    known, new = draw.normal(size=(300, 3)), draw.normal(size=(50, 3)) * 2
    theirs = GaussianMixture(5, reg_covar=1e-2, random_state=0, max_iter=50).fit(known)
    assert detectors.load("gaussian_mixture").fit(known).score(new) == pytest.approx(-theirs.score_samples(new))


def test_one_gaussian_is_the_normal_density() -> None:
    fitted = GaussianMixtureFit(np.ones(1), np.array([[1.0, 2.0]]), np.linalg.cholesky(np.diag([1.0, 0.25]))[None])
    new = np.array([[0.0, 0.0], [1.0, 3.0]])
    assert fitted.score(new) == pytest.approx(-multivariate_normal([1, 2], np.diag([1, 4])).logpdf(new))


def test_few_rows_have_fewer_gaussians() -> None:
    fitted = detectors.load("gaussian_mixture").fit(np.random.default_rng(0).normal(size=(45, 2)))
    assert len(fitted.arrays()["weights"]) == 2
