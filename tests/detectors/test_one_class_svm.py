"""The one-class machine is that of scikit-learn."""

import numpy as np
import pytest
from sklearn.svm import OneClassSVM

from nervura.detectors import detectors


def test_it_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    known, new = draw.normal(size=(200, 3)), draw.normal(size=(50, 3)) * 2
    theirs = OneClassSVM(gamma="scale").fit(known)
    assert detectors.load("one_class_svm").fit(known).score(new) == pytest.approx(-theirs.score_samples(new))
