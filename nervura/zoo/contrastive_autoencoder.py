"""An autoencoder of documents that also learns which halves of documents belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Rebuilding, RebuildingOptions, option, seeds_from

if TYPE_CHECKING:
    import keras
    import numpy as np

    from nervura.encoding import Tensor
    from nervura.layers.row_loss import OwnObjective
    from nervura.problems.base import Head

USUAL_HIDDEN, USUAL_CODE = [500, 250], 128


class ContrastiveAutoencoder(Rebuilding):
    """Each document is thinned twice: of its words some are kept by chance. The codes of the two copies are to be near each
    other, as cosines go, and far from those of the other documents of the batch; and the whole document is to be rebuilt
    from the code of one copy.

    A straight path leads from the words to the code beside the hidden layers. It begins as latent semantic analysis, the
    singular vectors of the weights of words, and the hidden layers begin by adding nothing: few documents are then placed
    no worse than by that.

    What two copies of a document have in common is what it is about, so that documents on one subject lie together though
    they share few words. What is made small is the cross-entropy of telling a copy's twin among the batch, and
    ``rebuilding`` times that of the words as draws from one multinomial distribution.

    Shapes: (batch, words) -> hidden layers -> (batch, latent_dim) -> the same layers backwards -> (batch, words).
    Cost: as ``autoencoder``, and the encoder twice a step.
    Choose it for documents: to find those that are alike, and for topics.
    Papers: Tosh, Krishnamurthy and Hsu, Contrastive Estimation Reveals Topic Posterior Information to Linear Models (JMLR,
    2021), for halves of documents; Chen et al., A Simple Framework for Contrastive Learning (ICML 2020), for the loss. The
    deep autoencoder around it is that of Hinton and Salakhutdinov (Science, 2006).
    """

    name = "contrastive_autoencoder"
    summary = "an autoencoder of documents that learns which halves of documents belong together"
    takes = frozenset({"words"})
    suits = frozenset({"topics"})

    @dataclass
    class Options(RebuildingOptions):
        kept: float = option(0.5, "share of a document's different words in each copy of it", low=0.05, high=0.95)
        temperature: float = option(0.1, "what cosines are divided by", low=0.01, high=10.0)
        rebuilding: float = option(
            1.0, "weight of rebuilding the document beside telling copies apart", low=0.0, high=1e3
        )
        epochs: int = option(15, "most passes over the training rows", low=1, high=100_000)
        schedule: str = option(
            "cosine", "how the learning rate changes over the epochs", choices=("constant", "cosine", "stable_decay")
        )
        weight_decay: float = option(
            1e-4, "share of the weights taken away per unit of learning rate, for adamw", low=0.0, high=1.0
        )

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        options.hidden = options.hidden or list(USUAL_HIDDEN)
        options.latent_dim = options.latent_dim or USUAL_CODE
        return None

    def prepare(self, model: keras.Model, batch: dict[str, np.ndarray]) -> None:
        from nervura.layers.straight import straighten_directions

        super().prepare(model, batch)
        straighten_directions(model, batch)

    def reach(
        self, given: keras.KerasTensor, tensors: list[Tensor], options: Any, seeds: Iterator[int]
    ) -> keras.KerasTensor:
        import keras

        direction = keras.layers.UnitNormalization(name="unit_length")(given)
        scaled = keras.layers.Rescaling(float(given.shape[-1]) ** 0.5, name="scaled")(direction)
        return super().reach(scaled, tensors, options, seeds)

    def encode(
        self, given: keras.KerasTensor, reached: keras.KerasTensor, options: Any, seeds: Iterator[int]
    ) -> keras.KerasTensor:
        import keras

        from nervura.layers.straight import joined

        direction = keras.layers.UnitNormalization(name="direction")(given)
        return joined(direction, reached, options.latent_dim, seeds, "code", straight=True)

    def learner(self, model: keras.Model, tensors: list[Tensor], options: Any, seed: int) -> OwnObjective | None:
        from nervura.layers.contrastive_objective import ContrastiveObjective
        from nervura.layers.row_loss import OwnObjective

        told = (options.kept, options.temperature, options.rebuilding)
        objective = ContrastiveObjective(model, *told, next(seeds_from([seed, 1])))
        return OwnObjective(model, objective, objective.others)
