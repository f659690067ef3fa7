"""Level codes as learnt vectors."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class LevelEmbedding(keras.layers.Layer):
    """A learnt vector for each code of each column, side by side, from one shared table.

    Shapes: int (batch, columns) -> float (batch, sum of ``widths``); with ``groups``, (groups, batch, sum of
    ``widths``), each group with a table of its own.
    Source: Guo and Berkhahn, Entity Embeddings of Categorical Variables, 2016.

    Args:
        sizes: the number of codes of each column.
        widths: the length of the vector of each column.
        groups: how many tables, or 0 for one without an axis for groups.
        deviation: of the first vectors, which are normal; by default 1 / sqrt(width).
        seed: of the first vectors.
    """

    def __init__(
        self,
        sizes: list[int],
        widths: list[int],
        groups: int = 0,
        deviation: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sizes, self.widths, self.groups = list(sizes), list(widths), groups
        self.deviation, self.seed = deviation, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # Each column uses the first of its own width of the table's columns; one gather serves all columns.
        width = max(self.widths)
        self.table = self.add_weight(
            shape=(*([self.groups] if self.groups else []), sum(self.sizes), width),
            initializer=keras.initializers.RandomNormal(stddev=self.deviation or width**-0.5, seed=self.seed),
            name="table",
        )
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype("int32")
        used = [i * width + j for i, w in enumerate(self.widths) for j in range(w)]
        self.used = np.array(used, dtype="int32")

    def call(self, codes: Any) -> Any:
        vectors = ops.take(self.table, ops.add(codes, self.starts), axis=-2)
        flat = ops.reshape(vectors, (*self.table.shape[:-2], -1, len(self.sizes) * max(self.widths)))
        return flat if len(self.used) == flat.shape[-1] else ops.take(flat, self.used, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*([self.groups] if self.groups else []), input_shape[0], sum(self.widths))

    def get_config(self) -> dict[str, Any]:
        own = {"sizes": self.sizes, "widths": self.widths, "groups": self.groups}
        return {**super().get_config(), **own, "deviation": self.deviation, "seed": self.seed}
