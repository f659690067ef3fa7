"""Counts of words as the shares of a document that they have."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.word_weights import WordWeights
from nervura.rebuilding import shares_scale


@keras.saving.register_keras_serializable(package="nervura")
class WordShares(WordWeights):
    """The weights of words as shares of their sum, times ``nervura.rebuilding.shares_scale``: what a softmax rebuilds.

    Shapes: uint8 (batch, n) -> float (batch, n).
    Source: the input of Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks (Science, 2006),
    which are counts over their sum; here they are damped, and weighted by how rare a word is.
    """

    def call(self, counts: Any) -> Any:
        found = ops.log1p(ops.cast(counts, self.compute_dtype)) * self.rarity
        shares = found / ops.maximum(ops.sum(found, axis=-1, keepdims=True), 1e-6)
        return shares * shares_scale(self.rarity.shape[0])
