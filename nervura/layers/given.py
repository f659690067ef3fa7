"""Rows as an autoencoder is to rebuild them, and its two halves on either side of the code."""

from __future__ import annotations

import keras

from nervura.encoding import PICTURES, WORDS, Tensor
from nervura.layers.encoded import row_parts
from nervura.layers.moved import Moved
from nervura.layers.standard_scale import StandardScale
from nervura.layers.word_shares import WordShares
from nervura.rebuilding import layout


def given_rows(
    inputs: dict[str, keras.KerasTensor], tensors: list[Tensor], shift: int = 0, seed: int = 0
) -> keras.KerasTensor:
    """Rows as they are to be rebuilt, (batch, width), given by a layer called ``given``; see ``nervura.rebuilding``.

    Pictures are moved in training by up to ``shift`` pixels each way.
    """
    by_name = {tensor.name: tensor for tensor in tensors}
    parts = row_parts(inputs, by_name, StandardScale(name="standard"))
    if WORDS in by_name:
        parts.append(WordShares(name="word_shares")(inputs[WORDS]))
    if PICTURES in by_name:
        x = Moved(False, shift, seed, name="moved")(inputs[PICTURES]) if shift else inputs[PICTURES]
        shares = keras.layers.Rescaling(1 / 255, name="shares")(x)
        parts.append(keras.layers.Flatten(name="pixels")(shares))
    return (
        keras.layers.Identity(name="given")(parts[0])
        if len(parts) == 1
        else keras.layers.Concatenate(name="given")(parts)
    )


def blocks_of(tensors: list[Tensor]) -> list[tuple[str, list[int]]]:
    """The kinds of the values of a given row and the sizes of their features, as layers take them."""
    return [(block.kind, list(block.sizes)) for block in layout(tensors, 0).blocks]


def halves_of(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """The layers of a network that rebuilds: from its inputs to the given row, and from that to code and last sums."""
    given = model.get_layer("given").output
    behind = [model.get_layer(name).output for name in ("code", "decoded")]
    return keras.Model(model.inputs, given), keras.Model(given, behind)
