"""A decoder's sums as the values that they stand for."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.rebuilding import places, shares_scale


@keras.saving.register_keras_serializable(package="nervura")
class Rebuilt(keras.layers.Layer):
    """Sums as they are for numbers, through a sigmoid for flags and pixels, through a softmax for the levels of a column and
    for the shares of words.

    Shapes: float (batch, width) -> float (batch, width).

    Args:
        blocks: pairs of a kind (``numbers``, ``flags``, ``levels``, ``counts``, ``pixels``) and the sizes of its features.
    """

    def __init__(self, blocks: list[tuple[str, list[int]]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = [(kind, list(sizes)) for kind, sizes in blocks]

    def call(self, sums: Any) -> Any:
        parts = []
        for kind, place in places(self.blocks):
            part = sums[:, place]
            if kind in ("flags", "pixels"):
                part = ops.sigmoid(part)
            elif kind == "levels":
                part = ops.softmax(part, axis=-1)
            elif kind == "counts":
                part = ops.softmax(part, axis=-1) * shares_scale(part.shape[-1])
            parts.append(part)
        return ops.concatenate(parts, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "blocks": self.blocks}
