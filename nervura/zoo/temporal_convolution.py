"""The fully convolutional network for series: three convolutions along time and the mean over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.errors import OptionError
from nervura.zoo.base import Network, SequenceOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

MOST_STEPS = 1_024
"""A longer series is read several moments at a time."""


class TemporalConvolution(Network):
    """Filters slide along a series and answer where their pattern is; the mean of their answers over time decides.

    A block is a convolution, batch normalisation and relu. There is no pooling between the blocks, so that the length of
    the series plays no part in the number of weights. Moments beyond the end of a series count nowhere.

    Shapes: (batch, length, channels) -> (batch, steps, filters) repeated -> (batch, filters) -> (batch, outputs).
    Cost: a block has kernel x channels x filters weights and as many products for each step.
    Choose it for series with some hundreds of rows or more, as the deep network beside ``minirocket``.
    Paper: Wang, Yan and Oates, Time Series Classification from Scratch with Deep Neural Networks: A Strong Baseline (IJCNN
    2017). How we differ: training stops by validation rows, and series may differ in length.
    """

    name = "temporal_convolution"
    summary = "three convolutions along time and the mean over it: the fully convolutional network for series"
    takes = frozenset({"series", "tokens"})
    suits = Network.suits | {"forecasting"}

    @dataclass
    class Options(SequenceOptions):
        filters: list[int] = option(
            [128, 256, 128],
            "filters of each block, such as 128,256,128",
            low=1,
            high=4_096,
            search=([64, 128, 64], [128, 256, 128]),
        )
        kernels: list[int] = option(
            [8, 5, 3], "steps that a filter of each block covers, such as 8,5,3", low=1, high=255
        )
        readout: str = option(
            "mean",
            "what is read of the last block over all steps",
            choices=("mean", "max", "both"),
            search=("mean", "both"),
        )
        learning_rate: float = option(1e-3, "size of a step", low=1e-7, high=10.0, search=(3e-4, 1e-3, 3e-3))
        epochs: int = option(200, "most passes over the training rows", low=1, high=100_000)
        patience: int = option(30, "passes without a better validation loss before training stops", low=1, high=100_000)
        batch_size: int = option(16, "rows per step; 0: by the number of rows", low=0, high=65_536)

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        from nervura.layers.sequence import settle_patch

        if len(options.kernels) != len(options.filters):
            raise OptionError(
                f"Each block has filters and a kernel; given were {len(options.filters)} numbers of filters and "
                f"{len(options.kernels)} kernels. Write --set filters=128,256,128 kernels=8,5,3."
            )
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

        from nervura.layers.masked_pooling import MaskedPooling
        from nervura.layers.masked_steps import MaskedSteps
        from nervura.layers.sequence import steps_of

        x, present = steps_of(inputs, tensors, options, seeds)
        for i, (filters, kernel) in enumerate(zip(options.filters, options.kernels, strict=True), 1):
            x = keras.layers.Conv1D(
                filters,
                kernel,
                padding="same",
                use_bias=False,
                kernel_initializer=keras.initializers.HeUniform(seed=next(seeds)),
                name=f"convolution_{i}",
            )(x)
            x = keras.layers.BatchNormalization(name=f"normalization_{i}")(x, mask=present)
            x = keras.layers.Activation("relu", name=f"activation_{i}")(x)
            x = MaskedSteps(name=f"masked_{i}")(x, present)
        return MaskedPooling(options.readout, name="pooled")(x, present)
