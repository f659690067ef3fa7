"""The usual second stage of the encoding: one flat row of numbers, flags and levels."""

from __future__ import annotations

from typing import Any

import keras

from nervura.encoding import Tensor
from nervura.layers.one_hot import OneHot
from nervura.layers.smooth_clip import SmoothClip


def row_parts(inputs: dict[str, Any], tensors: dict[str, Tensor], scale: keras.layers.Layer) -> list[Any]:
    """Numbers as ``scale`` gives them, flags as they are, one input per level: (batch, inputs) each, of those there are."""
    parts = []
    if "numbers" in inputs:
        parts.append(scale(inputs["numbers"]))
    if "flags" in inputs:
        parts.append(inputs["flags"])
    if "categories" in inputs:
        parts.append(OneHot(list(tensors["categories"].sizes), name="levels")(inputs["categories"]))
    return parts


def encoded_inputs(inputs: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    """Numbers clipped softly, flags as they are, one input per level: shape (batch, encoded inputs)."""
    parts = row_parts(inputs, tensors, SmoothClip(name="clipped"))
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="encoded")(parts)


def encoded_width(tensors: dict[str, Tensor]) -> int:
    """How many inputs ``encoded_inputs`` gives."""
    return sum(sum(tensor.sizes) if tensor.sizes else tensor.width for tensor in tensors.values())
