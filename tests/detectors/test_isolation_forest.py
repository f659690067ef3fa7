"""The isolation forest is that of scikit-learn, kept as arrays."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from nervura.detectors import detectors
from nervura.detectors.isolation_forest import TREES, cuts


def test_it_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    known, new = draw.normal(size=(300, 3)), draw.normal(size=(50, 3)) * 2
    theirs = IsolationForest(n_estimators=TREES, random_state=4).fit(known)
    assert detectors.load("isolation_forest").fit(known, 4).score(new) == pytest.approx(-theirs.score_samples(new))


def test_the_cuts_that_set_one_of_256_rows_apart_are_those_of_the_paper() -> None:
    # Its equation 1, with the harmonic number as ln(i) + 0.5772156649.
    assert cuts(np.array([1, 2, 256])) == pytest.approx([0, 1, 10.2448], abs=1e-4)
