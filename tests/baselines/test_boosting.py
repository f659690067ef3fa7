"""Scikit-learn's boosted trees as arrays."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from nervura.baselines import baselines
from nervura.baselines.boosting import Codes, Trees, grow
from nervura.encoding import Tensor
from nervura.problems.binary import Binary
from nervura.problems.multiclass import Multiclass
from nervura.problems.regression import Regression

BINARY = Binary({"classes": ["0", "1"]})


def numbers(width: int) -> list[Tensor]:
    return [Tensor("numbers", "float32", tuple(f"n{i}" for i in range(width)))]


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_the_arrays_answer_as_scikit_learn_does(kind: str) -> None:
    """With missing numbers, categories split as sets, and codes that training lacked."""
    draw = np.random.default_rng(0)
    tensors = [*numbers(2), Tensor("categories", "int32", ("long", "short"), (600, 40))]

    def rows(count: int) -> dict[str, np.ndarray]:
        values = draw.normal(size=(count, 2)).astype(np.float32)
        values[draw.random(values.shape) < 0.2] = np.nan
        codes = np.column_stack([draw.integers(600, size=count), draw.integers(2, 40, size=count)])
        return {"numbers": values, "categories": codes.astype(np.int32)}

    x, x_test = rows(2_000), rows(500)
    x_test["categories"][:50, 1] = [0, 1] * 25  # not seen in training
    signal = np.sin(x["categories"][:, 1] * 7.0) + np.nan_to_num(x["numbers"][:, 0])
    classes = kind != "regression"
    y = {"binary": signal > 0, "multiclass": np.digitize(signal, [-0.5, 0.5]), "regression": signal}[kind]
    y = y.astype(int) if classes else y
    problem = {
        "binary": BINARY,
        "multiclass": Multiclass({"classes": ["a", "b", "c"]}),
        "regression": Regression({"mean": 0.0, "deviation": 1.0}),
    }[kind]

    def matrix(given: dict[str, np.ndarray]) -> np.ndarray:
        return np.hstack([given["numbers"], given["categories"]]).astype(np.float64)

    marks = [False, False, False, True]  # six hundred codes are taken as ranks
    sort = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    model = sort(max_iter=40, categorical_features=marks, early_stopping=False, random_state=0).fit(matrix(x), y)
    codes = Codes.of(tensors, x)
    own = sort(max_iter=40, categorical_features=codes.marks, early_stopping=False, random_state=0)
    trees = Trees.of(own.fit(codes.design(x), y), problem, codes, 40)
    assert (trees.arrays["set"] >= 0).any() and len(trees.arrays["sets"]) > 10
    wanted = model.predict_proba(matrix(x_test)) if classes else model.predict(matrix(x_test))
    assert np.abs(trees.estimates(x_test) - wanted).max() <= 1e-12


def test_rows_and_trees_are_walked_through_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    x = {"numbers": draw.normal(size=(300, 3)).astype(np.float32)}
    fitted = grow(BINARY, numbers(3), (x, (x["numbers"][:, 0] > 0).astype(int)), max_iter=20)
    whole = fitted.estimates(x)
    monkeypatch.setattr("nervura.baselines.boosting.CELLS", 70)
    assert np.array_equal(fitted.estimates(x), whole)


def test_noise_stops_early() -> None:
    draw = np.random.default_rng(0)
    x, y = {"numbers": draw.normal(size=(300, 5)).astype(np.float32)}, draw.integers(2, size=300)
    x_test, truth = {"numbers": draw.normal(size=(2000, 5)).astype(np.float32)}, draw.integers(2, size=2000)
    fitted = baselines.load("boosting").fit(BINARY, numbers(5), (x, y))
    assert BINARY.scores(truth, fitted.estimates(x_test))["log_loss"] < np.log(2) + 0.06
