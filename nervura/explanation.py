"""Looks into a trained run: which columns its predictions rest on."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from nervura.dataset import Dataset
from nervura.designing import Design
from nervura.encoding import origins
from nervura.run import Run
from nervura.training import predictor

MOST_ROWS = 2_000
REPEATS = 5
MOST_COLUMNS = 200
CELLS = 400_000
"""Rows x columns x repeats that are predicted at most, so that explaining takes seconds; rows are left out for it."""


def explain(run: Run, dataset: Dataset, trained: Design, *, deadline: float | None = None) -> dict[str, Any]:
    """Permutation importance on the test rows; writes and gives ``explanation.json``.

    A column matters as much as the deciding metric gets worse when its values are dealt out anew among the rows.
    Source: L. Breiman, Random Forests (2001); here all features made from a column move together.

    Args:
        deadline: the moment (``time.monotonic``) to end by; columns not reached by then are left out and counted.
    """
    problem, schema = trained.problem, dataset.schema
    names = [column.name for column in schema.inputs][:MOST_COLUMNS]
    rows = max(100, min(MOST_ROWS, CELLS // (REPEATS * len(names))))
    x, y = dataset.arrays("test")
    step = max(1, -(-len(y) // rows))
    x, truth = {name: array[::step] for name, array in x.items()}, dataset.truth("test")[::step]
    if problem.supervised_by == "classifier":
        known = truth >= 0
        x, truth = {name: array[known] for name, array in x.items()}, truth[known]
    outputs = predictor(trained.model, batch_size=MOST_ROWS)

    def loss(inputs: dict[str, np.ndarray]) -> float:
        return float(problem.loss(truth, problem.estimates(outputs(inputs)))[0])

    whole, made_from = loss(x), origins(schema)
    importance: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        if deadline is not None and time.monotonic() > deadline:
            break
        draws = np.random.default_rng([run_seed(run), i])
        losses = [loss(_dealt_anew(x, made_from, name, draws)) - whole for _ in range(REPEATS)]
        importance.append({"column": name, "value": float(np.mean(losses)), "low": min(losses), "high": max(losses)})
    importance.sort(key=lambda row: row["value"], reverse=True)
    explanation = {
        "metric": problem.metric,
        "rows": len(truth),
        "repeats": REPEATS,
        "left_out": len(schema.inputs) - len(importance),
        "importance": importance,
    }
    run.write("explanation", explanation)
    return explanation


def run_seed(run: Run) -> int:
    return int(run.need("run").get("seed", 0))


def _dealt_anew(
    x: dict[str, np.ndarray], made_from: dict[str, list[str]], column: str, draws: np.random.Generator
) -> dict[str, np.ndarray]:
    order = draws.permutation(len(next(iter(x.values()))))
    dealt = {}
    for tensor, columns in made_from.items():
        places = [i for i, origin in enumerate(columns) if origin == column]
        dealt[tensor] = x[tensor]
        if places:
            dealt[tensor] = x[tensor].copy()
            dealt[tensor][:, places] = x[tensor][order][:, places]
    return dealt
