"""The fastest of the accurate ways to tell series apart: thousands of fixed kernels and a ridge regression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Network, TrainingOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

MANY_ROWS, EPOCHS = 3_000, 20
"""From so many rows on the regression is fitted on some of them, and gradients go on for so many epochs."""


class Minirocket(Network):
    """A series is told by how often each of many fixed patterns is found in it, and these shares by a ridge regression.

    There are 84 kernels of nine places, at up to 32 widths, each with several biases: 9,996 features. A feature is the
    share of moments at which its kernel answers above its bias. Nothing of this is learnt by gradients: biases are
    quantiles of what kernels answer on training series, and the output layer is computed. Up to 3,000 rows that is all,
    and no epoch is needed; of more rows the regression is fitted on some, and gradients go on from there.

    Each group of output weights leaves out one fold of the rows, so that it is known how well unseen series are answered;
    the mean of the groups answers for new ones.

    Shapes: (batch, length, channels) -> (batch, features) -> (batch, groups, outputs) -> (batch, outputs).
    Cost: length x features comparisons for a series; seconds for hundreds of series.
    Choose it for classes and values of series, few or many.
    Paper: Dempster, Schmidt and Webb, MiniRocket: A Very Fast (Almost) Deterministic Transform for Time Series
    Classification (KDD 2021). How we differ: sums are turned into probabilities by rows that the regression has not
    seen, the penalty is chosen by the loss of those, and a kernel sees at random some of several channels.
    """

    name = "minirocket"
    summary = "thousands of fixed kernels over a series, and a ridge regression on how often each finds its pattern"
    takes = frozenset({"series"})

    @dataclass
    class Options(TrainingOptions):
        features: int = option(
            10_000, "how many shares a series is told by, at most", low=84, high=100_000, search=(5_000, 10_000, 20_000)
        )
        folds: int = option(
            0,
            "groups of output weights, each fitted without one fold of the rows; 0: by the number of rows",
            low=0,
            high=5,
        )
        epochs: int = option(
            -1, "passes of gradients after the regression; -1: none up to 3,000 rows, else 20", low=-1, high=100_000
        )
        patience: int = option(3, "passes without a better validation loss before training stops", low=1, high=100_000)
        learning_rate: float = option(1e-5, "size of a step", low=1e-7, high=10.0)

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        if options.epochs < 0:
            options.epochs = 0 if tensors[0].facts.get("rows", 0) <= MANY_ROWS else EPOCHS
        return None

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        from nervura.layers.pooled_kernels import PooledKernels
        from nervura.layers.standard_scale import StandardScale

        shares = PooledKernels(options.features, seed=next(seeds), name="kernels")(inputs["series"])
        return StandardScale(name="standard")(shares)

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        from nervura.layers.member_mean import MemberMean
        from nervura.layers.ridge_members import RidgeMembers

        members = RidgeMembers(head.units, max(1, options.folds), head.activation, name="members")
        return MemberMean(name="output")(members(features))
