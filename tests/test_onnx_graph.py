"""Forests as ONNX graphs answer what walking their nodes by hand does."""

from typing import Any

import numpy as np
import pytest

from nervura.onnx_graph import Forest, Graph

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def computed(graph: Graph, **feeds: Any) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(graph.model({}, "").SerializeToString())
    return session.run(None, feeds)


def grown(codes: int, trees: int, seed: int) -> Forest:
    """Trees on two numbers and a code, some of which are a single leaf."""
    draw = np.random.default_rng(seed)
    nodes: list[list[float]] = []
    members: dict[int, np.ndarray] = {}

    def grow(depth: int) -> int:
        place = len(nodes)
        nodes.append([0, 0.0, -1, -1, draw.normal()])
        if depth and draw.random() > 0.2:
            feature = int(draw.integers(3))
            if feature == 2:
                members[place] = draw.choice(codes, size=draw.integers(1, codes), replace=False).astype(float)
            nodes[place][:2] = [feature, draw.normal()]
            nodes[place][2:4] = [grow(depth - 1), grow(depth - 1)]
        return place

    roots = np.array([grow(0 if tree % 5 == 0 else 4) for tree in range(trees)])
    feature, threshold, left, right, value = (np.array(column) for column in zip(*nodes, strict=True))
    targets = np.arange(trees) % 2
    return Forest(
        roots, targets, feature.astype(int), threshold, left.astype(int), right.astype(int), value, members=members
    )


def walked(forest: Forest, rows: np.ndarray) -> np.ndarray:
    sums = np.zeros((len(rows), 2))
    for row, values in enumerate(rows):
        for root, target in zip(forest.roots, forest.targets, strict=True):
            node = int(root)
            while forest.left[node] >= 0:
                value = values[forest.feature[node]]
                members = forest.members.get(node)
                left = value in members if members is not None else value <= forest.threshold[node]
                node = int((forest.left if left else forest.right)[node])
            sums[row, target] += forest.value[node]
    return sums


@pytest.mark.parametrize("codes", [2, 70, 255])
def test_a_forest_sums_the_leaves_that_its_rows_fall_into(codes: int) -> None:
    forest = grown(codes, 30, codes)
    draw = np.random.default_rng(1)
    # Half of the numbers are thresholds, and a few are the next number above one: a float32 could not tell them apart.
    thresholds = draw.choice(forest.threshold, (200, 2))
    numbers = np.where(draw.random((200, 2)) < 0.5, thresholds, np.nextafter(thresholds, np.inf))
    rows = np.column_stack([numbers, draw.integers(0, codes, 200)])
    graph = Graph()
    features = graph.input("x", np.float64, ["rows", 3])
    graph.output("y", graph.forest(features, forest, 2), np.float64, ["rows", 2])
    (found,) = computed(graph, x=rows)
    np.testing.assert_allclose(found, walked(forest, rows), atol=1e-12)
    np.testing.assert_allclose(computed(graph, x=rows[:1])[0], found[:1], atol=1e-12)


def test_arithmetic_and_a_model_set_in() -> None:
    inner = Graph()
    inner.output("twice", inner.input("x", np.float64, ["rows", 2]) * 2.0, np.float64, ["rows", 2])
    graph = Graph()
    x = graph.input("x", np.float64, ["rows", 2])
    (twice,) = graph.embed(inner.model({}, ""), {"x": x})
    graph.output("y", (twice - 1.0).columns([1, 0]).sigmoid().softmax(), np.float64, ["rows", 2])
    graph.output("guess", x.repeated(np.array([0.25, 0.75])), np.float64, ["rows", 2])
    rows = np.array([[0.5, -800.0], [2.0, 3.0]])
    found, guess = computed(graph, x=rows)
    shares = 1 / (1 + np.exp(-np.clip(2 * rows - 1, -700, 700)))[:, ::-1]
    np.testing.assert_allclose(found, np.exp(shares) / np.exp(shares).sum(1, keepdims=True), atol=1e-15)
    np.testing.assert_array_equal(guess, [[0.25, 0.75]] * 2)
