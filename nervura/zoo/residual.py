"""Residual networks: blocks that add what they learn to what they are given."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.errors import OptionError
from nervura.zoo.base import SCHEDULES, MovingOptions, Network, option, settle_moves

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

SMALL_DEPTHS = (8, 14, 20, 32, 44, 56, 110)
"""6 n + 2 layers: the paper's networks for small pictures, and two shallower ones of their kind."""

LARGE_DEPTHS = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}
"""The blocks of each stage of the paper's networks for 224 x 224 pixels (its table 1)."""

BOTTLENECKED = 50
"""From this depth on, blocks of large pictures are three convolutions around a narrow middle."""

LARGE_SIDE = 128
"""By the rule, pictures whose shorter side has at least so many pixels are seen by a network for large ones."""

STEPS, SMALLEST_BATCH, LARGEST_BATCH = 20, 16, 128
"""By the rule an epoch has about so many steps, within these sizes of a batch; the paper's is the largest."""


class Residual(Network):
    """Two or three convolutions learn what to add to what they are given, instead of a whole new picture of it; so even a
    very deep network can be trained.

    Small pictures: a convolution of 3 x 3, then three stages of n blocks with 16, 32 and 64 filters, the maps half as large
    from stage to stage: 6 n + 2 layers, ``depth=20`` by the rule. Large pictures (``depth`` 18, 34, 50, 101 or 152): a
    convolution of 7 x 7 and pooling bring 224 x 224 down to 56 x 56, then come four stages of 64, 128, 256 and 512 filters;
    from 50 layers on a block is 1 x 1, 3 x 3 and 1 x 1, and gives four times its filters. The mean over the last maps goes
    to the output.

    Shapes: (batch, height, width, channels) -> (batch, height, width, 16) -> halved twice -> (batch, 64) -> (batch, outputs);
    large: (batch, 224, 224, 3) -> (batch, 56, 56, 64) -> (batch, 7, 7, 2048) -> (batch, 2048) -> (batch, outputs).
    Cost: ResNet-20 0.27 million weights and 41 million products for 32 x 32 x 3; ResNet-50 25.6 million and 3.9 billion.
    Choose it for pictures that reward depth and time: on a few cores ``airbench`` reaches more in the same minutes.
    Paper: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition (CVPR 2016). Small pictures: shortcuts take
    every second pixel and add zeros (option A); large ones: a 1 x 1 convolution where shapes differ (option B). How we
    differ: shifts continue the picture as in a mirror, not with black; pictures are mirrored where the training pictures
    allow it; the learning rate rises and falls in a triangle, and the weights go back to their average every five steps.
    """

    name = "residual"
    summary = "deep residual networks for pictures: ResNet-20 for small ones to ResNet-152"
    takes = frozenset({"pictures"})

    @dataclass
    class Options(MovingOptions):
        depth: int = option(
            0,
            "layers: 8, 14, 20, 32, 44, 56 or 110 for small pictures, 18, 34, 50, 101 or 152 for large ones; 0: 20, or 18 "
            "from 128 pixels on",
            low=0,
            high=152,
            search=(8, 14, 20, 32),
        )
        shift: int = option(-1, "longest shift in training, in pixels; -1: an eighth of the side", low=-1, high=64)
        epochs: int = option(60, "most passes over the training rows", low=1, high=100_000)
        patience: int = option(20, "passes without a better validation loss before training stops", low=1, high=100_000)
        batch_size: int = option(0, "rows per step; 0: a twentieth of the rows, 16 to 128", low=0, high=65_536)
        optimizer: str = option(
            "lookahead",
            "rule that turns gradients into steps",
            choices=("sgd", "rmsprop", "adam", "adamw", "lookahead"),
        )
        learning_rate: float = option(
            0.0,
            "size of a step at most; 0: 0.1 for classes and 0.01 for values, for every 128 rows of a batch",
            low=0.0,
            high=10.0,
            search=(0.0, 0.003, 0.03),
        )
        schedule: str = option(
            "triangular",
            "how the learning rate changes over the epochs",
            choices=SCHEDULES,
        )
        weight_decay: float = option(
            1e-3, "share of the weights taken away per unit of learning rate", low=0.0, high=1.0
        )

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        [pictures] = tensors
        side = min(pictures.shape[:2])
        options.depth = options.depth or (18 if side >= LARGE_SIDE else 20)
        if options.depth not in (*SMALL_DEPTHS, *LARGE_DEPTHS):
            raise OptionError(
                f"Residual networks have {', '.join(map(str, SMALL_DEPTHS))} layers for small pictures and "
                f"{', '.join(map(str, LARGE_DEPTHS))} for large ones; {options.depth} were asked for. Write --set depth=20."
            )
        if not options.batch_size:
            rows = pictures.facts.get("rows", STEPS * LARGEST_BATCH)
            wanted = 2 ** round(math.log2(max(1, rows / STEPS)))
            options.batch_size = max(SMALLEST_BATCH, min(LARGEST_BATCH, wanted))
        # The squared error of values has no bound, and at the rate of classes it was seen to grow without end.
        rate = 0.01 if head.activation == "linear" else 0.1
        options.learning_rate = options.learning_rate or rate * options.batch_size / LARGEST_BATCH
        return settle_moves(options, pictures, share=8)

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.moved import Moved
        from nervura.layers.picture_scale import PictureScale

        x = Moved(options.flips == "yes", options.shift, seed=next(seeds), name="moved")(inputs["pictures"])
        x = PictureScale(name="scaled")(x)
        x = _large(x, options.depth, seeds) if options.depth in LARGE_DEPTHS else _small(x, options.depth, seeds)
        return keras.layers.GlobalAveragePooling2D(name="mean")(x)


