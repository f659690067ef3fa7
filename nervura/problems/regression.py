"""How much: a value."""

from __future__ import annotations

from typing import Self

import numpy as np
import polars as pl

from nervura import metrics
from nervura.errors import ProblemError
from nervura.problems.base import Declined, Head, Metric, Problem
from nervura.schema import Column

SMALLEST, LARGEST = 1e-150, 1e150
"""Standard deviations whose squares, and with them errors, a 64-bit float can hold."""


class Regression(Problem):
    name = "regression"
    summary = "A value: one linear output neuron, trained on the target in units of its standard deviation."
    metric = "rmse"
    stratified = False
    supervised_by = "regressor"
    metrics = {
        "rmse": Metric(metrics.rmse, False, "root of the mean squared error, in the target's units"),
        "mae": Metric(metrics.mae, False, "mean absolute error, in the target's units"),
        "r2": Metric(metrics.r2, True, "share of the variance that is explained"),
    }

    def fits(self, target: Column, values: pl.Series) -> str:
        if target.kind != "number":
            raise Declined(f"the target is a {target.kind}, not a number")
        distinct = values.n_unique()
        if distinct < 3:
            raise Declined(f"the target has only {distinct} different values")
        if far := _out_of_reach(values):
            raise Declined(f"the target's values {far}")
        return f"the target is a number with {distinct:,} different values"

    def insist(self, target: Column, values: pl.Series) -> None:
        if target.kind not in ("number", "boolean"):
            raise ProblemError(
                f"A regression needs a target of numbers; '{target.name}' is a {target.kind}. "
                "Write --problem multiclass, or name another target."
            )
        if values.n_unique() < 2:
            raise ProblemError(f"A regression needs a target that varies; '{target.name}' has one value alone.")
        if far := _out_of_reach(values):
            raise ProblemError(f"A regression needs values that can be squared; those of '{target.name}' {far}.")

    def learn(self, values: pl.Series) -> Self:
        numbers = values.cast(pl.Float64)
        spread = numbers.std() if numbers.len() > 1 else None
        return type(self)({"mean": float(numbers.mean()), "deviation": float(spread or 1.0)})  # type: ignore[arg-type]

    def encode(self, values: pl.Series) -> np.ndarray:
        numbers = values.cast(pl.Float64).to_numpy()
        return ((numbers - self.coding["mean"]) / self.coding["deviation"]).astype(np.float32)

    def head(self, label_smoothing: float = 0.0) -> Head:
        # The median makes the absolute error least, the mean the squared error, and with it rmse and r2.
        return Head(1, "linear", "MeanAbsoluteError" if self.metric == "mae" else "MeanSquaredError", {})

    def truth(self, encoded: np.ndarray) -> np.ndarray:
        return encoded.astype(np.float64) * self.coding["deviation"] + self.coding["mean"]

    def estimates(self, outputs: np.ndarray) -> np.ndarray:
        standard = np.asarray(outputs, dtype=np.float64).reshape(-1)
        return standard * self.coding["deviation"] + self.coding["mean"]

    def constant(self, truth: np.ndarray, rows: int) -> np.ndarray:
        return np.full(rows, np.median(truth) if self.metric == "mae" else truth.mean())

    def row_losses(self, truth: np.ndarray, estimates: np.ndarray) -> np.ndarray:
        return np.abs(truth - estimates) if self.metric == "mae" else (truth - estimates) ** 2

    def strangeness(self, truth: np.ndarray, estimates: np.ndarray) -> np.ndarray:
        return np.abs(truth - estimates)

    def decode(self, estimates: np.ndarray) -> pl.DataFrame:
        if self.bound is None:
            return pl.DataFrame({"prediction": estimates})
        return pl.DataFrame({"prediction": estimates, "low": estimates - self.bound, "high": estimates + self.bound})


def _out_of_reach(values: pl.Series) -> str:
    """What is wrong with numbers so large or so small that their squares are infinite or zero; else ""."""
    deviation = values.cast(pl.Float64).std()
    if isinstance(deviation, float) and SMALLEST <= deviation <= LARGEST:
        return ""
    size = float(values.cast(pl.Float64).abs().max())  # type: ignore[arg-type]
    return f"are too {'large' if size > 1 else 'small'} to be squared, up to {size:.2g}: give them in another unit"
