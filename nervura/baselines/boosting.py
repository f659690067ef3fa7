"""Scikit-learn's histogram gradient boosting, kept as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura.baselines.base import (
    FEW_OUTPUTS,
    Baseline,
    Fitted,
    Rows,
    X,
    code_columns,
    most_rounds,
    read_json,
    rounds_found,
    shares_graph,
    side_by_side,
    side_by_side_graph,
    spread,
    spread_graph,
    threads,
    with_common_words,
    write_json,
)

if TYPE_CHECKING:
    from nervura.encoding import Tensor
    from nervura.onnx_graph import Value
    from nervura.problems.base import Problem

MOST_CODES = 255
"""The trees split freely among up to this many codes; more are taken as ranks of frequency."""

ARRAYS, TOLD = "trees.npz", "boosting.json"
BAGGED_CELLS = 400
"""Above so many encoded features x outputs one model must do: five take longer than the network that they are beside."""

CELLS = 500_000
"""Rows x trees that are walked through at once."""


class Boosting(Baseline):
    """Histogram gradient boosting, with the number of rounds found on rows held out of the training rows.

    Without folds the model is then fitted to all rows with that many rounds. Written as trees.npz, the nodes of all
    trees one after another, and boosting.json.
    """

    name = "boosting"
    summary = "boosted trees: scikit-learn's histogram gradient boosting"
    kind = "trees"
    simplicity = 3

    def models(self, rows: int, features: int, outputs: int) -> int:
        return 5 if outputs <= FEW_OUTPUTS and features * outputs <= BAGGED_CELLS else 1

    def learn(self, problem: Problem, tensors: list[Tensor], rows: Rows, held: Rows | None, seed: int) -> Trees:
        codes = Codes.of(tensors, rows[0])
        design, y = codes.design(rows[0]), rows[1]
        classes = problem.supervised_by == "classifier"
        limit = most_rounds(len(np.unique(y)) if classes else 1)
        options: dict[str, Any] = {"categorical_features": codes.marks, "random_state": seed}
        if problem.metric == "mae":
            options["loss"] = "absolute_error"

        def trial(here: np.ndarray, truth: np.ndarray, other: np.ndarray, other_truth: np.ndarray) -> Any:
            return _fitted(classes, here, truth, (other, other_truth), max_iter=limit, early_stopping=True, **options)

        if held is not None:
            model = trial(design, y, codes.design(held[0]), held[1])
            return Trees.of(model, problem, codes, _best(model))
        rounds = rounds_found(
            y, classes, seed, lambda kept, out: _best(trial(design[kept], y[kept], design[out], y[out]))
        )
        model = _fitted(classes, design, y, None, max_iter=rounds, early_stopping=False, **options)
        return Trees.of(model, problem, codes, rounds)

    def load(self, folder: Path, problem: Problem, tensors: list[Tensor]) -> Trees:
        with np.load(folder / ARRAYS, allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        told = read_json(folder / TOLD)
        levels = [arrays.pop(f"levels_{number}") for number in range(told["code_columns"])]
        return Trees(problem, Codes(tensors, levels), arrays, told["rounds"], told["classes"])

    def seconds(self, rows: int, features: int, outputs: int) -> float:
        return 1.0 + rows * features * outputs / 5e5


def grow(problem: Problem, tensors: list[Tensor], rows: Rows, **options: Any) -> Trees:
    """Trees with options of scikit-learn's, without a search for the number of rounds; codes are taken as numbers."""
    codes = Codes(with_common_words(tensors), [])
    model = _fitted(problem.supervised_by == "classifier", codes.design(rows[0]), rows[1], None, **options)
    return Trees.of(model, problem, codes, model.n_iter_)


def _fitted(
    classes: bool, design: np.ndarray, y: np.ndarray, held: tuple[np.ndarray, np.ndarray] | None, **options: Any
) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    with threadpool_limits(threads(len(y)), "openmp"):
        if held is None:
            return kind(**options).fit(design, y)
        return kind(**options).fit(design, y, X_val=held[0], y_val=held[1])


