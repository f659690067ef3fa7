"""A deep network for tables: what numbers and levels need before they are mixed, then a stack of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import ACTIVATIONS, Network, TrainingOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

DROPOUT = {False: 0.3, True: 0.0}
"""By whether a value is asked for: measured on tables of 5,000 rows, dropout helps classes and harms values."""

MOST_ONE_HOT = 512
"""Up to this many levels over all columns each gets an input of its own; measured, that beats learnt vectors there."""


class DeepFeedForward(Network):
    """A strong default for tables: numbers enter clipped softly and as their place among the quantiles of the training
    rows, levels as one input each or, of many, as learnt vectors, and a stack of blocks mixes them.

    A block is a full connection, layer normalisation where asked, an activation and dropout; residual blocks add their
    input to their output.

    Shapes: (batch, encoded inputs) -> (batch, width) repeated -> (batch, outputs).
    Cost: about encoded inputs x width + blocks x width^2 weights.
    Choose it for a table of a thousand rows or more, beside boosted trees.
    Papers: Gorishniy et al., Revisiting Deep Learning Models for Tabular Data (NeurIPS 2021), and On Embeddings for
    Numerical Features (NeurIPS 2022). Here the quantile bins of all numbers share one full connection, without a
    vector per number, which is faster.
    """

    name = "deep_feed_forward"
    summary = "a deep network for tables: quantile bins, embeddings, dropout (the default)"
    pretrains = True

    @dataclass
    class Options(TrainingOptions):
        hidden: list[int] = option(
            [128, 128],
            "neurons of each block",
            low=1,
            high=65_536,
            search=([128, 128], [256, 256], [128, 128, 128], [512, 256]),
        )
        activation: str = option("relu", "what a hidden neuron does with its sum", choices=ACTIVATIONS)
        dropout: float = option(
            -1.0,
            "share of hidden outputs set to zero in training, the rest scaled up; -1: 0.3 for classes, 0 for values",
            low=-1.0,
            high=0.95,
            search=(0.0, 0.1, 0.3, 0.5),
        )
        blocks: str = option("plain", "residual: blocks of equal width add their input", choices=("plain", "residual"))
        normalization: str = option("none", "what keeps a block's sums in range", choices=("none", "layer", "batch"))
        bins: int = option(16, "most quantile bins per number; 0: numbers enter as they are", low=0, high=512)
        embedding: int = option(8, "longest vector of a category's level", low=1, high=1_024)
        l1: float = option(0.0, "price of the sum of the weights' sizes", low=0.0, high=10.0)
        l2: float = option(0.0, "price of the sum of the weights' squares", low=0.0, high=10.0)
        weight_decay: float = option(
            3e-2,
            "share of the weights taken away per unit of learning rate, for adamw",
            low=0.0,
            high=1.0,
            search=(0.0, 3e-3, 3e-2),
        )

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        price = keras.regularizers.L1L2(options.l1, options.l2) if options.l1 or options.l2 else None
        dropout = options.dropout if options.dropout >= 0 else DROPOUT[head.activation == "linear"]
        x = self._enter(inputs, tensors, options, seeds)
        for i, size in enumerate(options.hidden, 1):
            before = x
            x = keras.layers.Dense(
                size,
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                kernel_regularizer=price,
                name=f"hidden_{i}",
            )(x)
            if options.normalization == "layer":
                x = keras.layers.LayerNormalization(name=f"normalization_{i}")(x)
            elif options.normalization == "batch":
                x = keras.layers.BatchNormalization(name=f"normalization_{i}")(x)
            x = keras.layers.Activation(options.activation, name=f"activation_{i}")(x)
            if dropout:
                x = keras.layers.Dropout(dropout, seed=next(seeds), name=f"dropout_{i}")(x)
            if options.blocks == "residual" and before.shape[-1] == size:
                x = keras.layers.Add(name=f"sum_{i}")([x, before])
        return x

    def _enter(
        self, inputs: dict[str, keras.KerasTensor], tensors: dict[str, Tensor], options: Any, seeds: Iterator[int]
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.level_embedding import LevelEmbedding
        from nervura.layers.one_hot import OneHot
        from nervura.layers.quantile_bins import QuantileBins
        from nervura.layers.smooth_clip import SmoothClip

        parts = []
        if "numbers" in inputs:
            parts.append(SmoothClip(name="clipped")(inputs["numbers"]))
            if options.bins:
                # Thousands of numbers would make millions of bins: the bins shrink as the columns grow.
                bins = max(2, min(options.bins, 8_192 // tensors["numbers"].width))
                parts.append(QuantileBins(bins, name="bins")(inputs["numbers"]))
        if "flags" in inputs:
            parts.append(inputs["flags"])
        if "categories" in inputs:
            sizes = list(tensors["categories"].sizes)
            if sum(sizes) <= MOST_ONE_HOT:
                parts.append(OneHot(sizes, name="levels")(inputs["categories"]))
            else:
                widths = [min(options.embedding, size) for size in sizes]
                parts.append(LevelEmbedding(sizes, widths, seed=next(seeds), name="levels")(inputs["categories"]))
        return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="encoded")(parts)
