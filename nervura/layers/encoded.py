"""The usual second stage of the encoding: one flat row of numbers, flags and levels."""

from __future__ import annotations

from typing import Any

import keras

from nervura.encoding import Tensor
from nervura.layers.one_hot import OneHot
from nervura.layers.smooth_clip import SmoothClip


def encoded_inputs(inputs: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    """Numbers clipped softly, flags as they are, one input per level: shape (batch, encoded inputs)."""
    parts = []
    if "numbers" in inputs:
        parts.append(SmoothClip(name="clipped")(inputs["numbers"]))
    if "flags" in inputs:
        parts.append(inputs["flags"])
    if "categories" in inputs:
        parts.append(OneHot(list(tensors["categories"].sizes), name="levels")(inputs["categories"]))
    return parts[0] if len(parts) == 1 else keras.layers.Concatenate(name="encoded")(parts)


def encoded_width(tensors: dict[str, Tensor]) -> int:
    """How many inputs ``encoded_inputs`` gives."""
    return sum(sum(tensor.sizes) if tensor.sizes else tensor.width for tensor in tensors.values())
