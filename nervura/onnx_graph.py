"""ONNX graphs from Python expressions: nodes, constants, forests, and other models set in. It knows no run.

The operators are those that ONNX Runtime computes in float64, so that a graph answers as the run does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx

OPSET, TREES_OPSET, FORMAT = 18, 5, 10
"""Versions of the operators, of those for trees (the first with float64 throughout) and of the file."""

AT_MOST, MEMBER = 0, 6
"""Kinds of splits, as ``TreeEnsemble`` numbers them."""


@dataclass(frozen=True)
class Value:
    """A tensor of a graph; arithmetic with it adds nodes. Numbers become constants of its own type, float64."""

    graph: Graph
    name: str

    def __add__(self, other: Value | Any) -> Value:
        return self.op("Add", self, other)

    def __sub__(self, other: Value | Any) -> Value:
        return self.op("Sub", self, other)

    def __mul__(self, other: Value | Any) -> Value:
        return self.op("Mul", self, other)

    def __truediv__(self, other: Value | Any) -> Value:
        return self.op("Div", self, other)

    def __matmul__(self, other: Value | Any) -> Value:
        return self.op("MatMul", self, other)

    def op(self, kind: str, *inputs: Value | Any, **attributes: Any) -> Value:
        """The first output of an operator."""
        return self.graph.op(kind, *inputs, **attributes)

    def cast(self, dtype: type) -> Value:
        import onnx

        return self.op("Cast", self, to=onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def columns(self, places: Sequence[int] | np.ndarray) -> Value:
        """Some columns of (rows, columns), in the order given."""
        return self.op("Gather", self, np.asarray(places, dtype=np.int64), axis=1)

    def sum(self) -> Value:
        """(rows, columns) -> (rows, 1)"""
        return self.op("ReduceSum", self, np.array([1]), keepdims=1)

    def flat(self) -> Value:
        """(rows, 1) -> (rows,)"""
        return self.op("Reshape", self, np.array([-1]))

    def sigmoid(self) -> Value:
        return self.graph.constant(1.0) / ((self * -1.0).op("Exp", self * -1.0) + 1.0)

    def softmax(self) -> Value:
        return self.op("Softmax", self, axis=1)

    def is_nan(self) -> Value:
        return self.op("IsNaN", self)

    def repeated(self, row: np.ndarray) -> Value:
        """A constant row (columns,) as often as this tensor has rows: (rows, columns)."""
        rows = self.op("Shape", self, start=0, end=1)
        shape = self.op("Concat", rows, np.array([len(row)]), axis=0)
        return self.op("Expand", np.asarray(row)[None], shape)


@dataclass(frozen=True)
class Forest:
    """Trees as arrays over the nodes of all of them; a leaf has no ``left`` child (-1).

    A row goes left where its feature is at most the threshold or, of a node with ``members``, is one of them. A tree's
    leaf is added to the output that ``targets`` names.

    Attributes:
        roots, targets: of each tree its first node, and its output (trees,).
        members: the codes that go left, by node.
    """

    roots: np.ndarray
    targets: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    members: dict[int, np.ndarray] = field(default_factory=dict)


class Graph:
    """An ONNX graph that grows by calls. Names that begin with a slash are its own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._count = 0

    def _name(self, what: str) -> str:
        self._count += 1
        return f"/{what}_{self._count}"

    def constant(self, value: Any) -> Value:
        import onnx

        array = np.asarray(value)
        name = self._name("constant")
        if array.dtype.kind in "UO":
            words: Any = [str(word).encode() for word in array.reshape(-1)]
            made = onnx.helper.make_tensor(name, onnx.TensorProto.STRING, array.shape, words)
        else:
            made = onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        self.constants.append(made)
        return Value(self, name)

    def op(self, kind: str, *inputs: Value | Any, domain: str = "", **attributes: Any) -> Value:
        import onnx

        names = [(one if isinstance(one, Value) else self.constant(one)).name for one in inputs]
        name = self._name(kind)
        self.nodes.append(onnx.helper.make_node(kind, names, [name], name=name, domain=domain, **attributes))
        return Value(self, name)

    def input(self, name: str, dtype: type, shape: Sequence[int | str]) -> Value:
        self.inputs.append(_info(name, dtype, shape))
        return Value(self, name)

    def output(self, name: str, value: Value, dtype: type, shape: Sequence[int | str]) -> None:
        import onnx

        self.nodes.append(onnx.helper.make_node("Identity", [value.name], [name], name=self._name("output")))
        self.outputs.append(_info(name, dtype, shape))

    def lookup(self, words: Value, table: dict[str, int], default: int) -> Value:
        """The numbers, int64, that a table has for strings."""
        return self.op(
            "LabelEncoder",
            words,
            domain="ai.onnx.ml",
            keys_strings=list(table),
            values_int64s=list(table.values()),
            default_int64=default,
        )

    def forest(self, features: Value, forest: Forest, outputs: int) -> Value:
        """The sums of the trees' leaves (rows, outputs) for features (rows, features), all float64."""
        return self.op(
            "TreeEnsemble",
            features,
            domain="ai.onnx.ml",
            n_targets=outputs,
            aggregate_function=1,
            post_transform=0,
            **_ensemble(forest),
        )

    def smallest(self, values: Value, count: int) -> Value:
        """The places, int64 (rows, count), of the smallest values of each row (rows, columns), the smallest first."""
        import onnx

        names = [self._name("TopK"), self._name("TopK")]
        given = [values.name, self.constant(np.array([count])).name]
        self.nodes.append(onnx.helper.make_node("TopK", given, names, name=names[0], axis=1, largest=0))
        return Value(self, names[1])

    def below(self, values: Value, ordered: np.ndarray) -> Value:
        """How many of some numbers in ascending order are less than each value (rows, 1), float64: by a tree of halves,
        which is as quick for many numbers as for few."""
        different, firsts = np.unique(ordered, return_index=True)
        counts = np.append(firsts, len(ordered)).astype(np.float64)
        splits: list[tuple[int, int, int, float]] = []  # left, right, the number that is split at, and the leaf's count

        def grow(low: int, high: int) -> int:
            """A node for values that are above ``low`` of the different numbers at least and ``high`` at most."""
            place = len(splits)
            splits.append((-1, -1, 0, counts[low]))
            if low < high:
                middle = (low + high) // 2
                left = grow(low, middle)
                splits[place] = (left, grow(middle + 1, high), middle, 0.0)
            return place

        grow(0, len(different))
        left, right, at, value = (np.array(column) for column in zip(*splits, strict=True))
        threshold, nodes = different[np.minimum(at, len(different) - 1)], np.zeros(len(splits), np.int64)
        return self.forest(values, Forest(np.array([0]), np.array([0]), nodes, threshold, left, right, value), 1)

    def embed(self, model: onnx.ModelProto, feeds: dict[str, Value]) -> list[Value]:
        """Sets a model in, whose inputs are fed by name, and gives its outputs."""
        import onnx

        prefix = self._name("model") + "/"
        inner = onnx.compose.add_prefix(model, prefix).graph
        for name, value in feeds.items():
            self.nodes.append(onnx.helper.make_node("Identity", [value.name], [prefix + name], name=self._name("feed")))
        self.nodes.extend(inner.node)
        self.constants.extend(inner.initializer)
        return [Value(self, one.name) for one in inner.output]

    def model(self, told: dict[str, str], text: str) -> onnx.ModelProto:
        """The checked model.

        Args:
            told: what is kept with it, strings by name.
            text: for people.
        """
        import onnx

        graph = onnx.helper.make_graph(self.nodes, "nervura", self.inputs, self.outputs, self.constants)
        versions = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
        made = onnx.helper.make_model(graph, opset_imports=versions, ir_version=FORMAT, doc_string=text)
        made.producer_name = "nervura"
        onnx.helper.set_model_props(made, told)
        onnx.checker.check_model(made)
        return made


