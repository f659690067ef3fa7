"""What all baselines do, on real data that ships with scikit-learn and on corner cases."""

import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from nervura.baselines import baselines
from nervura.baselines.base import Bag, Guess, Rows, chosen, held_out
from nervura.encoding import Tensor
from nervura.problems.base import Problem
from nervura.problems.binary import Binary
from nervura.problems.multiclass import Multiclass
from nervura.problems.regression import Regression

BINARY = Binary({"classes": ["0", "1"]})
THREE = Multiclass({"classes": ["a", "b", "c"]})
VALUES = Regression({"mean": 0.0, "deviation": 1.0})
INSTALLED = [one.name for one in baselines if one.needs is None and not one.missing()]
LEARNING = [name for name in INSTALLED if name != "constant"]
TREES = [name for name in LEARNING if name != "linear"]


def numbers(width: int) -> list[Tensor]:
    return [Tensor("numbers", "float32", tuple(f"n{i}" for i in range(width)))]


def halves(load) -> tuple[Rows, Rows, list[Tensor]]:
    data, target = load(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(target))
    data, target = data[order].astype(np.float32), target[order]
    middle = len(target) // 2
    return (
        ({"numbers": data[:middle]}, target[:middle]),
        ({"numbers": data[middle:]}, target[middle:]),
        numbers(data.shape[1]),
    )


def mixed(rows: int, seed: int = 0, gaps: float = 0.0) -> tuple[Rows, list[Tensor]]:
    """Three tensors whose signal is in the second category: even codes are yes."""
    draw = np.random.default_rng(seed)
    x = {
        "numbers": draw.normal(size=(rows, 2)).astype(np.float32),
        "flags": draw.integers(2, size=(rows, 1)).astype(np.float32),
        "categories": np.column_stack([draw.integers(600, size=rows), draw.integers(20, size=rows)]).astype(np.int32),
    }
    x["numbers"][draw.random(x["numbers"].shape) < gaps] = np.nan
    tensors = [
        *numbers(2),
        Tensor("flags", "float32", ("f",)),
        Tensor("categories", "int32", ("long", "short"), (600, 20)),
    ]
    return (x, (x["categories"][:, 1] % 2 == 0).astype(int)), tensors


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize(
    ("problem", "load"),
    [(BINARY, load_breast_cancer), (THREE, load_wine), (VALUES, load_diabetes)],
    ids=["binary", "multiclass", "regression"],
)
def test_they_learn_from_real_tables(name: str, problem: Problem, load) -> None:
    rows, (x_test, truth), tensors = halves(load)
    guess = baselines.load("constant").fit(problem, tensors, rows).estimates(x_test)
    estimates = baselines.load(name).fit(problem, tensors, rows).estimates(x_test)
    assert estimates.shape == guess.shape
    assert problem.scores(truth, estimates)[problem.metric] < 0.85 * problem.scores(truth, guess)[problem.metric]


@pytest.mark.parametrize("name", TREES)
def test_bagged_trees_answer_by_their_mean_or_without_a_fold(name: str) -> None:
    rows, (x_test, truth), tensors = halves(load_breast_cancer)
    folds = np.arange(len(rows[1])) % 5
    bag = baselines.load(name).fit(BINARY, tensors, rows, folds=folds, models=3)
    assert isinstance(bag, Bag)
    each = [model.estimates(x_test) for model in bag.models]
    assert len(each) == 3 and not np.array_equal(each[0], each[1])
    assert np.allclose(bag.estimates(x_test), np.mean(each, axis=0), atol=1e-15)
    assert np.array_equal(bag.estimates(x_test, without=1), each[1])
    assert BINARY.scores(truth, bag.estimates(x_test))["log_loss"] < 0.2


@pytest.mark.parametrize("name", TREES)
def test_a_model_of_a_bag_learns_from_all_folds_but_its_own_and_stops_on_that(name: str) -> None:
    rows, (x_test, _), tensors = halves(load_diabetes)
    out = np.arange(len(rows[1])) % 5 == 1
    baseline = baselines.load(name)
    bag = baseline.fit(VALUES, tensors, rows, folds=np.arange(len(out)) % 5, models=2)
    alone = baseline.learn(VALUES, tensors, chosen(rows, ~out), chosen(rows, out), 0)
    assert np.array_equal(bag.estimates(x_test, without=1), alone.estimates(x_test))


@pytest.mark.parametrize("name", LEARNING)
def test_codes_are_categories_and_unseen_ones_are_no_obstacle(name: str) -> None:
    rows, tensors = mixed(1500)
    (x_test, truth), _ = mixed(500, seed=1)
    fitted = baselines.load(name).fit(BINARY, tensors, rows)
    assert BINARY.scores(truth, fitted.estimates(x_test))["accuracy"] > 0.97
    few = chosen(rows, np.arange(100))
    assert np.isfinite(baselines.load(name).fit(BINARY, tensors, few).estimates(x_test)).all()


