"""CatBoost, kept in its own binary format."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nervura.baselines.base import (
    FALLBACK_ROUNDS,
    FEW_OUTPUTS,
    Baseline,
    Fitted,
    Guess,
    Rows,
    X,
    chosen,
    height,
    held_out,
    most_rounds,
    read_json,
    shares_graph,
    side_by_side_graph,
    spread,
    spread_graph,
    write_json,
)

if TYPE_CHECKING:
    from nervura.encoding import Tensor
    from nervura.onnx_graph import Value
    from nervura.problems.base import Problem

MODEL, TOLD = "catboost.cbm", "catboost.json"
PATIENCE = 30
FEATURE_ROUNDS, FEWEST_ROUNDS = 26_000, 100
"""Rounds x features: of wide tables fewer rounds are tried, since each takes longer."""

MANY_CATEGORIES = 10
MOST_LEVELS = 255
"""From so many categories on, and with many classes, they are not combined with each other, and those of up to so many
levels are taken level by level: the statistics of levels, made anew for every tree and class, take minutes on small tables."""

BAGGED_CELLS = 100_000
"""Up to so many rows x features x outputs five models are fitted, of more one: CatBoost is the slowest by far."""


class CatBoost(Baseline):
    """CatBoost as it comes, with codes as its categories, stopped on rows held out of the training rows.

    Of many rows, features and classes one model alone is fitted, and without folds it learns from four fifths of the
    rows. Written as catboost.cbm, its own format, and catboost.json.
    """

    name = "catboost"
    summary = "boosted trees: CatBoost"
    kind = "trees"
    simplicity = 3
    requires = [("catboost", "trees")]

    def models(self, rows: int, features: int, outputs: int) -> int:
        return 5 if rows * features * outputs <= BAGGED_CELLS else 1

    def learn(self, problem: Problem, tensors: list[Tensor], rows: Rows, held: Rows | None, seed: int) -> Fitted:
        import catboost

        classes = np.unique(rows[1]) if problem.supervised_by == "classifier" else None
        if held is None:
            for kept, out in held_out(np.zeros(len(rows[1]), dtype=int) if classes is None else rows[1], seed):
                rows, held = chosen(rows, kept), chosen(rows, out)
        if not any((values != values[0]).any() for values in rows[0].values()):
            # CatBoost refuses columns that all say the same.
            return Guess(problem.constant(rows[1], 1)[0])
        outputs = 1 if classes is None else len(classes)
        categories = sum(tensor.width for tensor in tensors if tensor.name == "categories")
        limit = min(most_rounds(1), max(FEWEST_ROUNDS, FEATURE_ROUNDS // sum(tensor.width for tensor in tensors)))
        of_values = "MAE" if problem.metric == "mae" else "RMSE"
        model = catboost.CatBoost(
            {
                "loss_function": of_values if classes is None else "Logloss" if outputs == 2 else "MultiClass",
                "iterations": FALLBACK_ROUNDS if held is None else limit,
                "random_seed": seed,
                **(
                    {"max_ctr_complexity": 1, "one_hot_max_size": MOST_LEVELS}
                    if categories >= MANY_CATEGORIES or outputs > FEW_OUTPUTS
                    else {}
                ),
                "thread_count": os.cpu_count() or 1,
                "allow_writing_files": False,
                "logging_level": "Silent",
            }
        )
        how = {} if held is None else {"eval_set": _pool(tensors, held, classes), "early_stopping_rounds": PATIENCE}
        model.fit(_pool(tensors, rows, classes), **how)
        return CatBoostFit(problem, tensors, model, classes)

    def load(self, folder: Path, problem: Problem, tensors: list[Tensor]) -> Fitted:
        import catboost

        classes = read_json(folder / TOLD)["classes"]
        model = catboost.CatBoost().load_model(str(folder / MODEL))
        return CatBoostFit(problem, tensors, model, None if classes is None else np.array(classes))

    def seconds(self, rows: int, features: int, outputs: int) -> float:
        return 2.0 + rows * features * outputs**0.5 / 2e4


def _pool(tensors: list[Tensor], rows: Rows, classes: np.ndarray | None) -> Any:
    import catboost

    y = rows[1] if classes is None else np.searchsorted(classes, rows[1])
    return catboost.Pool(_features(tensors, rows[0]), y)


def _features(tensors: list[Tensor], x: X) -> Any:
    """Numbers and flags as they are, and codes as words."""
    import catboost

    numbers = [x[tensor.name][:, : tensor.width] for tensor in tensors if tensor.name != "categories"]
    numeric = np.hstack(numbers).astype(np.float32) if numbers else None
    words = None
    if "categories" in x:
        names = np.array([str(code).encode() for code in range(int(x["categories"].max(initial=0)) + 1)], dtype=object)
        words = names[x["categories"]]
    return catboost.FeaturesData(num_feature_data=numeric, cat_feature_data=words)


class CatBoostFit(Fitted):
    """A CatBoost model that stopped where the rows held out were answered best."""

    def __init__(self, problem: Problem, tensors: list[Tensor], model: Any, classes: np.ndarray | None):
        self.problem, self.tensors, self.model, self.classes = problem, tensors, model, classes

    def estimates(self, x: X, without: int | None = None) -> np.ndarray:
        if not height(x):
            return self.problem.constant(np.zeros(1, dtype=int), 0)
        data = _features(self.tensors, x)
        if self.classes is None:
            return self.model.predict(data, prediction_type="RawFormulaVal")
        return spread(self.model.predict(data, prediction_type="Probability"), self.classes, self.problem)

    def graph(self, x: dict[str, Value]) -> Value:
        from nervura.onnx_catboost import logits

        numeric = [tensor for tensor in self.tensors if tensor.name != "categories"]
        raw, outputs = logits(
            self._told(), side_by_side_graph(numeric, x) if numeric else None, x.get("categories"), self._sizes
        )
        if self.classes is None:
            return raw
        return spread_graph(shares_graph(raw, outputs), self.classes, self.problem)

    @property
    def _sizes(self) -> tuple[int, ...]:
        """The number of codes of each category."""
        return next((tensor.sizes for tensor in self.tensors if tensor.name == "categories"), ())

    def _told(self) -> dict[str, Any]:
        """The model as JSON, with the hash of every code, which CatBoost tells of those in the rows given to it."""
        import catboost

        sizes = np.array(self._sizes, dtype=int)
        codes = np.minimum(np.arange(max(self._sizes, default=1))[:, None], sizes - 1)
        rows = {
            tensor.name: codes if tensor.name == "categories" else np.zeros((len(codes), tensor.width))
            for tensor in self.tensors
        }
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.json"
            self.model.save_model(str(file), format="json", pool=catboost.Pool(_features(self.tensors, rows)))
            return json.loads(file.read_text(encoding="utf-8"))

    def write(self, folder: Path) -> None:
        self.model.save_model(str(folder / MODEL))
        write_json(folder / TOLD, {"classes": None if self.classes is None else self.classes.tolist()})
