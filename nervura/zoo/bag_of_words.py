"""A linear network on the words of a text and pairs of them, each weighted by how rare it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Network, TrainingOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head


class BagOfWords(Network):
    """Each word, and each pair of neighbouring words, speaks for or against each answer; the sum decides.

    A term weighs (1 + log of its count) x its rareness, and the weights of a text have unit length (TF-IDF). Order beyond
    pairs plays no part. On most texts of a few thousand rows nothing deeper does better.

    Shapes: (batch, terms of a text, 2) -> (batch, outputs).
    Cost: terms x outputs weights, of which a text touches a few hundred.
    Choose it for texts, first of all.
    Paper: Wang and Manning, Baselines and Bigrams: Simple, Good Sentiment and Topic Classification (ACL 2012). How we differ:
    terms are weighted by TF-IDF, and the weights are those of a logistic or ridge regression, from which gradients may go on.
    """

    name = "bag_of_words"
    summary = "a linear network on the words of a text and pairs of them, weighted by how rare each is (the default)"
    takes = frozenset({"terms"})

    @dataclass
    class Options(TrainingOptions):
        epochs: int = option(0, "passes of gradients after the regression", low=0, high=100_000)
        patience: int = option(3, "passes without a better validation loss before training stops", low=1, high=100_000)
        batch_size: int = option(32, "rows per step; 0: by the number of rows", low=0, high=65_536)
        learning_rate: float = option(1e-4, "size of a step", low=1e-7, high=10.0)

    def build(self, tensors: list[Tensor], head: Head, options: Any, seed: int) -> keras.Model:
        import keras

        from nervura.layers.term_outputs import TermOutputs

        terms = next(tensor for tensor in tensors if tensor.name == "terms")
        given = {"terms": keras.Input(terms.shape, dtype=terms.dtype, name="terms")}
        outputs = TermOutputs(terms.sizes[0], head.units, head.activation, name="output")(given["terms"])
        return keras.Model(given, outputs, name=self.name)
