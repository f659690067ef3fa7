"""An autoencoder whose codes are drawn from a distribution held near the standard normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import ConvolvingOptions, Rebuilding, option, seeds_from

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective


class VariationalAutoencoder(Rebuilding):
    """Each row has not one code but a normal distribution of codes, from which one is drawn in training; how far these are
    from the standard normal is paid for. Codes that are near each other then stand for rows that are alike, and a code
    drawn from the standard normal is that of a row such as those that were learnt.

    What is made small is the error of the rebuilt row and the Kullback-Leibler divergence of its distribution of codes
    from the standard normal: minus the evidence lower bound, where squared error is that of a normal of variance 1/2. The
    mean of the distribution is the code of new rows, and held-out rows are judged by it.

    Shapes and cost: as ``autoencoder``, and a second layer beside the code for the logarithms of the variances.
    Choose it for codes that fill their space evenly: to draw new rows, or to tell how probable a row is.
    Paper: Kingma and Welling, Auto-Encoding Variational Bayes (ICLR 2014). Here ``divergence`` weighs the second part, as
    in Higgins et al., beta-VAE (ICLR 2017).
    """

    name = "variational_autoencoder"
    summary = "an autoencoder whose codes are drawn from near the standard normal"

    @dataclass
    class Options(ConvolvingOptions):
        pixels: str = option(
            "cross_entropy",
            "what is made small of pictures, whose pixels go from 0 to 1",
            choices=("squared_error", "cross_entropy"),
        )
        divergence: float = option(1.0, "weight of the distance from the standard normal", low=0.0, high=1_000.0)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        import keras

        from nervura.layers.row_loss import OwnObjective
        from nervura.layers.variational_objective import VariationalObjective

        seeds = seeds_from([seed, 1])
        start = keras.initializers.GlorotUniform(seed=next(seeds))
        objective = VariationalObjective(model, options.divergence, options.pixels, next(seeds), start)
        return OwnObjective(model, objective, objective.others)
