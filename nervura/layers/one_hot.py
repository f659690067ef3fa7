"""Level codes as rows of zeros and ones."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class OneHot(keras.layers.Layer):
    """Codes of several columns as zeros and ones side by side.

    Shapes: int (batch, columns) -> float (batch, sum of ``sizes``).

    Args:
        sizes: the number of codes of each column.
    """

    def __init__(self, sizes: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sizes = list(sizes)

    def call(self, codes: Any) -> Any:
        columns = [ops.one_hot(codes[:, i], size, dtype=self.compute_dtype) for i, size in enumerate(self.sizes)]
        return ops.concatenate(columns, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], sum(self.sizes))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sizes": self.sizes}
