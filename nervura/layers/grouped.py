"""The same rows for every group of members."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class Grouped(keras.layers.Layer):
    """The same rows for every group.

    Shapes: (batch, features) -> (groups, batch, features).

    Args:
        groups: how many.
    """

    def __init__(self, groups: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = groups

    def call(self, x: Any) -> Any:
        return ops.repeat(ops.expand_dims(ops.cast(x, self.compute_dtype), 0), self.groups, axis=0)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (self.groups, *input_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}
