"""A shortcut around a residual block that has no weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class FreeShortcut(keras.layers.Layer):
    """Every ``stride``-th place of the maps, and maps of zeros beside them.

    Shapes: (batch, height, width, channels) -> (batch, height / stride, width / stride, filters), sides rounded up.
    Source: option A of He et al., Deep Residual Learning for Image Recognition (CVPR 2016).

    Args:
        filters: channels that leave, not fewer than enter.
        stride: places from one that is kept to the next.
    """

    def __init__(self, filters: int, stride: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.stride = filters, stride

    def call(self, x: Any) -> Any:
        more = self.filters - x.shape[-1]
        return ops.pad(x[:, :: self.stride, :: self.stride], [[0, 0], [0, 0], [0, 0], [0, more]])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        sides = [side and -(-side // self.stride) for side in input_shape[1:3]]
        return (input_shape[0], *sides, self.filters)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters, "stride": self.stride}
