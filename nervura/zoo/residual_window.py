"""What a linear map leaves of a window, told by dense layers with shortcuts: TiDE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import LearningOptions, Network, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head


class ResidualWindow(Network):
    """A linear map of the window, and dense blocks that learn what it leaves.

    A block is a hidden layer with relu, a linear layer, a shortcut around both and layer normalisation. The blocks see the
    window, the calendar and what is known beforehand, of the steps before and those ahead, squeezed to a few numbers a step.
    The linear map begins as the ridge regression of ``linear_window``, and the blocks begin by adding nothing: training starts
    where that network ends.

    Shapes: (batch, length, channels) -> (batch, length * few + window) -> (batch, width) repeated -> (batch, horizon).
    Cost: a block has 2 x width x hidden weights; minutes for ten thousand windows.
    Choose it for many series, or where the calendar and what is known beforehand matter in other than straight lines.
    Paper: Das, Kong, Leach, Mathur, Sen and Yu, Long-term Forecasting with TiDE: Time-series Dense Encoder (TMLR 2023). How we
    differ: one decoder for all steps, and a linear part that is computed first.
    """

    name = "residual_window"
    summary = "a linear map of the window, and dense blocks that learn what it leaves: TiDE"
    takes = frozenset({"series"})
    suits = frozenset({"forecasting"})
    straight = True

    @dataclass
    class Options(LearningOptions):
        hidden: list[int] = option([128, 128], "neurons inside each block", low=1, high=4_096)
        width: int = option(128, "numbers that a block gives", low=1, high=4_096)
        beside: int = option(4, "numbers that a step's calendar and known values are squeezed to", low=1, high=64)
        dropout: float = option(
            0.3, "share of what a block's hidden layer gives set to zero in training", low=0.0, high=0.95
        )
        epochs: int = option(20, "most passes over the training rows", low=1, high=100_000)
        patience: int = option(3, "passes without a better validation loss before training stops", low=1, high=100_000)
        learning_rate: float = option(3e-4, "size of a step", low=1e-7, high=10.0, search=(1e-4, 3e-4, 1e-3))

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.window_ridge import Channels, window_ridge

        def dense(size: int, activation: str | None, name: str) -> keras.layers.Layer:
            start = keras.initializers.GlorotUniform(seed=next(seeds))
            return keras.layers.Dense(size, activation=activation, kernel_initializer=start, name=name)

        x, facts = inputs["series"], tensors["series"].facts
        seen = [Channels(0, 1, facts["window"], name="window")(x)]
        if facts["channels"] > 1:
            beside = Channels(1, facts["channels"] - 1, facts["length"], name="beside")(x)
            squeezed = dense(options.beside, "relu", "squeezed")(beside)
            seen.append(keras.layers.Flatten(name="squeezed_steps")(squeezed))
        seen[0] = keras.layers.Flatten(name="window_steps")(seen[0])
        made = keras.layers.Concatenate(name="seen")(seen) if len(seen) > 1 else seen[0]
        for number, size in enumerate(options.hidden, 1):
            inner = dense(size, "relu", f"hidden_{number}")(made)
            inner = dense(options.width, None, f"linear_{number}")(inner)
            if options.dropout:
                inner = keras.layers.Dropout(options.dropout, seed=next(seeds), name=f"dropout_{number}")(inner)
            made = keras.layers.Add(name=f"sum_{number}")(
                [inner, dense(options.width, None, f"shortcut_{number}")(made)]
            )
            made = keras.layers.LayerNormalization(name=f"normalization_{number}")(made)
        left = keras.layers.Dense(head.units, kernel_initializer="zeros", name="left")(made)
        straight = window_ridge(tensors["series"], head, "straight")(x)
        return keras.layers.Add(name="output")([straight, left])

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        return features
