"""The textbook network for pictures: convolution, pooling, flattening, full connection."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.errors import OptionError
from nervura.zoo.base import ACTIVATIONS, Network, PictureOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

FIRST_FILTERS, MOST_FILTERS = 32, 256
SMALL_ENOUGH = 8
"""By the rule, blocks follow each other until the longer side of the maps has at most so many places."""

MOST_BLOCKS = 6


class Convolutional(Network):
    """The four steps in their plain form. Convolution: small filters slide over the picture and answer where their
    pattern is. Pooling: of each 2 x 2 places the strongest answer (or the mean) is kept, which halves the sides and
    forgives small shifts. Flattening: the maps become one row of numbers. Full connection: these numbers decide.

    A block is a convolution, an activation and pooling. By the rule there are two blocks, or as many as bring the
    longer side of the maps down to 8 places, and each has twice the filters of the one before: 32, 64, 128, at most
    256. ``filters=6,16 kernel=5 padding=valid pooling=average dense=120,84 activation=tanh dropout=0`` is LeNet-5.

    Shapes: (batch, height, width, channels) -> (batch, height / 2, width / 2, filters) repeated -> (batch, numbers) ->
    (batch, dense) -> (batch, outputs).
    Cost: a block has kernel^2 x channels x filters weights and as many products for each place of its map; most
    weights stand in the first full connection.
    Choose it to see how such networks work, and as the baseline of deeper ones.
    Paper: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (Proceedings of the
    IEEE 86, 1998). How we differ: filters see all maps below them, pooling has no weights, the output is the problem's.
    """

    name = "convolutional"
    summary = "the four steps for pictures: convolution, pooling, flattening, full connection"
    takes = frozenset({"pictures"})
    pretrains = True

    @dataclass
    class Options(PictureOptions):
        filters: list[int] = option(
            [],
            "filters of each block, such as 32,64; empty: by the rule",
            low=1,
            high=4_096,
            search=([], [16, 32], [32, 64], [32, 64, 128], [64, 128, 256]),
        )
        kernel: int = option(3, "side of a filter", low=1, high=15, search=(3, 5))
        padding: str = option(
            "same", "same: zeros around the maps, so that they keep their size; valid: none", choices=("same", "valid")
        )
        pooling: str = option(
            "max", "what is kept of each 2 x 2 places", choices=("max", "average", "none"), search=("max", "average")
        )
        normalization: str = option("none", "what keeps a block's sums in range", choices=("none", "batch"))
        dense: list[int] = option(
            [128], "neurons of each full connection before the output", low=1, high=65_536, search=([128], [256])
        )
        activation: str = option("relu", "what a filter or neuron does with its sum", choices=ACTIVATIONS)
        dropout: float = option(
            0.5,
            "share of the numbers before each full connection set to zero in training, the rest scaled up",
            low=0.0,
            high=0.95,
            search=(0.0, 0.25, 0.5),
        )
        epochs: int = option(30, "most passes over the training rows", low=1, high=100_000)
        patience: int = option(5, "passes without a better validation loss before training stops", low=1, high=100_000)
        batch_size: int = option(64, "rows per step; 0: by the number of rows", low=0, high=65_536)

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.picture_scale import PictureScale

        x = PictureScale(name="scaled")(inputs["pictures"])
        for i, filters in enumerate(options.filters or filters_by_rule(*x.shape[1:3]), 1):
            _check_room(x, i, options)
            x = keras.layers.Conv2D(
                filters,
                options.kernel,
                padding=options.padding,
                use_bias=options.normalization == "none",
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                name=f"convolution_{i}",
            )(x)
            if options.normalization == "batch":
                x = keras.layers.BatchNormalization(name=f"normalization_{i}")(x)
            x = keras.layers.Activation(options.activation, name=f"activation_{i}")(x)
            if options.pooling != "none":
                pool = keras.layers.MaxPooling2D if options.pooling == "max" else keras.layers.AveragePooling2D
                # A side of one place cannot be halved.
                x = pool([2 if side > 1 else 1 for side in x.shape[1:3]], name=f"pooling_{i}")(x)
        x = keras.layers.Flatten(name="flattened")(x)
        for i, size in enumerate(options.dense, 1):
            if options.dropout:
                x = keras.layers.Dropout(options.dropout, seed=next(seeds), name=f"dropout_{i}")(x)
            x = keras.layers.Dense(
                size,
                activation=options.activation,
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                name=f"dense_{i}",
            )(x)
        if options.dropout:
            x = keras.layers.Dropout(options.dropout, seed=next(seeds), name=f"dropout_{len(options.dense) + 1}")(x)
        return x


def filters_by_rule(height: int, width: int) -> list[int]:
    """The filters of each block: two blocks, or as many as bring the longer side down to 8 places."""
    blocks = max(2, math.ceil(math.log2(max(height, width) / SMALL_ENOUGH)))
    return [min(FIRST_FILTERS * 2**i, MOST_FILTERS) for i in range(min(blocks, MOST_BLOCKS))]


def _check_room(maps: keras.KerasTensor, block: int, options: Any) -> None:
    """Raises OptionError where the maps have become smaller than a filter that may not reach over their border."""
    height, width = maps.shape[1:3]
    if options.padding == "valid" and min(height, width) < options.kernel:
        raise OptionError(
            f"Without padding a filter must fit into the maps: block {block} has filters of {options.kernel} x "
            f"{options.kernel} places and maps of {height} x {width}. Write --set padding=same, a smaller kernel or "
            "fewer blocks, as with --set filters=32,64."
        )
