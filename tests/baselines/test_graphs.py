"""Every baseline as an ONNX graph estimates as it does itself, whatever tensors a table has."""

from typing import Any

import numpy as np
import pytest

from nervura.baselines import baselines
from nervura.baselines.base import Fitted, X
from nervura.encoding import Tensor
from nervura.onnx_graph import Graph
from nervura.problems import problems
from nervura.problems.base import Problem

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

FLOATS = {"float32": np.float32, "int32": np.int32}


def computed(fitted: Fitted, tensors: list[Tensor], x: X) -> np.ndarray:
    graph = Graph()
    inputs = {one.name: graph.input(one.name, FLOATS[one.dtype], ["rows", one.width]) for one in tensors}
    graph.output("estimates", fitted.graph(inputs), np.float64, ["rows", None])
    session = onnxruntime.InferenceSession(graph.model({}, "").SerializeToString())
    return session.run(None, {name: x[name] for name in inputs})[0]


def table(sizes: tuple[int, ...], numbers: int, flags: int) -> list[Tensor]:
    found = []
    if numbers:
        found.append(Tensor("numbers", "float32", tuple(f"n{i}" for i in range(numbers))))
    if flags:
        found.append(Tensor("flags", "float32", tuple(f"f{i}" for i in range(flags))))
    if sizes:
        found.append(Tensor("categories", "int32", tuple(f"c{i}" for i in range(len(sizes))), sizes))
    return found


def rows_of(tensors: list[Tensor], rows: int, seed: int, seen: bool) -> X:
    """Encoded rows; codes of the upper half are there only where rows need not have been ``seen``."""
    draw = np.random.default_rng(seed)
    made: X = {}
    for tensor in tensors:
        if tensor.name == "categories":
            most = [size // 2 + 1 if seen and size > 6 else size for size in tensor.sizes]
            made[tensor.name] = np.column_stack([draw.integers(0, size, rows) for size in most]).astype(np.int32)
        elif tensor.name == "flags":
            made[tensor.name] = draw.choice([0.0, 0.5, 1.0], (rows, tensor.width)).astype(np.float32)
        else:
            made[tensor.name] = draw.normal(size=(rows, tensor.width)).round(2).astype(np.float32)
    return made


def score_of(x: X) -> np.ndarray:
    codes = x.get("categories", np.ones((len(next(iter(x.values()))), 1)))
    parts = [np.sin(3 * values.astype(float)).sum(1) for name, values in x.items() if name != "categories"]
    return np.sum([(codes % 3 - 1).sum(1), *parts], axis=0)


TABLES = {
    "numbers alone": table((), 3, 0),
    "levels alone": table((4, 30), 0, 0),
    "levels combined": table((3, 4, 12), 2, 2),
    "levels taken one by one": table((4,) * 9 + (40,), 1, 0),
    "more levels than trees split among": table((300, 5), 1, 0),
}

CODINGS: dict[str, dict[str, Any]] = {
    "binary": {"classes": ["a", "b"]},
    "multiclass": {"classes": ["a", "b", "c", "d"]},
    "regression": {"mean": 10.0, "deviation": 5.0},
}


def target(problem: str, x: X) -> np.ndarray:
    score = score_of(x) + np.random.default_rng(9).normal(0, 0.2, len(next(iter(x.values()))))
    if problem == "regression":
        return 5 * score + 10
    # Of four classes the second has no row to learn from.
    cuts = [0.0] if problem == "binary" else [-0.5, 0.5]
    codes = np.searchsorted(cuts, score)
    return codes if problem == "binary" else np.array([0, 2, 3])[codes]


OF_TABLES = [baseline.name for baseline in baselines if baseline.needs is None]


@pytest.mark.parametrize("shape", TABLES)
@pytest.mark.parametrize("problem", CODINGS)
@pytest.mark.parametrize("name", OF_TABLES)
def test_the_graph_of_a_baseline_estimates_like_it(name: str, problem: str, shape: str) -> None:
    baseline = baselines.load(name)
    for package, _ in baseline.missing():
        pytest.importorskip(package)
    asked: Problem = type(problems.load(problem))(CODINGS[problem])
    tensors = TABLES[shape]
    x = rows_of(tensors, 600, 0, seen=True)
    fitted = baseline.fit(asked, tensors, (x, target(problem, x)), folds=np.arange(600) % 5, models=1)
    new = rows_of(tensors, 300, 1, seen=False)
    expected = fitted.estimates(new)
    found = computed(fitted, tensors, new)
    unit = CODINGS[problem].get("deviation", 1.0)
    np.testing.assert_allclose(found, expected.reshape(found.shape), rtol=0, atol=1e-9 * unit)
    np.testing.assert_allclose(
        computed(fitted, tensors, {key: values[:1] for key, values in new.items()}), found[:1], atol=1e-9 * unit
    )
    if name != "constant":
        assert np.ptp(found) > 0


def test_one_value_alone_is_guessed_by_all() -> None:
    asked = type(problems.load("binary"))(CODINGS["binary"])
    tensors = TABLES["numbers alone"]
    x = rows_of(tensors, 30, 0, seen=True)
    for baseline in map(baselines.load, OF_TABLES):
        if not baseline.missing():
            fitted = baseline.fit(asked, tensors, (x, np.ones(30, dtype=int)))
            np.testing.assert_array_equal(computed(fitted, tensors, x), fitted.estimates(x))
