"""Zeros at the steps of a sequence that are not there."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class MaskedSteps(keras.layers.Layer):
    """Zeros at the steps that are not there, which a convolution behind it would else take for values.

    Shapes: (batch, steps, features) and bool (batch, steps) -> (batch, steps, features).
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, x: Any, previous_mask: Any = None) -> None:
        """None: what follows takes all steps."""

    def call(self, x: Any, present: Any) -> Any:
        return x * ops.expand_dims(ops.cast(present, x.dtype), -1)

    def compute_output_shape(self, x_shape: tuple[int | None, ...], present_shape: Any = None) -> tuple[Any, ...]:
        return x_shape
