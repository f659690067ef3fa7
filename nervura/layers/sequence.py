"""What networks of sequences have in common: their input as steps, and recurrent layers one upon the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras

from nervura.layers.masked_pooling import MaskedPooling
from nervura.layers.patches import Patches
from nervura.layers.present import Present
from nervura.layers.zero_filled import ZeroFilled

if TYPE_CHECKING:
    from nervura.encoding import Tensor


def steps_of(
    inputs: dict[str, keras.KerasTensor], tensors: dict[str, Tensor], options: Any, seeds: Iterator[int]
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """A sequence as steps (batch, steps, width), and which of them are there, bool (batch, steps).

    Of series a step is one moment or ``options.patch`` of them; of tokens it is a learnt vector.
    """
    if "tokens" in inputs:
        tokens, start = inputs["tokens"], keras.initializers.RandomNormal(stddev=0.05, seed=next(seeds))
        embedded = keras.layers.Embedding(
            tensors["tokens"].sizes[0], options.embedding, embeddings_initializer=start, name="steps"
        )
        return embedded(tokens), Present(name="present")(tokens)
    x = inputs["series"]
    if options.patch > 1:
        x = Patches(options.patch, name="patches")(x)
    present = Present(name="present")(x)
    return ZeroFilled(name="steps")(x), present


def settle_patch(options: Any, tensors: list[Tensor], most: int) -> str | None:
    """Gives the option ``patch`` its value where it is left open: so many moments that a series has at most ``most`` steps."""
    length = next((tensor.shape[0] for tensor in tensors if tensor.name == "series"), 0)
    if options.patch or not length:
        options.patch = options.patch or 1
        return None
    options.patch = max(1, -(-length // most))
    if options.patch == 1:
        return None
    return f"Each step is {options.patch} moments, so that a series of {length:,} has at most {most} steps."


def recurrent(
    layer: type[keras.layers.Layer],
    x: keras.KerasTensor,
    present: keras.KerasTensor,
    options: Any,
    seeds: Iterator[int],
    **more: Any,
) -> keras.KerasTensor:
    """Recurrent layers one upon the other, and the states of the last one as one row (batch, features).

    Args:
        layer: ``SimpleRNN``, ``LSTM`` or ``GRU``.
        more: arguments of each layer.
    """

    def cell(name: str, whole: bool, **way: Any) -> keras.layers.Layer:
        return layer(
            options.units,
            return_sequences=whole,
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
            recurrent_initializer=keras.initializers.Orthogonal(seed=next(seeds)),
            # Also without dropout a recurrent layer keeps the state of a draw.
            seed=next(seeds),
            name=name,
            **more,
            **way,
        )

    for i in range(1, options.layers + 1):
        if options.dropout:
            x = keras.layers.Dropout(options.dropout, seed=next(seeds), name=f"dropout_{i}")(x)
        last = i == options.layers and options.readout == "last"
        made = cell(f"recurrent_{i}", not last)
        if options.bidirectional:
            back = cell(f"recurrent_{i}_back", not last, go_backwards=True)
            both = keras.layers.Bidirectional(made, backward_layer=back, name=f"both_ways_{i}")
            # They are copied, and the copy of a SimpleRNN forgets its seed.
            for copied, own in ((both.forward_layer, made), (both.backward_layer, back)):
                copied.cell.seed_generator.state.assign(own.cell.seed_generator.state)
            made = both
        x = made(x, mask=present)
    return x if options.readout == "last" else MaskedPooling(options.readout, name="pooled")(x, present)
