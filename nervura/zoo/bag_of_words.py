"""A linear network on the words of a text and pairs of them, each weighted by how rare it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import SCHEDULES, Network, TrainingOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

SCALE = 10.0
"""Weights of a text have unit length, so that those of the network would have to be large."""


class BagOfWords(Network):
    """Each word, and each pair of neighbouring words, speaks for or against each answer; the sum decides.

    A term weighs (1 + log of its count) x its rareness, and the weights of a text have unit length (TF-IDF). Order beyond
    pairs plays no part. On most texts of a few thousand rows nothing deeper does better.

    Shapes: (batch, terms of a text, 2) -> (batch, outputs).
    Cost: terms x outputs weights, of which a text touches a few hundred.
    Choose it for texts, first of all.
    Paper: Wang and Manning, Baselines and Bigrams: Simple, Good Sentiment and Topic Classification (ACL 2012). How we differ:
    terms are weighted by TF-IDF, and all weights are learnt by gradients that stop by validation rows.
    """

    name = "bag_of_words"
    summary = "a linear network on the words of a text and pairs of them, weighted by how rare each is (the default)"
    takes = frozenset({"terms"})

    @dataclass
    class Options(TrainingOptions):
        epochs: int = option(40, "most passes over the training rows", low=1, high=100_000)
        patience: int = option(4, "passes without a better validation loss before training stops", low=1, high=100_000)
        batch_size: int = option(64, "rows per step; 0: by the number of rows", low=0, high=65_536)
        learning_rate: float = option(0.02, "size of a step", low=1e-7, high=10.0, search=(0.01, 0.02, 0.05))
        weight_decay: float = option(
            0.0, "share of the weights taken away per unit of learning rate, for adamw", low=0.0, high=1.0
        )
        schedule: str = option("constant", "how the learning rate changes over the epochs", choices=SCHEDULES)

    def features(
        self,
        inputs: dict[str, keras.KerasTensor],
        tensors: dict[str, Tensor],
        head: Head,
        options: Any,
        seeds: Iterator[int],
    ) -> keras.KerasTensor:
        from nervura.layers.term_sums import TermSums

        return TermSums(tensors["terms"].sizes[0], head.units, SCALE, name="terms_summed")(inputs["terms"])

    def head(self, features: keras.KerasTensor, head: Head, options: Any, seeds: Iterator[int]) -> keras.KerasTensor:
        from nervura.layers.shifted import Shifted

        return Shifted(head.activation, name="output")(features)
