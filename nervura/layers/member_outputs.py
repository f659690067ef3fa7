"""An output layer for each member."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class MemberOutputs(keras.layers.Layer):
    """A full connection of its own for every member of every group, and the outputs side by side.

    Shapes: (groups, batch x members, features) -> (batch, groups x members, units).
    Source: the heads of TabM (Gorishniy et al., ICLR 2025).

    Args:
        units: outputs of each member.
        members: of each group.
        activation: what an output does with its sum.
        seed: of the first kernels and biases, uniform within 1 / sqrt(features).
    """

    def __init__(
        self, units: int, members: int = 1, activation: str = "linear", seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.members, self.seed = units, members, seed
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        groups, _, features = input_shape
        bound = float(features or 1) ** -0.5
        start = keras.initializers.RandomUniform(-bound, bound, seed=self.seed)
        begin = keras.initializers.RandomUniform(-bound, bound, seed=None if self.seed is None else self.seed + 1)
        shape = (groups, self.members, features, self.units)
        self.kernel = self.add_weight(shape=shape, initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(groups, self.members, self.units), initializer=begin, name="bias")

    def call(self, x: Any) -> Any:
        groups, members, features, units = self.kernel.shape
        rows = ops.reshape(x, (groups, -1, members, features))
        made = ops.einsum("gbmf,gmfu->bgmu", rows, self.kernel) + self.bias
        return self.activation(ops.reshape(made, (-1, groups * members, units)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        groups, rows, _ = input_shape
        return (None if rows is None else rows // self.members, (groups or 0) * self.members, self.units)

    def get_config(self) -> dict[str, Any]:
        own = {"units": self.units, "members": self.members, "seed": self.seed}
        return {**super().get_config(), **own, "activation": keras.activations.serialize(self.activation)}
