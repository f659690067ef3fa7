"""One linear map from what came before to what comes next: hard to beat in forecasting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import LearningOptions, Network, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head


class LinearWindow(Network):
    """Each step ahead is a weighted sum of the steps before; the weights are those of a ridge regression.

    Windows come around their own level and in units of their own spread, so that the map tells how a series goes on and not
    how large it is. It is drawn towards a plain forecast, the last season or the mean of the seasons in the window; how
    strongly, and towards which, is chosen by blocks of time that it has not learnt from. With few windows it is therefore
    nearly that plain forecast, and with many nearly ordinary least squares. What is known beforehand has weights too; the
    calendar has none, since the window holds the season.

    Shapes: (batch, length, channels) -> (batch, horizon).
    Cost: window x horizon weights; seconds for ten thousand windows. No epoch is needed.
    Choose it first. For few series, or short ones, there is little that is better.
    Paper: Zeng, Chen, Zhang and Xu, Are Transformers Effective for Time Series Forecasting? (AAAI 2023), whose DLinear and
    NLinear are linear maps as well; Toner and Darlow, An Analysis of Linear Time Series Forecasting Models (ICML 2024). How we
    differ: the weights are computed in place of epochs, as the second paper proposes, and drawn towards a plain forecast.
    """

    name = "linear_window"
    summary = "a linear map from the window to the steps ahead, by ridge regression"
    takes = frozenset({"series"})
    suits = frozenset({"forecasting"})
    straight = True

    @dataclass
    class Options(LearningOptions):
        epochs: int = option(0, "passes of gradients after the regression", low=0, high=100_000)
        patience: int = option(5, "passes without a better validation loss before training stops", low=1, high=100_000)
        learning_rate: float = option(1e-5, "size of a step", low=1e-7, high=10.0)

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        from nervura.layers.window_ridge import window_ridge

        return window_ridge(tensors["series"], head, "output")(inputs["series"])

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        return features
