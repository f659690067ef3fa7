"""A text as the mean of its words' learnt vectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.zoo.base import Network, SequenceOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head


class BagOfEmbeddings(Network):
    """Each token is a learnt vector; the mean and the largest value of each of its numbers over the text decide.

    Order plays no part. It is the baseline of the networks that read it: ``lstm``, ``gru``, ``attention`` and
    ``temporal_convolution``.

    Shapes: (batch, length) -> (batch, length, embedding) -> (batch, 2 x embedding) -> (batch, outputs).
    Cost: tokens x embedding weights, of which a text touches a few hundred.
    Choose it for texts of tens of thousands of rows, beside ``bag_of_words``.
    Paper: Joulin, Grave, Bojanowski and Mikolov, Bag of Tricks for Efficient Text Classification (EACL 2017). How we differ:
    words that are not listed share vectors by their hash, pairs of words have none, and largest values are read too.
    """

    name = "bag_of_embeddings"
    summary = "a text as the mean of its words' learnt vectors"
    takes = frozenset({"tokens"})

    @dataclass
    class Options(SequenceOptions):
        dropout: float = option(
            0.3, "share of the text's numbers set to zero in training, the rest scaled up", low=0.0, high=0.95
        )
        learning_rate: float = option(3e-3, "size of a step", low=1e-7, high=10.0, search=(1e-3, 3e-3, 1e-2))
        patience: int = option(5, "passes without a better validation loss before training stops", low=1, high=100_000)

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
        from nervura.layers.sequence import steps_of

        x, present = steps_of(inputs, tensors, options, seeds)
        x = MaskedPooling("both", name="pooled")(x, present)
        return keras.layers.Dropout(options.dropout, seed=next(seeds), name="dropout")(x) if options.dropout else x