@pytest.mark.parametrize("folds", [False, True], ids=["alone", "bagged"])
@pytest.mark.parametrize("name", LEARNING)
def test_rare_and_missing_classes(name: str, folds: bool) -> None:
    draw = np.random.default_rng(0)
    problem = Multiclass({"classes": ["a", "b", "c", "d"]})
    x = {"numbers": draw.normal(size=(200, 3)).astype(np.float32)}
    y = (x["numbers"][:, 0] > 0).astype(int)
    y[0] = 3  # One row of the last class, none of the third; the model that leaves it out knows two.
    how = {"folds": np.arange(200) % 5, "models": 2} if folds else {}
    shares = baselines.load(name).fit(problem, numbers(3), (x, y), **how).estimates(x)
    assert shares.shape == (200, 4) and (shares[:, 2] == 0).all() and shares.sum(1) == pytest.approx(1)
    assert (shares[:, 3] > 0).all()
    lonely = baselines.load(name).fit(problem, numbers(3), (x, np.full(200, 2)), **how).estimates(x)
    assert (lonely[:, 2] == 1).all()


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("rows", [2, 9])
def test_very_few_rows(name: str, rows: int) -> None:
    x = {"numbers": np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)}
    shares = baselines.load(name).fit(BINARY, numbers(3), (x, np.arange(rows) % 2)).estimates(x)
    assert shares.sum(1) == pytest.approx(1)
    assert np.isfinite(baselines.load(name).fit(VALUES, numbers(3), (x, np.arange(rows) * 1.0)).estimates(x)).all()


@pytest.mark.parametrize("name", LEARNING)
def test_columns_that_all_say_the_same_give_the_constant_guess(name: str) -> None:
    x = {"numbers": np.ones((60, 2), dtype=np.float32)}
    y = (np.arange(60) % 3 == 0).astype(int)
    assert baselines.load(name).fit(BINARY, numbers(2), (x, y)).estimates(x)[:, 1] == pytest.approx(1 / 3, abs=0.02)


READ = """
import json, sys
from pathlib import Path
import numpy as np
from nervura.baselines import baselines
from nervura.encoding import Tensor
from nervura.problems import problems
for folder in map(Path, sys.argv[1:]):
    name, problem, coding, bare = json.loads((folder / "told.json").read_text())
    tensors = [Tensor(n, d, tuple(f), tuple(s)) for n, d, f, s in bare]
    fitted = baselines.load(name).read(folder / "model", type(problems.load(problem))(coding), tensors)
    with np.load(folder / "x.npz") as kept:
        x = {key: kept[key] for key in kept.files}
    np.save(folder / "again.npy", fitted.estimates(x))
"""


def test_written_and_read_in_a_fresh_process_they_answer_the_same(tmp_path) -> None:
    """With categories, codes that training lacked and, for trees, missing numbers."""
    wanted = {}
    for name in INSTALLED:
        rows, tensors = mixed(400, gaps=0.0 if name == "linear" else 0.2)
        (x_test, _), _ = mixed(300, seed=1, gaps=0.0 if name == "linear" else 0.2)
        x_test["categories"][:20, 1] = 25
        first = np.nan_to_num(rows[0]["numbers"][:, 0])
        for problem, y in ((BINARY, rows[1]), (THREE, rows[1] + (first > 0.5)), (VALUES, rows[1] + first)):
            folds = np.arange(400) % 5
            fitted = baselines.load(name).fit(problem, tensors, (rows[0], y), folds=folds, models=2)
            folder = tmp_path / f"{name}-{problem.name}"
            wanted[folder] = fitted.estimates(x_test)
            (folder / "model").mkdir(parents=True)
            fitted.write(folder / "model")
            np.savez(folder / "x.npz", **x_test)
            bare = [[t.name, t.dtype, t.features, t.sizes] for t in tensors]
            (folder / "told.json").write_text(json.dumps([name, problem.name, problem.coding, bare]))
    subprocess.run([sys.executable, "-c", READ, *map(str, wanted)], check=True)
    for folder, estimates in wanted.items():
        assert np.abs(np.load(folder / "again.npy") - estimates).max() <= 1e-12, folder.name


def test_a_guess_stands_for_a_target_that_does_not_vary(tmp_path) -> None:
    fitted = baselines.load("boosting").fit(VALUES, numbers(1), ({"numbers": np.eye(3)[:, :1]}, np.full(3, 2.5)))
    assert isinstance(fitted, Guess)
    fitted.write(tmp_path)
    again = baselines.load("boosting").read(tmp_path, VALUES, numbers(1))
    assert again.estimates({"numbers": np.zeros((2, 1))}).tolist() == [2.5, 2.5]


def test_of_each_class_a_fifth_is_held_out_but_of_rare_ones_none() -> None:
    labels = np.array([0] * 50 + [1] * 20 + [2] * 4)
    pairs = list(held_out(labels, 0, 5))
    assert len(pairs) == 5
    assert np.array_equal(np.sort(np.concatenate([held for _, held in pairs])), np.arange(70))
    for kept, held in pairs:
        assert np.bincount(labels[held]).tolist() == [10, 4]
        assert len(np.intersect1d(kept, held)) == 0 and len(kept) + len(held) == 74
