"""The constant guess."""

import numpy as np

from nervura.baselines import baselines
from nervura.problems.binary import Binary
from nervura.problems.regression import Regression

X = {"numbers": np.zeros((4, 1), dtype=np.float32)}


def test_it_gives_the_mean_or_the_shares() -> None:
    constant = baselines.load("constant")
    shares = constant.fit(Binary({"classes": ["no", "yes"]}), [], (X, np.array([0, 1, 1, 1]))).estimates(X)
    assert shares.tolist() == [[0.25, 0.75]] * 4
    values = constant.fit(Regression({"mean": 0.0, "deviation": 1.0}), [], (X, np.array([1.0, 2.0, 3.0, 6.0])))
    assert values.estimates(X).tolist() == [3.0] * 4
