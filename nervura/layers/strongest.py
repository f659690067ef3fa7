"""The few strongest values of each row, the others zero."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class Strongest(keras.layers.Layer):
    """Keeps the ``count`` largest values of each row and sets the others to zero.

    Shapes: float (batch, n) -> float (batch, n).
    Source: Makhzani and Frey, k-Sparse Autoencoders (ICLR 2014).
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, x: Any) -> Any:
        least = ops.stop_gradient(ops.top_k(x, self.count)[0][:, -1:])
        return ops.where(x >= least, x, ops.zeros_like(x))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "count": self.count}
