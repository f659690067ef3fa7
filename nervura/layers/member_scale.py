"""A copy of the rows for every member, scaled by numbers of its own."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class MemberScale(keras.layers.Layer):
    """A copy of the rows for every member of a group, each feature scaled by a number of the member's own.

    Shapes: (groups, batch, features) -> (groups, batch x members, features).
    Source: the adapter R of TabM (Gorishniy et al., ICLR 2025), after BatchEnsemble (Wen et al., ICLR 2020).

    Args:
        members: of each group.
        signs: whether the scales begin as 1 or -1 by chance, else as normal numbers.
        chunks: numbers of neighbouring features that begin with one scale, as those of one embedded column do; by
            default every feature has its own.
        seed: of the first scales.
    """

    def __init__(
        self,
        members: int,
        signs: bool = False,
        chunks: list[int] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.members, self.signs, self.seed = members, signs, seed
        self.chunks = list(chunks) if chunks else None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        groups, _, features = input_shape
        chunks = self.chunks or [1] * int(features or 0)

        def start(shape: Any, dtype: Any = None) -> Any:
            drawn = (groups, self.members, len(chunks))
            seed = keras.random.SeedGenerator(self.seed)
            values = keras.random.normal(drawn, seed=seed, dtype=dtype)
            if self.signs:
                values = ops.where(values < 0, -1.0, 1.0)
            owner = [i for i, size in enumerate(chunks) for _ in range(size)]
            return ops.cast(ops.take(values, ops.convert_to_tensor(owner, dtype="int32"), axis=-1), dtype)

        self.scale = self.add_weight(shape=(groups, self.members, features), initializer=start, name="scale")

    def call(self, x: Any) -> Any:
        groups, _, features = self.scale.shape
        each = ops.expand_dims(x, 2) * ops.expand_dims(self.scale, 1)
        return ops.reshape(each, (groups, -1, features))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        groups, batch, features = input_shape
        return (groups, None if batch is None else batch * self.members, features)

    def get_config(self) -> dict[str, Any]:
        own = {"members": self.members, "signs": self.signs, "chunks": self.chunks, "seed": self.seed}
        return {**super().get_config(), **own}
