"""Yes or no: one of two classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from nervura import metrics
from nervura.errors import ProblemError
from nervura.problems.base import Classification, Declined, Head, Metric
from nervura.schema import Column


class Binary(Classification):
    name = "binary"
    summary = "One of two classes: one output neuron with a sigmoid."
    metrics = {
        "log_loss": Metric(metrics.log_loss, False, "surprise at the true class"),
        "roc_auc": Metric(metrics.roc_auc, True, "chance that a positive row is ranked above a negative one"),
        "average_precision": Metric(metrics.average_precision, True, "area under the precision-recall curve"),
        "accuracy": Metric(metrics.accuracy, True, "share of rows named rightly", of_named=True),
        "balanced_accuracy": Metric(
            metrics.balanced_accuracy, True, "accuracy, each class counting alike", of_named=True
        ),
        "f1": Metric(metrics.f1, True, "harmonic mean of precision and recall of the second class", of_named=True),
        "brier": Metric(metrics.brier, False, "squared error of the probability"),
    }

    def fits(self, target: Column, values: pl.Series) -> str:
        distinct = values.n_unique()
        if distinct != 2:
            raise Declined(f"the target has {distinct:,} different values, and yes-or-no questions have two")
        return f"the target has two values: {' and '.join(self.learn(values).classes)}"

    def insist(self, target: Column, values: pl.Series) -> None:
        distinct = values.n_unique()
        if distinct != 2:
            raise ProblemError(
                f"A binary problem needs a target with exactly two values; '{target.name}' has {distinct:,}. "
                f"Write --problem {'multiclass' if distinct > 2 else 'regression'}, or name another target."
            )

    def encode(self, values: pl.Series) -> np.ndarray:
        return self.codes(values).astype(np.float32)

    def head(self, label_smoothing: float = 0.0) -> Head:
        return Head(1, "sigmoid", "BinaryCrossentropy", {"label_smoothing": label_smoothing} if label_smoothing else {})

    def truth(self, encoded: np.ndarray) -> np.ndarray:
        return encoded.astype(np.int64)

    def estimates(self, outputs: np.ndarray) -> np.ndarray:
        second = np.asarray(outputs, dtype=np.float64).reshape(-1)
        return self.tempered(np.column_stack([1 - second, second]))

    def rule_of(self, weights: np.ndarray) -> dict[str, Any]:
        return {"threshold": float(f"{weights[0] / weights.sum():.4g}")}

    def named(self, estimates: np.ndarray) -> np.ndarray:
        """The second class where its probability is above the threshold of the coding's ``rule``, else the likeliest."""
        rule = self.coding.get("rule")
        return estimates.argmax(1) if rule is None else (estimates[:, 1] > rule["threshold"]).astype(np.int64)
