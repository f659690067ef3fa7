"""Training by an objective of one's own: a model whose outputs are the loss of each row, and the loss that takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from nervura.rebuilding import places


@keras.saving.register_keras_serializable(package="nervura")
class RowLoss(keras.losses.Loss):
    """The mean of the outputs, which are the losses of the rows already; the target plays no part.

    Shapes: y_true (batch,), y_pred (batch,).
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred


class OwnObjective(keras.Model):
    """Trains the layers of ``model`` by an objective: its outputs are what is to be made small of each row, (batch,).

    It is never saved. Held-out rows are judged with ``training=False``, as everywhere. What a subclass is told beside the
    model it keeps under the name of the argument.

    Args:
        model: the predicting model.
        others: layers with variables, such as random states, that the objective uses and the model does not have.
    """

    def __init__(self, model: keras.Model, others: Sequence[keras.layers.Layer] = ()) -> None:
        super().__init__(name=f"{model.name}_objective")
        self.predicting, self.others, self.phase = model, list(others), ""
        self.built = True

    def enter(self, phase: str) -> None:
        """Changes what is made small; the model must then be compiled again."""
        self.phase = phase

    def row_losses(self, inputs: Any, training: bool) -> Any:
        """What is made small of each row, (batch,)."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.row_losses(inputs, bool(training))


def rebuilding_loss(given: Any, sums: Any, blocks: list[tuple[str, list[int]]], pixels: str = "squared_error") -> Any:
    """How far rows are from what is rebuilt of them, summed over their columns: (batch,).

    Squared error for numbers, binary cross-entropy for flags, cross-entropy for the levels of a column, and for pixels
    either of the first two, as ``pixels`` says.

    Args:
        given: the rows (batch, width).
        sums: a decoder's, (batch, width); see ``Rebuilt``.
        blocks: as for ``Rebuilt``.
    """
    total: Any = 0.0
    for kind, place in places(blocks):
        true, part = given[:, place], sums[:, place]
        if kind == "levels":
            loss = -ops.sum(true * ops.log_softmax(part, axis=-1), axis=-1)
        elif kind == "numbers":
            loss = ops.sum(ops.square(true - part), axis=-1)
        elif kind == "pixels" and pixels == "squared_error":
            loss = ops.sum(ops.square(true - ops.sigmoid(part)), axis=-1)
        else:
            loss = ops.sum(ops.softplus(part) - true * part, axis=-1)
        total = total + loss
    return total
