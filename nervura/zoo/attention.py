"""A small transformer encoder: every step of a sequence looks at all others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Network, SequenceOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

MOST_STEPS = 64
"""A longer series is read several moments at a time: what is computed grows with the square of the steps."""


class Attention(Network):
    """Each step asks all others how much they matter to it, and takes up what they say by these shares.

    A block is attention by several heads and then two full connections for each step; around both lies a shortcut, and
    before both the numbers of a step are normalised. Where a step stands is told by a learnt vector for each place. The
    mean over the steps that are there decides.

    Shapes: (batch, length, channels) -> (batch, steps, width) -> (batch, width) -> (batch, outputs).
    Cost: 12 x width^2 weights a block; steps^2 x width products for each sequence.
    Choose it where distant steps belong together and there are thousands of rows; it can be told which steps were looked at.
    Paper: Vaswani et al., Attention Is All You Need (NeurIPS 2017), the encoder. How we differ: normalisation comes first,
    places are learnt, and a step of a series is a patch of moments (Nie et al., ICLR 2023).
    """

    name = "attention"
    summary = "a small transformer encoder: every step of a sequence looks at all others"
    takes = frozenset({"series", "tokens"})
    suits = Network.suits | {"forecasting"}

    @dataclass
    class Options(SequenceOptions):
        width: int = option(64, "numbers that a step is told by", low=4, high=4_096, search=(32, 64, 128))
        heads: int = option(4, "attentions side by side, each on its part of the width", low=1, high=64)
        layers: int = option(2, "blocks one upon the other", low=1, high=32, search=(1, 2, 3))
        dropout: float = option(
            0.1,
            "share of what a block adds set to zero in training, the rest scaled up",
            low=0.0,
            high=0.95,
            search=(0.0, 0.1, 0.3),
        )
        learning_rate: float = option(1e-3, "size of a step", low=1e-7, high=10.0, search=(3e-4, 1e-3, 3e-3))

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        from nervura.layers.sequence import settle_patch

        return settle_patch(options, tensors, MOST_STEPS)

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.attention_mask import AttentionMask
        from nervura.layers.masked_pooling import MaskedPooling
        from nervura.layers.place_embedding import PlaceEmbedding
        from nervura.layers.sequence import steps_of

        def dense(size: int, name: str, activation: str | None = None) -> keras.layers.Layer:
            start = keras.initializers.GlorotUniform(seed=next(seeds))
            return keras.layers.Dense(size, activation=activation, kernel_initializer=start, name=name)

        def added(x: keras.KerasTensor, more: keras.KerasTensor, name: str) -> keras.KerasTensor:
            if options.dropout:
                more = keras.layers.Dropout(options.dropout, seed=next(seeds), name=f"{name}_dropout")(more)
            return keras.layers.Add(name=f"{name}_added")([x, more])

        x, present = steps_of(inputs, tensors, options, seeds)
        x = PlaceEmbedding(seed=next(seeds), name="places")(dense(options.width, "embedded")(x))
        allowed = AttentionMask(name="allowed")(present)
        for i in range(1, options.layers + 1):
            normal = keras.layers.LayerNormalization(name=f"normal_{i}")(x)
            looked = keras.layers.MultiHeadAttention(
                options.heads,
                max(1, options.width // options.heads),
                kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
                name=f"attention_{i}",
            )(normal, normal, attention_mask=allowed)
            x = added(x, looked, f"attention_{i}")
            normal = keras.layers.LayerNormalization(name=f"normal_dense_{i}")(x)
            wide = dense(4 * options.width, f"wide_{i}", "gelu")(normal)
            x = added(x, dense(options.width, f"narrow_{i}")(wide), f"narrow_{i}")
        x = keras.layers.LayerNormalization(name="normal")(x)
        return MaskedPooling("mean", name="pooled")(x, present)
