"""CatBoost beside scikit-learn's trees."""

import numpy as np
import pytest

from nervura.baselines import baselines
from nervura.encoding import Tensor
from nervura.problems.regression import Regression

pytest.importorskip("catboost")


def test_of_large_tables_one_model_is_fitted() -> None:
    catboost = baselines.load("catboost")
    assert catboost.models(3_200, 14, 1) == 5
    assert catboost.models(3_200, 16, 26) == 1
    assert catboost.models(40_000, 14, 1) == 1


def test_it_leaves_no_files_where_it_runs(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    x = {"categories": np.arange(300, dtype=np.int32)[:, None] % 5}
    tensors = [Tensor("categories", "int32", ("c",), (5,))]
    problem = Regression({"mean": 0.0, "deviation": 1.0})
    estimates = baselines.load("catboost").fit(problem, tensors, (x, x["categories"][:, 0] * 1.0)).estimates(x)
    assert np.corrcoef(estimates, x["categories"][:, 0])[0, 1] > 0.8
    assert list(tmp_path.iterdir()) == []
