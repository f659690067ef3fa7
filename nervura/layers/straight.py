"""The layers of an autoencoder, and the straight path beside them that begins as principal components."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
from scipy.linalg import eigh

from nervura.rebuilding import places

DIRECTED_AT_ONCE = 2_000
STRAIGHTENED_ROWS, WIDEST_STRAIGHTENED, FEWEST_OF_A_LEVEL = 20_000, 2_000, 0.02
"""Principal components are found of so many rows, and of rows with at most so many values; shares of levels are held off
0 and 1 by the last."""


def dense(size: int, activation: str, seeds: Iterator[int], name: str) -> keras.layers.Dense:
    """A full connection of an autoencoder, whose weights begin as fits its activation."""
    start = (
        keras.initializers.GlorotUniform if activation in ("linear", "tanh", "sigmoid") else keras.initializers.HeNormal
    )
    return keras.layers.Dense(size, activation=activation, kernel_initializer=start(seed=next(seeds)), name=name)


def joined(
    before: keras.KerasTensor, hidden: keras.KerasTensor, size: int, seeds: Iterator[int], name: str, straight: bool
) -> keras.KerasTensor:
    """A linear layer of hidden ones called ``name`` or, with a straight path, its sum with a linear layer of ``before``."""
    if not straight:
        return dense(size, "linear", seeds, name)(hidden)
    bent = keras.layers.Dense(size, kernel_initializer="zeros", use_bias=False, name=f"{name}_bent")(hidden)
    return keras.layers.Add(name=name)([dense(size, "linear", seeds, f"{name}_straight")(before), bent])


def straighten_directions(model: keras.Model, batch: dict[str, np.ndarray]) -> None:
    """Makes the straight path to the code the singular vectors of the layer ``direction``: latent semantic analysis.

    Source: Deerwester et al., Indexing by Latent Semantic Analysis (Journal of the American Society for Information
    Science, 1990).
    """
    reached = model.get_layer("direction").output
    step = max(1, -(-len(next(iter(batch.values()))) // STRAIGHTENED_ROWS))
    reaching = keras.Model(model.inputs, reached)
    rows = [array[::step] for array in (batch[one.name] for one in model.inputs)]
    squares = np.zeros((reached.shape[-1],) * 2, "float32")
    for start in range(0, len(rows[0]), DIRECTED_AT_ONCE):
        part = [array[start : start + DIRECTED_AT_ONCE] for array in rows]
        directions = keras.ops.convert_to_numpy(reaching(part, training=False))
        squares += directions.T @ directions
    code = model.get_layer("code_straight")
    found = min(code.units, len(squares))
    kept = np.zeros((len(squares), code.units), "float32")
    # The largest alone: of 2,000 words all take ten times as long.
    kept[:, :found] = eigh(squares, subset_by_index=(len(squares) - found, len(squares) - 1))[1][:, ::-1]
    code.set_weights([kept, np.zeros(code.units)])


def straighten(model: keras.Model, batch: dict[str, np.ndarray]) -> None:
    """Makes the straight paths of a network the principal components of its given rows.

    Numbers are rebuilt by them as they are. Flags and levels, whose sums a sigmoid or softmax follows, are to the first
    order around their shares.
    """
    given = model.get_layer("given").output
    step = max(1, -(-len(next(iter(batch.values()))) // STRAIGHTENED_ROWS))
    if given.shape[-1] > WIDEST_STRAIGHTENED:
        return
    giver = keras.Model(model.inputs, given)
    rows = keras.ops.convert_to_numpy(giver([batch[one.name][::step] for one in model.inputs], training=False))
    mean = rows.mean(0, dtype="float64")
    axes = np.linalg.eigh(np.cov(rows.T, bias=True).reshape(len(mean), -1))[1][:, ::-1]
    code, decoded = model.get_layer("code_straight"), model.get_layer("decoded_straight")
    kept = np.zeros((len(mean), code.units))
    kept[:, : min(axes.shape[1], code.units)] = axes[:, : code.units]
    offset, slope = mean.copy(), np.ones(len(mean))
    for kind, place in places(model.get_layer("rebuilt").blocks):
        share = np.clip(mean[place], FEWEST_OF_A_LEVEL, 1 - FEWEST_OF_A_LEVEL)
        if kind == "levels":
            offset[place], slope[place] = np.log(share), 1 / share
        elif kind != "numbers":
            offset[place], slope[place] = np.log(share / (1 - share)), 1 / (share * (1 - share))
    code.set_weights([kept, -mean @ kept])
    decoded.set_weights([kept.T * slope, offset])