def _info(name: str, dtype: type, shape: Sequence[int | str]) -> Any:
    import onnx

    kind = onnx.TensorProto.STRING if dtype is str else onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return onnx.helper.make_tensor_value_info(name, kind, shape)


def _ensemble(forest: Forest) -> dict[str, Any]:
    """A forest as the attributes of ``TreeEnsemble``, which numbers splits and leaves for themselves."""
    import onnx

    split = forest.left >= 0
    if not split[forest.roots].all():
        return _ensemble(_with_splits_at_roots(forest))
    number = np.where(split, np.cumsum(split), np.cumsum(~split)) - 1
    left, right = forest.left[split], forest.right[split]
    sizes = np.diff([*forest.roots, len(forest.left)])
    target = np.repeat(forest.targets, sizes)[~split]
    chosen = np.flatnonzero(split)
    kinds = np.array([MEMBER if int(node) in forest.members else AT_MOST for node in chosen], dtype=np.uint8)
    sets = [[*forest.members[int(node)], np.nan] for node in chosen if int(node) in forest.members]

    def tensor(name: str, values: np.ndarray) -> Any:
        return onnx.numpy_helper.from_array(values, name)

    found: dict[str, Any] = {
        "tree_roots": number[forest.roots].tolist(),
        "nodes_featureids": forest.feature[split].astype(np.int64).tolist(),
        "nodes_modes": tensor("nodes_modes", kinds),
        "nodes_splits": tensor("nodes_splits", np.where(kinds == MEMBER, 0.0, forest.threshold[split])),
        "nodes_truenodeids": number[left].tolist(),
        "nodes_trueleafs": (~split[left]).astype(np.int64).tolist(),
        "nodes_falsenodeids": number[right].tolist(),
        "nodes_falseleafs": (~split[right]).astype(np.int64).tolist(),
        "leaf_targetids": target.astype(np.int64).tolist(),
        "leaf_weights": tensor("leaf_weights", forest.value[~split].astype(np.float64)),
    }
    if sets:
        found["membership_values"] = tensor("membership_values", np.concatenate(sets))
    return found


def _with_splits_at_roots(forest: Forest) -> Forest:
    """The same where trees of one leaf have a split whose both sides are that leaf's value."""
    alone = np.flatnonzero(forest.left[forest.roots] < 0)
    sizes = np.diff([*forest.roots, len(forest.left)])
    # Two leaves are put behind each such root.
    added = np.zeros(len(forest.roots), dtype=np.int64)
    added[alone] = 2
    shift = np.repeat(np.cumsum(added) - added, sizes)
    old = np.arange(len(forest.left)) + shift
    total = len(forest.left) + int(added.sum())

    def spread(values: np.ndarray, fill: Any) -> np.ndarray:
        made = np.full(total, fill, dtype=values.dtype)
        made[old] = values
        return made

    left = spread(np.where(forest.left < 0, -1, forest.left + shift), -1)
    right = spread(np.where(forest.right < 0, -1, forest.right + shift), -1)
    value, roots = spread(forest.value, 0.0), old[forest.roots]
    for root in roots[alone]:
        left[root], right[root] = root + 1, root + 2
        value[root + 1 : root + 3] = value[root]
    members = {int(old[node]): codes for node, codes in forest.members.items()}
    return Forest(
        roots, forest.targets, spread(forest.feature, 0), spread(forest.threshold, 0.0), left, right, value, members
    )
