"""LightGBM, kept in its own text format."""

from __future__ import annotations

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
    height,
    most_rounds,
    read_json,
    rounds_found,
    shares_graph,
    side_by_side,
    side_by_side_graph,
    spread,
    spread_graph,
    threads,
    write_json,
)

if TYPE_CHECKING:
    from nervura.encoding import Tensor
    from nervura.onnx_graph import Forest, Value
    from nervura.problems.base import Problem

MODEL, TOLD = "lightgbm.txt", "lightgbm.json"
PATIENCE = 20
OPTIONS: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "verbosity": -1}


class LightGBM(Baseline):
    """LightGBM at a learning rate of 0.05 (0.1 for several classes), with the number of rounds found on rows held out of the training rows.

    Without folds the model is then fitted to all rows with that many rounds. Written as lightgbm.txt, its own format,
    and lightgbm.json.
    """

    name = "lightgbm"
    summary = "boosted trees: LightGBM"
    kind = "trees"
    simplicity = 3
    requires = [("lightgbm", "trees")]

    def models(self, rows: int, features: int, outputs: int) -> int:
        return 5 if outputs <= FEW_OUTPUTS else 1

    def learn(self, problem: Problem, tensors: list[Tensor], rows: Rows, held: Rows | None, seed: int) -> LightGBMFit:
        names = np.unique(rows[1]) if problem.supervised_by == "classifier" else None
        options = {**OPTIONS, "learning_rate": 0.05, "seed": seed, "num_threads": threads(len(rows[1]))}
        if names is None:
            options["objective"] = "regression_l1" if problem.metric == "mae" else "regression"
        elif len(names) == 2:
            options["objective"] = "binary"
        else:
            # Their rounds are few, since each grows as many trees as there are classes.
            options |= {"objective": "multiclass", "num_class": len(names), "learning_rate": 0.1}
        design, y = side_by_side(tensors, rows[0]), _places(names, rows[1])
        limit, codes = most_rounds(1 if names is None else len(names)), np.flatnonzero(code_columns(tensors)).tolist()
        if held is not None:
            other = side_by_side(tensors, held[0]), _places(names, held[1])
            model, rounds = _grown(options, codes, limit, (design, y), other)
            return LightGBMFit(problem, tensors, model.model_to_string(num_iteration=rounds), names)
        rounds = rounds_found(
            rows[1],
            names is not None,
            seed,
            lambda kept, out: _grown(options, codes, limit, (design[kept], y[kept]), (design[out], y[out]))[1],
        )
        model, _ = _grown(options, codes, rounds, (design, y), None)
        return LightGBMFit(problem, tensors, model.model_to_string(), names)

    def load(self, folder: Path, problem: Problem, tensors: list[Tensor]) -> LightGBMFit:
        classes = read_json(folder / TOLD)["classes"]
        text = (folder / MODEL).read_text(encoding="utf-8")
        return LightGBMFit(problem, tensors, text, None if classes is None else np.array(classes))

    def seconds(self, rows: int, features: int, outputs: int) -> float:
        return 1.0 + rows * features * outputs / 5e5


def _places(names: np.ndarray | None, y: np.ndarray) -> np.ndarray:
    return y if names is None else np.searchsorted(names, y)


def _grown(
    options: dict[str, Any],
    codes: list[int],
    rounds: int,
    rows: tuple[np.ndarray, np.ndarray],
    held: tuple[np.ndarray, np.ndarray] | None,
) -> tuple[Any, int]:
    """A booster, and its best number of rounds on the rows held out."""
    import lightgbm

    data = lightgbm.Dataset(*rows, categorical_feature=codes, params=options)
    if held is None:
        return lightgbm.train(options, data, num_boost_round=rounds), rounds
    judge = lightgbm.Dataset(*held, reference=data, categorical_feature=codes, params=options)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    model = lightgbm.train(options, data, num_boost_round=rounds, valid_sets=[judge], callbacks=[stop])
    return model, max(1, model.best_iteration)


class LightGBMFit(Fitted):
    """A booster in its text format, which is exact."""

    def __init__(self, problem: Problem, tensors: list[Tensor], text: str, classes: np.ndarray | None):
        import lightgbm

        self.problem, self.tensors, self.text, self.classes = problem, tensors, text, classes
        self.booster = lightgbm.Booster(model_str=text)

    def estimates(self, x: X, without: int | None = None) -> np.ndarray:
        if not height(x):
            return self.problem.constant(np.zeros(1, dtype=int), 0)
        found: Any = self.booster.predict(side_by_side(self.tensors, x), num_threads=threads(height(x)))
        if self.classes is None:
            return found
        shares = np.column_stack([1 - found, found]) if found.ndim == 1 else found
        return spread(shares, self.classes, self.problem)

    def graph(self, x: dict[str, Value]) -> Value:
        told = self.booster.dump_model()
        outputs = told["num_tree_per_iteration"]
        design = side_by_side_graph(self.tensors, x)
        raw = design.graph.forest(design, _forest(told["tree_info"], outputs), outputs)
        if self.classes is None:
            return raw
        return spread_graph(shares_graph(raw, outputs), self.classes, self.problem)

    def write(self, folder: Path) -> None:
        (folder / MODEL).write_text(self.text, encoding="utf-8")
        write_json(folder / TOLD, {"classes": None if self.classes is None else self.classes.tolist()})


def _forest(trees: list[dict[str, Any]], outputs: int) -> Forest:
    """Trees as LightGBM tells them. No value is missing in what they read, and no code is unknown to all of them."""
    from nervura.onnx_graph import Forest

    nodes: list[tuple[int, float, int, int, float]] = []
    members, roots = {}, []
    for tree in trees:
        roots.append(len(nodes))
        waiting = [(tree["tree_structure"], -1, "")]
        children: dict[tuple[int, str], int] = {}
        while waiting:
            told, parent, side = waiting.pop()
            place = len(nodes)
            children[parent, side] = place
            if "leaf_value" in told:
                nodes.append((0, 0.0, -1, -1, told["leaf_value"]))
                continue
            among_codes = told["decision_type"] == "=="
            if among_codes:
                members[place] = np.array([float(code) for code in told["threshold"].split("||")])
            nodes.append((told["split_feature"], 0.0 if among_codes else told["threshold"], 0, 0, 0.0))
            waiting += [(told["left_child"], place, "left"), (told["right_child"], place, "right")]
        for place in {parent for parent, _ in children if parent >= 0}:
            nodes[place] = (*nodes[place][:2], children[place, "left"], children[place, "right"], 0.0)
    feature, threshold, left, right, value = [np.array(column) for column in zip(*nodes, strict=True)]
    targets = np.arange(len(roots)) % outputs
    return Forest(np.array(roots), targets, feature, threshold, left, right, value, members)
