"""The loss of members that are trained for themselves, each group without its own fold of the rows."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class MemberLoss(keras.losses.Loss):
    """The mean of the members' own losses; on a row of fold f, group f has no say.

    Shapes: y_true (batch, target columns + 1), whose last column is the number of the row's fold, or -1;
    y_pred (batch, groups x members, units).

    Args:
        loss: name of the Keras loss of one member.
        groups: of members; group f learns nothing from the rows of fold f.
        held_out: judges instead of training: the loss of the mean answer of those members that have not learnt from
            the row, which of one group are all.
        options: of the loss.
    """

    def __init__(
        self, loss: str, groups: int, held_out: bool = False, options: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.name_of_loss, self.groups, self.held_out, self.options = loss, groups, held_out, dict(options or {})
        self.of_one = getattr(keras.losses, loss)(**self.options, reduction="none")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        members = y_pred.shape[1]
        own = [i * self.groups // members for i in range(members)]
        fold = ops.cast(y_true[:, -1:], "int32")
        same = ops.equal(fold, ops.convert_to_tensor(own, dtype="int32"))
        if self.groups == 1:
            counts = ops.ones_like(y_pred[..., 0])
        else:
            counts = ops.cast(same if self.held_out else ops.logical_not(same), y_pred.dtype)
        target = ops.cast(y_true[:, :-1], y_pred.dtype)
        if self.held_out:
            shares = counts / ops.maximum(ops.sum(counts, axis=-1, keepdims=True), 1.0)
            answer = ops.sum(y_pred * ops.expand_dims(shares, -1), axis=1)
            return self.of_one(self._as_wanted(target), answer)
        each = self.of_one(self._as_wanted(ops.repeat(ops.expand_dims(target, 1), members, axis=1)), y_pred)
        return ops.sum(each * counts, axis=-1) / ops.maximum(ops.sum(counts, axis=-1), 1.0)

    def _as_wanted(self, target: Any) -> Any:
        return target[..., 0] if self.name_of_loss.startswith("Sparse") else target

    def get_config(self) -> dict[str, Any]:
        own = {"loss": self.name_of_loss, "groups": self.groups, "held_out": self.held_out, "options": self.options}
        return {**super().get_config(), **own}
