"""Naming the words of texts about a picture, from its regions: what an encoder of pictures learns from captions by."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.sentences import FIRST_WORD, PADDING


@keras.saving.register_keras_serializable(package="nervura")
class Naming(keras.layers.Layer):
    """How far the mean of regions is from telling in which share of the texts each word occurs: the cross-entropy, summed
    over the words.

    Shapes: regions (batch, regions, channels) and texts (batch, texts, codes) -> (batch,).

    Args:
        words: how many words are named, the first of the vocabulary.
        dropout: share of the channels set to zero in training.
        seed: of the initial weights and of what is dropped.
    """

    def __init__(self, words: int, dropout: float = 0.3, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words, self.dropout, self.seed = words, dropout, seed
        self.draws = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        start = keras.initializers.GlorotUniform(seed=self.seed)
        self.kernel = self.add_weight(shape=(input_shape[-1], self.words), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(self.words,), initializer="zeros", name="bias")

    def call(self, regions: Any, texts: Any, training: bool = False) -> Any:
        seen = ops.mean(ops.cast(regions, "float32"), axis=1)
        if training and self.dropout:
            seen = keras.random.dropout(seen, self.dropout, seed=self.draws)
        sums = ops.matmul(seen, ops.cast(self.kernel, "float32")) + ops.cast(self.bias, "float32")
        wanted = self.shares(texts)
        return ops.sum(ops.softplus(sums) - wanted * sums, axis=-1)

    def shares(self, texts: Any) -> Any:
        """The share of a row's texts in which each word occurs, (batch, words)."""
        last = FIRST_WORD + self.words
        places = ops.where((texts >= FIRST_WORD) & (texts < last), texts - FIRST_WORD, self.words)
        there = ops.max(ops.one_hot(places, self.words + 1), axis=2)[..., : self.words]
        written = ops.cast(ops.any(texts != PADDING, axis=2), "float32")
        return ops.sum(there, axis=1) / ops.maximum(ops.sum(written, axis=1), 1.0)[:, None]

    def compute_output_spec(self, regions: Any, texts: Any, training: bool = False) -> Any:
        return keras.KerasTensor((regions.shape[0],), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "words": self.words, "dropout": self.dropout, "seed": self.seed}
