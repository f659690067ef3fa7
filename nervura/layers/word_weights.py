"""Counts of words as numbers that networks learn from."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class WordWeights(keras.layers.Layer):
    """log(1 + count) times the word's inverse document frequency, each row scaled to a length of sqrt(n) units, so that a
    value is about as large as that of a column of a table.

    The inverse document frequency is 1 + log((1 + rows) / (1 + rows with the word)), over the training rows.

    Shapes: uint8 (batch, n) -> float (batch, n).
    Source: K. Sparck Jones, A Statistical Interpretation of Term Specificity (Journal of Documentation, 1972).
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.rarity = self.add_weight(shape=(input_shape[-1],), initializer="ones", trainable=False, name="rarity")

    def adapt(self, rows: Any) -> None:
        """Takes the inverse document frequencies from ``rows``, the training rows (rows, n)."""
        rows = np.asarray(rows)
        self.rarity.assign(1 + np.log((1 + len(rows)) / (1.0 + (rows > 0).sum(0))))

    def call(self, counts: Any) -> Any:
        found = ops.log1p(ops.cast(counts, self.compute_dtype)) * self.rarity
        length = ops.sqrt(ops.sum(ops.square(found), axis=-1, keepdims=True))
        return found / ops.maximum(length, 1e-6) * float(self.rarity.shape[0]) ** 0.5

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
