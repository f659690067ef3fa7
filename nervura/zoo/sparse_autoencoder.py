"""An autoencoder with a long code of which few numbers are other than zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nervura.rebuilding import layout
from nervura.zoo.base import Rebuilding, RebuildingOptions, option

if TYPE_CHECKING:
    import keras

    from nervura.encoding import Tensor
    from nervura.problems.base import Head

SHORTEST, LONGEST, ACTIVE_SHARE = 16, 1_000, 1 / 10


class SparseAutoencoder(Rebuilding):
    """An autoencoder whose code may be longer than the row, but of which only the largest few numbers are kept and all
    others set to zero: each row is told by which of many features it has, and how strongly.

    Shapes: as ``autoencoder``; the code has ``latent_dim`` numbers, ``active`` of them other than zero.
    Cost: as ``autoencoder``.
    Choose it for codes that people can read: each number stands for something that few rows have.
    Paper: Makhzani and Frey, k-Sparse Autoencoders (ICLR 2014). Here encoder and decoder have weights of their own, may
    have hidden layers, and keep as many numbers of new rows as in training.
    """

    name = "sparse_autoencoder"
    summary = "an autoencoder with a long code, mostly zeros"

    @dataclass
    class Options(RebuildingOptions):
        latent_dim: int = option(
            0, "numbers of the code; 0: twice the values of a row, 16 to 1,000", low=0, high=65_536
        )
        active: int = option(0, "of these, so many are kept; 0: a tenth", low=0, high=65_536)

    def settle(self, options: Any, head: Head, tensors: list[Tensor]) -> str | None:
        by_rule = not options.latent_dim
        if by_rule:
            options.latent_dim = max(SHORTEST, min(LONGEST, 2 * layout(tensors, 0).width))
        options.active = min(options.active or max(2, round(ACTIVE_SHARE * options.latent_dim)), options.latent_dim)
        told = super().settle(options, head, tensors)
        code = f"A code of {options.latent_dim} numbers, {options.active} of them other than zero."
        return " ".join([*([code] if by_rule else []), *([told] if told else [])]) or None

    def encode(
        self, given: keras.KerasTensor, reached: keras.KerasTensor, options: Any, seeds: Iterator[int]
    ) -> keras.KerasTensor:
        from nervura.layers.straight import dense
        from nervura.layers.strongest import Strongest

        return Strongest(options.active, name="code")(dense(options.latent_dim, "linear", seeds, "features")(reached))
