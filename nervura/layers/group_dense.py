"""A full connection for each group of members."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class GroupDense(keras.layers.Layer):
    """A full connection for each group; all groups are one batched matrix product.

    With ``members`` it is the efficient ensemble of the BatchEnsemble paper: ((x * R) W) * S + b, in which W is the
    group's and R, S and b are each member's own. Without, it is x W + b.

    Shapes: (groups, rows, features) -> (groups, rows, units), where rows are batch x members.
    Source: TabM (Gorishniy et al., ICLR 2025). The kernel begins uniform within 1 / sqrt(features), R and S as ones.

    Args:
        units: outputs.
        members: of each group, or 0.
        seed: of the first kernel and bias.
    """

    def __init__(self, units: int, members: int = 0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.members, self.seed = units, members, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        groups, _, features = input_shape
        bound = float(features or 1) ** -0.5
        start = keras.initializers.RandomUniform(-bound, bound, seed=self.seed)
        self.kernel = self.add_weight(shape=(groups, features, self.units), initializer=start, name="kernel")
        # Another seed than the kernel's: an initialiser gives the same numbers whenever it is called.
        begin = keras.initializers.RandomUniform(-bound, bound, seed=None if self.seed is None else self.seed + 1)
        self.bias = self.add_weight(shape=(groups, max(1, self.members), self.units), initializer=begin, name="bias")
        if self.members:
            shape = (groups, self.members)
            self.before = self.add_weight(shape=(*shape, features), initializer="ones", name="before")
            self.after = self.add_weight(shape=(*shape, self.units), initializer="ones", name="after")

    def call(self, x: Any) -> Any:
        if not self.members:
            return ops.matmul(x, self.kernel) + self.bias
        x = ops.matmul(self._by_member(x, lambda rows: rows * ops.expand_dims(self.before, 1)), self.kernel)
        return self._by_member(x, lambda rows: rows * ops.expand_dims(self.after, 1) + ops.expand_dims(self.bias, 1))

    def _by_member(self, x: Any, change: Any) -> Any:
        groups, width = x.shape[0], x.shape[-1]
        return ops.reshape(change(ops.reshape(x, (groups, -1, self.members, width))), (groups, -1, width))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "members": self.members, "seed": self.seed}
