"""Pictures seen in several ways, whose answers are averaged in prediction."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class Views(keras.layers.Layer):
    """In prediction, every picture as it is and shifted by ``shift`` pixels up left and down right, each mirrored too
    where ``flips`` says so; in training the pictures alone. ``MeanOfViews`` takes them together again.

    Shapes: (batch, height, width, channels) -> (views x batch, height, width, channels) in prediction, whose first batch
    are the pictures as they are.

    Args:
        flips: whether each view is mirrored too.
        shift: in pixels; 0: no view is shifted.
    """

    def __init__(self, flips: bool = True, shift: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flips, self.shift = flips, shift

    def call(self, pictures: Any, training: bool = False) -> Any:
        if training:
            return pictures
        views = [pictures]
        if self.shift:
            s, (height, width) = self.shift, pictures.shape[1:3]
            # Continued as in a mirror, by joining, since padding by reflection is not to be had for bytes everywhere.
            tall = ops.concatenate(
                [ops.flip(pictures[:, 1 : s + 1], 1), pictures, ops.flip(pictures[:, -s - 1 : -1], 1)], axis=1
            )
            wide = ops.concatenate(
                [ops.flip(tall[:, :, 1 : s + 1], 2), tall, ops.flip(tall[:, :, -s - 1 : -1], 2)], axis=2
            )
            views += [wide[:, :height, :width], wide[:, 2 * s :, 2 * s :]]
        if self.flips:
            views += [ops.flip(view, 2) for view in views]
        return ops.concatenate(views, axis=0) if len(views) > 1 else pictures

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (None, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "flips": self.flips, "shift": self.shift}


@keras.saving.register_keras_serializable(package="nervura")
class MeanOfViews(keras.layers.Layer):
    """In prediction the mean of what was answered to the views of each picture; in training the answers as they are.

    The picture as it is weighs as much as all its shifts together.

    Shapes: (views x batch, units) -> (batch, units).

    Args:
        flips, shift: as of ``Views``.
    """

    def __init__(self, flips: bool = True, shift: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flips, self.shift = flips, shift

    def call(self, answers: Any, training: bool = False) -> Any:
        shares = [0.5, 0.25, 0.25] if self.shift else [1.0]
        if self.flips:
            shares = [share / 2 for share in shares] * 2
        if training or len(shares) == 1:
            return answers
        each = ops.reshape(answers, (len(shares), -1, answers.shape[-1]))
        return sum(share * each[i] for i, share in enumerate(shares))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (None, *input_shape[1:])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "flips": self.flips, "shift": self.shift}
