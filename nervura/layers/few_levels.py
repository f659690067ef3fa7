"""Codes of columns with few levels as numbers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

FIRST_LEVEL = 2
"""Of the codes of the encoding, the first that means a level."""


@keras.saving.register_keras_serializable(package="nervura")
class FewLevels(keras.layers.Layer):
    """Columns of few levels: two levels as 1 and -1, others as a zero or one for each; no known level is all zeros.

    Shapes: int (batch, columns) -> float (batch, features); columns of more levels are left out.
    Source: the one-hot encoding of RealMLP (Holzmüller et al., Better by Default, NeurIPS 2024).

    Args:
        sizes: the number of codes of each column; the first two mean a level not in the list and a missing value.
        most: a column of more levels is left out.
    """

    def __init__(self, sizes: list[int], most: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sizes, self.most = list(sizes), most

    def _levels(self) -> list[int]:
        return [size - FIRST_LEVEL for size in self.sizes]

    def call(self, codes: Any) -> Any:
        columns = []
        for i, levels in enumerate(self._levels()):
            if levels <= self.most:
                # The codes without a level lie before the first and have no column: their rows are zeros.
                each = ops.one_hot(codes[:, i], levels + FIRST_LEVEL, dtype=self.compute_dtype)[:, FIRST_LEVEL:]
                columns.append(each[:, :1] - each[:, 1:] if levels == 2 else each)
        return ops.concatenate(columns, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], sum(1 if n == 2 else n for n in self._levels() if n <= self.most))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sizes": self.sizes, "most": self.most}
