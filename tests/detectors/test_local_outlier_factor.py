"""The local outlier factor is that of scikit-learn."""

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from nervura.detectors import detectors


def test_it_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    known, new = draw.normal(size=(200, 3)), draw.normal(size=(50, 3)) * 2
    theirs = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(known)
    assert detectors.load("local_outlier_factor").fit(known).score(new) == pytest.approx(-theirs.score_samples(new))


def test_rows_of_an_even_density_have_a_factor_of_one() -> None:
    # The paper's lemma: deep inside a uniform cluster the factor is about 1.
    grid = np.stack(np.meshgrid(*[np.arange(30.0)] * 2), axis=-1).reshape(-1, 2)
    middle = np.array([[15.0, 15.0]])
    assert detectors.load("local_outlier_factor").fit(grid).score(middle)[0] == pytest.approx(1, abs=0.05)
