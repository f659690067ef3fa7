"""The linear model gives what scikit-learn gives."""

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nervura.baselines import baselines
from nervura.encoding import Tensor
from nervura.problems.binary import Binary
from nervura.problems.multiclass import Multiclass
from nervura.problems.regression import Regression


@pytest.mark.parametrize(
    ("problem", "load"),
    [
        (Binary({"classes": ["0", "1"]}), load_breast_cancer),
        (Multiclass({"classes": ["a", "b", "c"]}), load_wine),
        (Regression({"mean": 0.0, "deviation": 1.0}), load_diabetes),
    ],
    ids=["binary", "multiclass", "regression"],
)
def test_it_is_that_of_scikit_learn(problem, load) -> None:
    data, y = load(return_X_y=True)
    data = data.astype(np.float32)
    codes = (np.arange(len(y)) % 7).astype(np.int32)[:, None]
    x = {"numbers": data, "categories": codes}
    tensors = [
        Tensor("numbers", "float32", tuple(map(str, range(data.shape[1])))),
        Tensor("categories", "int32", ("c",), (7,)),
    ]
    estimates = baselines.load("linear").fit(problem, tensors, (x, y)).estimates(x)
    width = data.shape[1]
    columns = make_column_transformer((StandardScaler(), list(range(width))), (OneHotEncoder(), [width]))
    classifies = problem.supervised_by == "classifier"
    model = make_pipeline(columns, LogisticRegression(max_iter=2_000) if classifies else Ridge())
    both = np.hstack([data.astype(np.float64), codes])
    model.fit(both, y)
    wanted = model.predict_proba(both) if classifies else model.predict(both)
    assert estimates == pytest.approx(wanted, rel=1e-2, abs=2e-3)


def test_many_rows_are_taken_in_parts_to_the_same_estimates(monkeypatch) -> None:
    data, y = load_breast_cancer(return_X_y=True)
    tensors = [Tensor("numbers", "float32", tuple(map(str, range(data.shape[1]))))]
    problem, x = Binary({"classes": ["0", "1"]}), {"numbers": data.astype(np.float32)}
    whole = baselines.load("linear").fit(problem, tensors, (x, y)).estimates(x)
    monkeypatch.setattr("nervura.baselines.linear.ROWS_AT_ONCE", 100)
    assert baselines.load("linear").fit(problem, tensors, (x, y)).estimates(x) == pytest.approx(whole, abs=1e-9)
