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
    Source: TabM (Gorishniy et al., ICLR 2025). Kernel and bias begin uniform within 1 / sqrt(features), the bias alike
    for all members of a group; R and S begin as ones.

    Args:
        units: outputs.
        members: of each group, or 0.
        before: whether there is an R; rows that members have scaled already need none.
        seed: of the first kernel and bias.
    """

    def __init__(
        self, units: int, members: int = 0, before: bool = True, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.members, self.has_before, self.seed = units, members, before, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        groups, _, features = input_shape
        bound = float(features or 1) ** -0.5
        start = keras.initializers.RandomUniform(-bound, bound, seed=self.seed)
        self.kernel = self.add_weight(shape=(groups, features, self.units), initializer=start, name="kernel")
        # Another seed than the kernel's: an initialiser gives the same numbers whenever it is called.
        begin = keras.initializers.RandomUniform(-bound, bound, seed=None if self.seed is None else self.seed + 1)
        members = max(1, self.members)

        def alike(shape: Any, dtype: Any = None) -> Any:
            # A sum owns its memory on every backend, which repeated numbers do not.
            return begin((groups, 1, self.units), dtype=dtype) + ops.zeros(shape, dtype=dtype)

        self.bias = self.add_weight(shape=(groups, members, self.units), initializer=alike, name="bias")
        if self.members:
            shape = (groups, self.members)
            if self.has_before:
                self.before = self.add_weight(shape=(*shape, features), initializer="ones", name="before")
            self.after = self.add_weight(shape=(*shape, self.units), initializer="ones", name="after")

    def call(self, x: Any) -> Any:
        if not self.members:
            return ops.matmul(x, self.kernel) + self.bias
        if self.has_before:
            x = self._by_member(x, lambda rows: rows * ops.expand_dims(self.before, 1))
        x = ops.matmul(x, self.kernel)
        return self._by_member(x, lambda rows: rows * ops.expand_dims(self.after, 1) + ops.expand_dims(self.bias, 1))

    def _by_member(self, x: Any, change: Any) -> Any:
        groups, width = x.shape[0], x.shape[-1]
        return ops.reshape(change(ops.reshape(x, (groups, -1, self.members, width))), (groups, -1, width))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        own = {"units": self.units, "members": self.members, "before": self.has_before, "seed": self.seed}
        return {**super().get_config(), **own}