def _best(model: Any) -> int:
    """The number of rounds that were best on the rows held out; the first score is that of none."""
    return max(1, int(np.argmax(model.validation_score_)))


@dataclass(frozen=True)
class Codes:
    """The matrix that the trees read: first the columns of few codes, as places among those seen in training."""

    tensors: list[Tensor]
    levels: list[np.ndarray]

    @classmethod
    def of(cls, tensors: list[Tensor], x: X) -> Codes:
        sizes = next((tensor.sizes for tensor in tensors if tensor.name == "categories"), ())
        return cls(tensors, [np.unique(x["categories"][:, i]) for i, size in enumerate(sizes) if size <= MOST_CODES])

    @property
    def marks(self) -> np.ndarray:
        """Which columns of the design are codes, bool (features,)."""
        return np.arange(sum(tensor.width for tensor in self.tensors)) < len(self.levels)

    def design(self, x: X) -> np.ndarray:
        """(rows, features) float64; a code that was not seen is missing."""
        values, is_code = side_by_side(self.tensors, x), code_columns(self.tensors)
        if not self.levels:
            return values
        sizes = next(tensor.sizes for tensor in self.tensors if tensor.name == "categories")
        few = np.flatnonzero(is_code)[np.array(sizes) <= MOST_CODES]
        for column, levels in zip(few, self.levels, strict=True):
            place = np.minimum(np.searchsorted(levels, values[:, column]), len(levels) - 1)
            values[:, column] = np.where(levels[place] == values[:, column], place, np.nan)
        rest = np.setdiff1d(np.arange(values.shape[1]), few)
        return np.ascontiguousarray(values[:, [*few, *rest]])

    def design_graph(self, x: dict[str, Value]) -> Value:
        """``design`` as an ONNX graph, but a code that was not seen is the number of those seen."""
        values, is_code = side_by_side_graph(self.tensors, x), code_columns(self.tensors)
        if not self.levels:
            return values
        sizes = np.array(next(tensor.sizes for tensor in self.tensors if tensor.name == "categories"))
        few = np.flatnonzero(sizes <= MOST_CODES)
        parts = []
        for column, levels in zip(few, self.levels, strict=True):
            table = np.full((sizes[column], 1), float(len(levels)))
            table[levels, 0] = np.arange(len(levels))
            codes = x["categories"].columns([int(column)]).flat()
            parts.append(codes.op("Gather", table, codes, axis=0))
        rest = np.setdiff1d(np.arange(len(is_code)), np.flatnonzero(is_code)[few])
        return values.op("Concat", *parts, values.columns(rest), axis=1)


