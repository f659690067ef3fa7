"""The fastest known recipe for small pictures, for any size, channels and answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import SCHEDULES, MovingOptions, Network, option, sample, settle_moves

if TYPE_CHECKING:
    import keras
    import numpy as np

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

FILTERS = {1: [16, 64, 64], 3: [32, 128, 128]}
"""By the channels. The recipe has 64, 256 and 256; measured on two cores, these reach more in the same minutes."""

PASSES, FEWEST_EPOCHS, MOST_EPOCHS = 400_000, 8, 64
"""So many pictures are learnt from in all, those of each epoch counted anew, between these numbers of epochs."""

STEPS, SMALLEST_BATCH, LARGEST_BATCH = 50, 32, 512
"""An epoch has at least so many steps, of batches between these sizes."""

RATE = 1.5 / 1_024
"""The learning rate for each picture of a batch: the recipe sums the loss over a batch of 1,024."""

USUAL_ROWS = 10_000
"""Where the number of rows is not told."""

RECIPE_SIDE = 32
"""Of the recipe's pictures; the first convolution brings larger ones down to about that."""


class Airbench(Network):
    """The recipe that learns CIFAR-10 faster than any other known, carried over to pictures of any size.

    The first convolution is computed instead of learnt: patches of the training pictures, decorrelated. Blocks of two
    convolutions follow, with pooling after the first; they begin as the identity, so that the picture comes through
    from the first step. Training pictures are shifted a little, and mirrored in every second pass. The learning rate
    rises and falls in a triangle; steps follow Nesterov with weight decay of its own, and every five steps the weights
    go part of the way back to their average. The answer is the mean over shifted and mirrored views.

    Shapes: (batch, height, width, channels) -> (batch, height - 1, width - 1, 8 x channels) -> (batch, height / 2, width / 2,
    filters) repeated -> (batch, filters) -> (batch, outputs).
    Cost: for 32 x 32 x 3 and all filters 2 million weights and 118 million products a picture.
    Choose it for pictures of up to about 100 pixels a side, with classes or values; it is the default.
    Paper: K. Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU (2024). How we differ: the first convolution takes
    longer steps, with larger patches, over pictures from 64 pixels on; the number of passes follows from the number of
    pictures, and from the budget; there are fewer filters unless you ask for more; whether to mirror is found out from
    the training pictures; the bias of the first convolution learns throughout.
    """

    name = "airbench"
    summary = "the fastest known recipe for small pictures (their default)"
    takes = frozenset({"pictures"})
    stretch = 4

    @dataclass
    class Options(MovingOptions):
        filters: list[int] = option(
            [],
            "filters of each block; empty: 16,64,64 for grey pictures, 32,128,128 for coloured ones",
            low=1,
            high=4_096,
        )
        views: bool = option(True, "whether the answer is the mean over shifted and mirrored views of a picture")
        epochs: int = option(
            0,
            "passes over the training rows; 0: 400,000 / rows, 8 to 64, and up to four times as many as --minutes allow",
            low=0,
            high=100_000,
        )
        patience: int = option(
            100_000, "passes without a better validation loss before training stops", low=1, high=100_000
        )
        batch_size: int = option(0, "rows per step; 0: a fiftieth of the rows, 32 to 512", low=0, high=65_536)
        optimizer: str = option(
            "lookahead",
            "rule that turns gradients into steps",
            choices=("sgd", "rmsprop", "adam", "adamw", "lookahead"),
        )
        learning_rate: float = option(
            0.0, "size of a step at most; 0: 1.5 for every 1,024 rows of a batch", low=0.0, high=100.0
        )
        schedule: str = option(
            "triangular",
            "how the learning rate changes over the epochs",
            choices=SCHEDULES,
        )
        momentum: float = option(0.85, "share of the last step kept, for sgd and lookahead", low=0.0, high=0.999)
        weight_decay: float = option(
            0.009, "share of the weights taken away per unit of learning rate", low=0.0, high=1.0
        )
        label_smoothing: float = option(0.2, "share of certainty moved from the true class to all", low=0.0, high=0.5)

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        [pictures] = tensors
        rows = pictures.facts.get("rows", USUAL_ROWS)
        options.filters = options.filters or FILTERS[pictures.shape[-1]]
        options.epochs = options.epochs or max(FEWEST_EPOCHS, min(MOST_EPOCHS, round(PASSES / rows)))
        if not options.batch_size:
            wanted = 2 ** round(math.log2(max(1, rows / STEPS)))
            options.batch_size = max(SMALLEST_BATCH, min(LARGEST_BATCH, wanted))
        options.learning_rate = options.learning_rate or RATE * options.batch_size
        return settle_moves(options, pictures)

    def prepare(self, model: keras.Model, batch: dict[str, np.ndarray]) -> None:
        import keras

        pictures = sample(batch["pictures"])
        scaled = model.get_layer("scaled")
        scaled.adapt(pictures)
        model.get_layer("whitened").adapt(keras.ops.convert_to_numpy(scaled(pictures)))

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.identity_kernel import IdentityKernel
        from nervura.layers.moved import Moved
        from nervura.layers.paced_bias import PacedBias
        from nervura.layers.picture_scale import PictureScale
        from nervura.layers.views import Views
        from nervura.layers.whitened_patches import WhitenedPatches

        x, flips, shift = inputs["pictures"], options.flips == "yes", options.shift
        if options.views:
            x = Views(flips, (shift + 1) // 2, name="views")(x)
        x = Moved(flips, shift, seed=next(seeds), name="moved")(x)
        x = PictureScale(name="scaled")(x)
        side = min(x.shape[1:3])
        stride = max(1, side // RECIPE_SIDE)
        x = WhitenedPatches(min(stride + 1, side), stride, name="whitened")(x)
        x = keras.layers.Activation("gelu", name="whitened_activation")(x)
        for i, filters in enumerate(options.filters, 1):
            for part in "ab":
                start = IdentityKernel(next(seeds))
                name = f"{i}{part}"
                x = keras.layers.Conv2D(
                    filters, 3, padding="same", use_bias=False, kernel_initializer=start, name=f"convolution_{name}"
                )(x)
                if part == "a":
                    x = keras.layers.MaxPooling2D([2 if s > 1 else 1 for s in x.shape[1:3]], name=f"pooling_{i}")(x)
                x = keras.layers.BatchNormalization(
                    momentum=0.6, epsilon=1e-12, center=False, scale=False, name=f"normalization_{name}"
                )(x)
                x = PacedBias(8.0, name=f"bias_{name}")(x)
                x = keras.layers.Activation("gelu", name=f"activation_{name}")(x)
        return keras.layers.GlobalMaxPooling2D(name="strongest")(x)

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        import keras

        from nervura.layers.views import MeanOfViews

        start = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", seed=next(seeds))
        x = keras.layers.Rescaling(1 / 9, name="ninth")(features)
        x = keras.layers.Dense(head.units, use_bias=head.activation == "linear", kernel_initializer=start, name="sums")(
            x
        )
        if options.views:
            x = MeanOfViews(options.flips == "yes", (options.shift + 1) // 2, name="mean_of_views")(x)
        return keras.layers.Activation(head.activation, dtype="float32", name="output")(x)
