"""An autoencoder that rebuilds rows of which it sees a part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Rebuilding, StraightOptions, option, seeds_from

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective


class DenoisingAutoencoder(Rebuilding):
    """An autoencoder that in training sees each row with a share of its values set to zero, and has to rebuild all of it:
    it must learn how columns depend on each other, and cannot copy.

    Held-out rows, and rows to be coded, are seen whole.

    Shapes and cost: as ``autoencoder``.
    Choose it where the code may be about as long as the row, where values are often missing, or for few rows, which a
    plain autoencoder learns by heart.
    Paper: Vincent, Larochelle, Bengio and Manzagol, Extracting and Composing Robust Features with Denoising Autoencoders
    (ICML 2008). Here all layers are trained at once, and zero is the mean of a number, since numbers come standardised.
    """

    name = "denoising_autoencoder"
    summary = "an autoencoder that rebuilds rows of which a part is hidden"

    @dataclass
    class Options(StraightOptions):
        hidden_share: float = option(0.25, "share of the values that are set to zero in training", low=0.0, high=0.95)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        from nervura.layers.denoising_objective import DenoisingObjective
        from nervura.layers.row_loss import OwnObjective

        objective = DenoisingObjective(model, options.hidden_share, options.pixels, next(seeds_from([seed, 1])))
        return OwnObjective(model, objective, objective.others)
