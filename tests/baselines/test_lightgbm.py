"""LightGBM beside scikit-learn's trees."""

import importlib.util

import numpy as np
import pytest

from nervura.baselines import base, baselines

pytest.importorskip("lightgbm")

from nervura.encoding import Tensor  # noqa: E402
from nervura.problems.binary import Binary  # noqa: E402

BINARY = Binary({"classes": ["0", "1"]})


def test_its_file_is_that_of_lightgbm_alone(tmp_path) -> None:
    import lightgbm

    draw = np.random.default_rng(0)
    x = {"numbers": draw.normal(size=(500, 3)).astype(np.float32)}
    y = (x["numbers"][:, 0] + draw.normal(size=500) > 0).astype(int)
    tensors = [Tensor("numbers", "float32", ("a", "b", "c"))]
    fitted = baselines.load("lightgbm").fit(BINARY, tensors, (x, y))
    fitted.write(tmp_path)
    booster = lightgbm.Booster(model_file=str(tmp_path / "lightgbm.txt"))
    assert np.array_equal(booster.predict(x["numbers"].astype(np.float64)), fitted.estimates(x)[:, 1])


def test_without_the_package_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(base, "find_spec", lambda name: None if name == "lightgbm" else find(name))
    assert baselines.load("lightgbm").missing() == [("lightgbm", "trees")]
    assert baselines.load("boosting").missing() == []
