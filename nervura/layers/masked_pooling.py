"""A sequence as one row: the mean, or the largest value, of the steps that are there."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class MaskedPooling(keras.layers.Layer):
    """The mean or the largest value of each feature over the steps that are there; zeros where none is.

    Shapes: (batch, length, features) and bool (batch, length) -> (batch, features), or twice as many of ``both``.

    Args:
        kind: ``mean``, ``max`` or ``both``.
    """

    def __init__(self, kind: str = "mean", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind, self.supports_masking = kind, True

    def compute_mask(self, x: Any, previous_mask: Any = None) -> None:
        """None: one row has no steps."""

    def call(self, x: Any, present: Any) -> Any:
        there = ops.expand_dims(ops.cast(present, x.dtype), -1)
        found = []
        if self.kind != "max":
            found.append(ops.sum(x * there, axis=1) / ops.maximum(ops.sum(there, axis=1), 1.0))
        if self.kind != "mean":
            low = ops.cast(-1e9, x.dtype)
            largest = ops.max(ops.where(there > 0, x, low), axis=1)
            found.append(largest * ops.max(there, axis=1))
        return found[0] if len(found) == 1 else ops.concatenate(found, axis=-1)

    def compute_output_shape(self, x_shape: tuple[int | None, ...], present_shape: Any = None) -> tuple[Any, ...]:
        return (x_shape[0], (x_shape[-1] or 0) * (2 if self.kind == "both" else 1))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kind": self.kind}
