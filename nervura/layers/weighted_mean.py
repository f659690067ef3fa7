"""What several networks answer together, each with its weight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class WeightedMean(keras.layers.Layer):
    """The weighted mean of what several networks answer.

    Shapes: a list of (batch, ...), all alike -> (batch, ...).

    Args:
        weights: one for each input; they sum to 1.
    """

    def __init__(self, weights: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shares = [float(weight) for weight in weights]

    def call(self, inputs: list[Any]) -> Any:
        return sum(share * ops.convert_to_tensor(x) for share, x in zip(self.shares, inputs, strict=True))

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weights": self.shares}
