"""Training by an objective of one's own: a model whose outputs are the loss of each row, and the loss that takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from nervura.rebuilding import places, shares_scale

TARGET = "target"
"""The name of the encoded target among the inputs of an objective that takes it."""


@keras.saving.register_keras_serializable(package="nervura")
class RowLoss(keras.losses.Loss):
    """The mean of the outputs, which are the losses of the rows already; the target plays no part.

    Shapes: y_true (batch,), y_pred (batch,).
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred


class OwnObjective(keras.Model):
    """Trains the layers of ``model`` by an objective: its outputs are what is to be made small of each row, (batch,).

    In phases that ``predicts_in`` names its outputs are those of ``model``, which a problem's loss takes with the target:
    the others were its pretraining. It is never saved. Held-out rows are judged with ``training=False``, as everywhere.

    Args:
        model: the predicting model.
        objective: (inputs, training, name of the phase) -> (batch,).
        others: layers with variables, such as random states, that ``objective`` uses and the model does not have.
        predicts_in: names of phases that learn from the target.
        takes_target: whether the encoded target stands among the inputs, as ``TARGET``.
    """

    def __init__(
        self,
        model: keras.Model,
        objective: Callable[[Any, bool, str], Any],
        others: Sequence[keras.layers.Layer] = (),
        predicts_in: Sequence[str] = (),
        takes_target: bool = False,
    ) -> None:
        super().__init__(name=f"{model.name}_objective")
        self.predicting, self.others = model, list(others)
        self.objective, self.phase, self.predicts_in = objective, "", tuple(predicts_in)
        self.takes_target = takes_target
        self.built = True

    @property
    def predicts(self) -> bool:
        """Whether the phase that it is in learns from the target."""
        return self.phase in self.predicts_in

    def enter(self, phase: str) -> None:
        """Changes what is made small; the model must then be compiled again."""
        self.phase = phase

    def call(self, inputs: Any, training: bool = False) -> Any:
        if self.predicts:
            return self.predicting(inputs, training=training)
        return self.objective(inputs, bool(training), self.phase)


def rebuilding_loss(given: Any, sums: Any, blocks: list[tuple[str, list[int]]], pixels: str = "squared_error") -> Any:
    """How far rows are from what is rebuilt of them, summed over their columns: (batch,).

    Squared error for numbers, binary cross-entropy for flags, cross-entropy for the levels of a column and for the shares of
    words (minus the logarithm of how likely a multinomial draw of one word is), and for pixels either of the first two, as
    ``pixels`` says.

    Args:
        given: the rows (batch, width).
        sums: a decoder's, (batch, width); see ``Rebuilt``.
        blocks: as for ``Rebuilt``.
    """
    # In half precision the sum over many pixels would be a rough one.
    given, sums, total = ops.cast(given, "float32"), ops.cast(sums, "float32"), 0.0
    for kind, place in places(blocks):
        true, part = given[:, place], sums[:, place]
        if kind == "levels":
            loss = -ops.sum(true * ops.log_softmax(part, axis=-1), axis=-1)
        elif kind == "counts":
            loss = -ops.sum(true * ops.log_softmax(part, axis=-1), axis=-1) / shares_scale(part.shape[-1])
        elif kind == "numbers":
            loss = ops.sum(ops.square(true - part), axis=-1)
        elif kind == "pixels" and pixels == "squared_error":
            loss = ops.sum(ops.square(true - ops.sigmoid(part)), axis=-1)
        else:
            loss = ops.sum(ops.softplus(part) - true * part, axis=-1)
        total = total + loss
    return total
