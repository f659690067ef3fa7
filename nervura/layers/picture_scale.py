"""Pictures around their mean colour, in units of its spread."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class PictureScale(keras.layers.Layer):
    """(pixel - mean) / deviation, each channel by its own, over all pixels of the training pictures.

    A channel that does not vary becomes 0. Before ``adapt`` the pixels 0 to 255 become -1 to 1.

    Shapes: uint8 or float (batch, height, width, channels) -> float, alike.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = (input_shape[-1],)
        start = keras.initializers.Constant(127.5)
        self.mean = self.add_weight(shape=shape, initializer=start, trainable=False, autocast=False, name="mean")
        begin = keras.initializers.Constant(1 / 127.5)
        self.factor = self.add_weight(shape=shape, initializer=begin, trainable=False, autocast=False, name="factor")

    def adapt(self, pictures: Any) -> None:
        """Takes means and deviations from ``pictures``, the training ones (pictures, height, width, channels)."""
        pictures = np.asarray(pictures)
        mean = pictures.mean(axis=(0, 1, 2), dtype="float64")
        spread = pictures.std(axis=(0, 1, 2), dtype="float64")
        self.mean.assign(mean)
        self.factor.assign(np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-6))

    def call(self, pictures: Any) -> Any:
        # Bytes are taken in float32, since half precision would round the pixels before the mean is gone.
        scaled = (ops.cast(pictures, "float32") - self.mean) * self.factor
        return ops.cast(scaled, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
