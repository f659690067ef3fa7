"""The baselines without Keras, on real data that ships with scikit-learn and on corner cases."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from nervura.baselines import boosting, constant, linear
from nervura.encoding import Tensor
from nervura.problems.binary import Binary
from nervura.problems.multiclass import Multiclass
from nervura.problems.regression import Regression

BINARY = Binary({"classes": ["0", "1"]})
VALUES = Regression({"mean": 0.0, "deviation": 1.0})


def numbers(width):
    return [Tensor("numbers", "float32", tuple(f"n{i}" for i in range(width)))]


def halves(load):
    data, target = load(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(target))
    data, target = data[order].astype(np.float32), target[order]
    middle = len(target) // 2
    return (
        ({"numbers": data[:middle]}, target[:middle]),
        ({"numbers": data[middle:]}, target[middle:]),
        numbers(data.shape[1]),
    )


@pytest.mark.parametrize(
    ("problem", "load"),
    [
        (BINARY, load_breast_cancer),
        (Multiclass({"classes": ["a", "b", "c"]}), load_wine),
        (VALUES, load_diabetes),
    ],
    ids=["binary", "multiclass", "regression"],
)
def test_baselines_learn_from_real_tables(problem, load):
    (x, y), (x_test, truth), tensors = halves(load)
    guess = problem.scores(truth, constant(problem, y).estimates(x_test))[problem.metric]
    for make in (boosting, linear):
        fitted = make(problem, tensors, x, y, 0)
        estimates = fitted.estimates(x_test)
        assert estimates.shape == ((len(truth),) if problem is VALUES else (len(truth), len(problem.classes)))
        assert problem.scores(truth, estimates)[problem.metric] < 0.85 * guess
        assert np.array_equal(estimates, make(problem, tensors, x, y, 0).estimates(x_test))


def test_boosting_of_noise_stops_early():
    generator = np.random.default_rng(0)
    x, y = {"numbers": generator.normal(size=(300, 5)).astype(np.float32)}, generator.integers(2, size=300)
    x_test, truth = {"numbers": generator.normal(size=(2000, 5)).astype(np.float32)}, generator.integers(2, size=2000)
    loss = BINARY.scores(truth, boosting(BINARY, numbers(5), x, y).estimates(x_test))["log_loss"]
    assert loss < np.log(2) + 0.06


def mixed(rows, seed=0):
    """Three tensors whose signal is in the second category: even codes are yes."""
    generator = np.random.default_rng(seed)
    x = {
        "numbers": generator.normal(size=(rows, 2)).astype(np.float32),
        "flags": generator.integers(2, size=(rows, 1)).astype(np.float32),
        "categories": np.column_stack([generator.integers(600, size=rows), generator.integers(20, size=rows)]).astype(
            np.int32
        ),
    }
    tensors = [
        *numbers(2),
        Tensor("flags", "float32", ("f",)),
        Tensor("categories", "int32", ("long", "short"), (600, 20)),
    ]
    return x, (x["categories"][:, 1] % 2 == 0).astype(int), tensors


@pytest.mark.parametrize("make", [boosting, linear])
def test_codes_are_categories_and_unseen_ones_are_no_obstacle(make):
    x, y, tensors = mixed(1500)
    fitted = make(BINARY, tensors, x, y)
    x_test, truth, _ = mixed(500, seed=1)
    assert BINARY.scores(truth, fitted.estimates(x_test))["accuracy"] > 0.97
    few = {name: values[:100] for name, values in x.items()}
    assert np.isfinite(make(BINARY, tensors, few, y[:100]).estimates(x_test)).all()


@pytest.mark.parametrize("make", [boosting, linear])
def test_rare_and_missing_classes(make):
    generator = np.random.default_rng(0)
    problem = Multiclass({"classes": ["a", "b", "c", "d"]})
    x = {"numbers": generator.normal(size=(200, 3)).astype(np.float32)}
    y = (x["numbers"][:, 0] > 0).astype(int)
    y[0] = 3  # One row of the last class, none of the third.
    shares = make(problem, numbers(3), x, y).estimates(x)
    assert shares.shape == (200, 4) and (shares[:, 2] == 0).all() and shares.sum(1) == pytest.approx(1)
    lonely = make(problem, numbers(3), x, np.full(200, 2)).estimates(x)
    assert (lonely[:, 2] == 1).all()


@pytest.mark.parametrize("make", [boosting, linear])
@pytest.mark.parametrize("rows", [2, 9])
def test_very_few_rows(make, rows):
    generator = np.random.default_rng(0)
    x = {"numbers": generator.normal(size=(rows, 3)).astype(np.float32)}
    shares = make(BINARY, numbers(3), x, np.arange(rows) % 2).estimates(x)
    assert shares.sum(1) == pytest.approx(1)
    assert np.isfinite(make(VALUES, numbers(3), x, np.arange(rows) * 1.0).estimates(x)).all()


def test_of_many_rows_a_sample_is_used():
    (x, y), (x_test, truth), tensors = halves(load_breast_cancer)
    fitted = boosting(BINARY, tensors, x, y, most_rows=150)
    assert BINARY.scores(truth, fitted.estimates(x_test))["accuracy"] > 0.85
