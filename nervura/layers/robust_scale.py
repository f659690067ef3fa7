"""Features around their medians, in units of their middle halves, held softly within bounds."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from nervura.layers.smooth_clip import SmoothClip


@keras.saving.register_keras_serializable(package="nervura")
class RobustScale(SmoothClip):
    """(x - median) / (third quartile - first), then x / sqrt(1 + (x / limit)^2).

    Where the quartiles are the same, half of the range takes the place of their distance; a constant becomes 0.

    Shapes: float (batch, n) -> float (batch, n).
    Source: the preprocessing of RealMLP (Holzmüller et al., Better by Default, NeurIPS 2024).

    Args:
        limit: the bound.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (input_shape[-1],)
        self.median = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="median")
        self.factor = self.add_weight(shape=shape, initializer="ones", trainable=False, name="factor")

    def adapt(self, rows: Any) -> None:
        """Takes medians and quartiles from ``rows``, the training rows (rows, n)."""
        rows = np.asarray(rows, dtype="float64")
        low, median, high = np.quantile(rows, [0.25, 0.5, 0.75], axis=0)
        spread = np.where(high > low, high - low, np.ptp(rows, axis=0) / 2)
        self.median.assign(median)
        self.factor.assign(np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0))

    def call(self, numbers: Any) -> Any:
        return super().call((numbers - self.median) * self.factor)
