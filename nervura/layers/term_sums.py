"""The weighted sum of what each term of a text says."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class TermSums(keras.layers.Layer):
    """The weighted sum of a learnt vector for each term of a text: a full connection from as many inputs as there are terms,
    of which a text has few.

    The vectors begin at zero.

    Shapes: (batch, terms of a text, 2), numbers and weights -> (batch, units).

    Args:
        terms: how many numbers there are, 0 included, which stands for none.
        units: numbers of a vector.
        scale: what the sums are multiplied by, so that vectors of usual size tell classes apart.
    """

    def __init__(self, terms: int, units: int, scale: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.terms, self.units, self.scale = terms, units, scale

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.table = self.add_weight(shape=(self.terms, self.units), initializer="zeros", name="table")

    def call(self, x: Any) -> Any:
        numbers, weights = ops.cast(x[..., 0], "int32"), ops.cast(x[..., 1], self.compute_dtype)
        vectors = ops.take(self.table, numbers, axis=0)
        return ops.squeeze(ops.matmul(ops.expand_dims(weights * self.scale, 1), vectors), 1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "terms": self.terms, "units": self.units, "scale": self.scale}
