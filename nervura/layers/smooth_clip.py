"""Numbers held softly within bounds."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class SmoothClip(keras.layers.Layer):
    """x / sqrt(1 + (x / limit)^2): nearly x near zero, never beyond ``limit``, so that no outlier rules a network.

    Shapes: float (batch, n) -> float (batch, n).
    Source: the robust scaling with smooth clipping of Holzmüller et al., Better by Default, NeurIPS 2024.

    Args:
        limit: the bound.
    """

    def __init__(self, limit: float = 3.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.limit = limit

    def call(self, numbers: Any) -> Any:
        return numbers / ops.sqrt(1.0 + ops.square(numbers / self.limit))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "limit": self.limit}
