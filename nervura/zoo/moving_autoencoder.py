"""An autoencoder that rebuilds pictures from moved ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Rebuilding, RebuildingOptions, option, seeds_from

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective
    from nervura.problems.base import Head


class MovingAutoencoder(Rebuilding):
    """An autoencoder that in training sees each picture shifted by a few pixels at random, and has to rebuild it unshifted:
    where in the picture a thing is then plays no part in its code, and pictures of like things have codes near each other.

    Held-out pictures, and pictures to be coded, are seen as they are.

    Shapes and cost: as ``autoencoder``.
    Choose it to group pictures, or to find those that are alike.
    Paper: Guo, Zhu, Liu and Yin, Deep Embedded Clustering with Data Augmentation (ACML 2018), where the moved picture itself
    is rebuilt; here, as in denoising autoencoders, it is the one that was moved.
    """

    name = "moving_autoencoder"
    summary = "an autoencoder that rebuilds pictures from moved ones"
    takes = frozenset({"pictures"})

    @dataclass
    class Options(RebuildingOptions):
        shift: int = option(-1, "longest shift in training, in pixels; -1: a tenth of the side", low=-1, high=64)

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        side = min(tensors[0].shape[:2])
        options.shift = min(round(side / 10) if options.shift < 0 else options.shift, side - 1)
        return super().settle(options, head, tensors)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        from nervura.layers.moving_objective import MovingObjective
        from nervura.layers.row_loss import OwnObjective

        objective = MovingObjective(model, options.shift, options.pixels, next(seeds_from([seed, 1])))
        return OwnObjective(model, objective, objective.others)
