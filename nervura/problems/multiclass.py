"""Which of several: one of three or more classes."""

from __future__ import annotations

import numpy as np
import polars as pl

from nervura import metrics
from nervura.errors import ProblemError
from nervura.problems.base import Classification, Declined, Head, Metric
from nervura.schema import Column

MOST_CLASSES = 100
"""More different values than this are taken for classes only when the user says so."""


class Multiclass(Classification):
    name = "multiclass"
    summary = "One of three or more classes: one output neuron per label, with softmax."
    metrics = {
        "log_loss": Metric(metrics.log_loss, False, "surprise at the true class"),
        "accuracy": Metric(metrics.accuracy, True, "share of rows named rightly", of_named=True),
        "balanced_accuracy": Metric(
            metrics.balanced_accuracy, True, "accuracy, each class counting alike", of_named=True
        ),
        "f1_macro": Metric(metrics.f1_macro, True, "mean over the classes of the F1 score", of_named=True),
        "roc_auc": Metric(metrics.roc_auc, True, "mean over the classes of the ROC area, one against the rest"),
        "brier": Metric(metrics.brier, False, "squared error of the probabilities, summed over classes"),
    }

    def fits(self, target: Column, values: pl.Series) -> str:
        distinct, rows = values.n_unique(), values.len()
        if distinct < 3:
            raise Declined(f"the target has {distinct} different values, and this question needs three or more")
        if target.kind == "number" and (distinct > 20 or not _whole(values)):
            raise Declined(f"the target is a quantity with {distinct:,} different values")
        if target.kind == "number" and (reason := _quantity(values)):
            raise Declined(f"the target has {distinct} different whole numbers {reason}: a quantity rather than names")
        if target.kind == "datetime":
            raise Declined("the target is a moment in time")
        if distinct > min(MOST_CLASSES, rows / 2):
            raise Declined(f"the target has {distinct:,} different values in {rows:,} rows, too many for classes")
        return f"the target has {distinct} different {'whole numbers' if target.kind == 'number' else 'names'}"

    def insist(self, target: Column, values: pl.Series) -> None:
        distinct, rows = values.n_unique(), values.len()
        if distinct < 2:
            raise ProblemError(
                f"Classes need a target with two or more values; '{target.name}' has {distinct}. Name another target."
            )
        if distinct > rows / 2:
            raise ProblemError(
                f"Classes need several rows each; '{target.name}' has {distinct:,} different values in {rows:,} rows. "
                + ("Write --problem regression." if target.kind == "number" else "Name another target.")
            )

    def encode(self, values: pl.Series) -> np.ndarray:
        return self.codes(values).astype(np.int32)

    def head(self, label_smoothing: float = 0.0) -> Head:
        units = len(self.classes)
        if label_smoothing:
            return Head(units, "softmax", "CategoricalCrossentropy", {"label_smoothing": label_smoothing})
        return Head(units, "softmax", "SparseCategoricalCrossentropy", {})

    def truth(self, encoded: np.ndarray) -> np.ndarray:
        return encoded.astype(np.int64)

    def estimates(self, outputs: np.ndarray) -> np.ndarray:
        shares = np.asarray(outputs, dtype=np.float64)
        return self.tempered(shares / shares.sum(1, keepdims=True))


def _whole(values: pl.Series) -> bool:
    return bool((values == values.round()).all())


def _quantity(values: pl.Series) -> str:
    """What speaks against whole numbers being the numbers of classes; empty when nothing does."""
    distinct = values.unique().sort()
    steps = distinct.diff().drop_nulls().unique()
    low, high = float(distinct[0]), float(distinct[-1])
    if steps.len() == 1 and steps[0] > 1 and distinct.len() > 4:
        return f"in steps of {steps[0]:.0f}"
    if steps.len() == 1 and distinct.len() > 10:
        return "that follow each other"
    if distinct.len() > 4 and low not in (-1, 0, 1):  # those who number classes start here
        return f"from {low:.0f} to {high:.0f}"
    return ""