def _small(x: Any, depth: int, seeds: Iterator[int]) -> Any:
    x = _convolved(x, 16, 3, 1, seeds, "start")
    for stage, filters in enumerate((16, 32, 64), 1):
        for block in range(1, (depth - 2) // 6 + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _block(x, filters, stride, seeds, f"{stage}_{block}", free_shortcut=True)
    return x


def _large(x: Any, depth: int, seeds: Iterator[int]) -> Any:
    import keras

    narrow = depth >= BOTTLENECKED
    x = _convolved(x, 64, 7, 2, seeds, "start")
    x = keras.layers.MaxPooling2D(3, 2, padding="same", name="pooling")(x)
    for stage, blocks in enumerate(LARGE_DEPTHS[depth], 1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _block(x, 64 * 2 ** (stage - 1), stride, seeds, f"{stage}_{block}", narrow)
    return x


def _block(
    x: Any,
    filters: int,
    stride: int,
    seeds: Iterator[int],
    name: str,
    narrow: bool = False,
    free_shortcut: bool = False,
) -> Any:
    """Convolutions whose outcome is added to what they are given; ``narrow``: what leaves is four times as wide."""
    import keras

    from nervura.layers.free_shortcut import FreeShortcut

    width, given = filters * (4 if narrow else 1), x
    if narrow:
        x = _convolved(x, filters, 1, stride, seeds, f"{name}a")
        x = _convolved(x, filters, 3, 1, seeds, f"{name}b")
        x = _convolved(x, width, 1, 1, seeds, f"{name}c", activated=False)
    else:
        x = _convolved(x, filters, 3, stride, seeds, f"{name}a")
        x = _convolved(x, filters, 3, 1, seeds, f"{name}b", activated=False)
    if given.shape[-1] != width or stride > 1:
        if free_shortcut:
            given = FreeShortcut(width, stride, name=f"shortcut_{name}")(given)
        else:
            given = _convolved(given, width, 1, stride, seeds, f"shortcut_{name}", activated=False)
    x = keras.layers.Add(name=f"sum_{name}")([x, given])
    return keras.layers.Activation("relu", name=f"activation_{name}")(x)


def _convolved(
    x: Any,
    filters: int,
    kernel: int,
    stride: int,
    seeds: Iterator[int],
    name: str,
    activated: bool = True,
) -> Any:
    """A convolution, batch normalisation, which makes a bias of the convolution useless, and a relu."""
    import keras

    x = keras.layers.Conv2D(
        filters,
        kernel,
        stride,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
        name=f"convolution_{name}",
    )(x)
    x = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"normalization_{name}")(x)
    return keras.layers.Activation("relu", name=f"activation_{name}")(x) if activated else x