@dataclass(frozen=True)
class Trees(Fitted):
    """Boosted trees as arrays over the nodes of all of them; a leaf has no left child (-1).

    ``roots`` are the trees' first nodes, round by round, one per output; ``start`` (outputs,) is what they add to.
    """

    problem: Problem
    codes: Codes
    arrays: dict[str, np.ndarray]
    rounds: int
    classes: list[int] | None

    @classmethod
    def of(cls, model: Any, problem: Problem, codes: Codes, rounds: int) -> Trees:
        """The first ``rounds`` rounds of a fitted scikit-learn model."""
        grown = [tree for trees in model._predictors[:rounds] for tree in trees]
        nodes = np.concatenate([tree.nodes for tree in grown])
        sizes = [len(tree.nodes) for tree in grown]
        roots = np.cumsum([0, *sizes[:-1]])
        sets = [tree.raw_left_cat_bitsets for tree in grown]
        first_node = np.repeat(roots, sizes)
        first_set = np.repeat(np.cumsum([0, *(len(one) for one in sets[:-1])]), sizes)
        leaf = nodes["is_leaf"].astype(bool)
        arrays = {
            "start": np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1),
            "roots": roots,
            "feature": nodes["feature_idx"].astype(np.int32),
            "threshold": nodes["num_threshold"].astype(np.float64),
            "missing_left": nodes["missing_go_to_left"].astype(bool),
            "left": np.where(leaf, -1, nodes["left"].astype(np.int64) + first_node),
            "right": np.where(leaf, -1, nodes["right"].astype(np.int64) + first_node),
            "value": nodes["value"].astype(np.float64),
            # For each split among codes, those that go left, as 256 bits.
            "set": np.where(nodes["is_categorical"].astype(bool), nodes["bitset_idx"] + first_set, -1),
            "sets": np.concatenate([np.empty((0, 8), dtype=np.uint32), *sets]),
        }
        classes = [int(one) for one in model.classes_] if problem.supervised_by == "classifier" else None
        return cls(problem, codes, arrays, rounds, classes)

    def estimates(self, x: X, without: int | None = None) -> np.ndarray:
        from scipy.special import expit, softmax

        raw = self._outputs(self.codes.design(x))
        if self.classes is None:
            return raw[:, 0]
        shares = np.hstack([expit(-raw), expit(raw)]) if raw.shape[1] == 1 else softmax(raw, axis=1)
        return spread(shares, np.array(self.classes), self.problem)

    def graph(self, x: dict[str, Value]) -> Value:
        from nervura.onnx_graph import Forest

        a, outputs = self.arrays, len(self.arrays["start"])
        members = {}
        for node in np.flatnonzero((a["set"] >= 0) & (a["left"] >= 0)):
            seen = len(self.codes.levels[a["feature"][node]])
            code = np.arange(seen)
            inside = (a["sets"][a["set"][node]][code >> 5] >> (code & 31).astype(np.uint32)) & 1
            members[int(node)] = np.append(code[inside > 0], [seen] if a["missing_left"][node] else []).astype(float)
        targets = np.tile(np.arange(outputs), len(a["roots"]) // outputs)
        forest = Forest(a["roots"], targets, a["feature"], a["threshold"], a["left"], a["right"], a["value"], members)
        design = self.codes.design_graph(x)
        raw = design.graph.forest(design, forest, outputs) + a["start"]
        if self.classes is None:
            return raw
        return spread_graph(shares_graph(raw, outputs), np.array(self.classes), self.problem)

    def write(self, folder: Path) -> None:
        levels = {f"levels_{number}": levels for number, levels in enumerate(self.codes.levels)}
        np.savez(folder / ARRAYS, allow_pickle=False, **self.arrays, **levels)
        told = {"rounds": self.rounds, "classes": self.classes, "code_columns": len(self.codes.levels)}
        write_json(folder / TOLD, told)

    def _outputs(self, design: np.ndarray) -> np.ndarray:
        """The sum of the trees' leaves (rows, outputs)."""
        start, trees = self.arrays["start"], len(self.arrays["roots"])
        step = max(1, CELLS // trees)
        parts = [
            self._leaves(design[first : first + step]).reshape(-1, trees // len(start), len(start)).sum(1)
            for first in range(0, max(1, len(design)), step)
        ]
        return start + np.concatenate(parts)

    def _leaves(self, design: np.ndarray) -> np.ndarray:
        """The value of the leaf that each row falls into in each tree (rows, trees)."""
        a = self.arrays
        trees = len(a["roots"])
        row = np.repeat(np.arange(len(design)), trees)
        node = np.tile(a["roots"], len(design))
        walking = np.flatnonzero(a["left"][node] >= 0)
        while len(walking):
            at = node[walking]
            value = design[row[walking], a["feature"][at]]
            goes_left = value <= a["threshold"][at]
            among_codes = np.flatnonzero(a["set"][at] >= 0)
            if len(among_codes):
                # A missing code is dealt with below, like every missing value.
                code = np.nan_to_num(value[among_codes]).astype(np.int64)
                bits = a["sets"][a["set"][at[among_codes]], code >> 5]
                goes_left[among_codes] = (bits >> (code & 31).astype(np.uint32)) & 1
            missing = np.isnan(value)
            goes_left[missing] = a["missing_left"][at[missing]]
            node[walking] = np.where(goes_left, a["left"][at], a["right"][at])
            walking = walking[a["left"][node[walking]] >= 0]
        return a["value"][node].reshape(len(design), trees)
