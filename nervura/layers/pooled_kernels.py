"""How often fixed kernels of many widths find their pattern in a series."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import keras
import numpy as np
from keras import ops

KERNEL = 9
HEAVY = 3
"""Places of a kernel, and how many of them weigh 2 where the others weigh -1."""

MOST_DILATIONS = 32


def kernels() -> np.ndarray:
    """All kernels of 9 places, three of which weigh 2 and the others -1, float32 (9, 84); each sums to zero."""
    chosen = list(combinations(range(KERNEL), HEAVY))
    found = np.full((KERNEL, len(chosen)), -1.0, np.float32)
    for place, heavy in enumerate(chosen):
        found[list(heavy), place] = 2.0
    return found


def dilations_for(length: int, of_each: int) -> list[tuple[int, int]]:
    """The distances between a kernel's places for series of ``length``, and how many biases each has, ``of_each`` in all."""
    most = max(1, min(of_each, MOST_DILATIONS))
    exponent = math.log2(max(1.0, (length - 1) / (KERNEL - 1)))
    steps = np.logspace(0, exponent, most, base=2).astype(int)
    dilations, counts = np.unique(steps, return_counts=True)
    biases = (counts * (of_each / most)).astype(int)
    # What rounding has left over goes to the first.
    for place in range(of_each - int(biases.sum())):
        biases[place % len(biases)] += 1
    return [(int(d), int(count)) for d, count in zip(dilations, biases, strict=True) if count]


@keras.saving.register_keras_serializable(package="nervura")
class PooledKernels(keras.layers.Layer):
    """The share of a series' moments at which a fixed kernel answers above a bias, for many kernels, widths and biases.

    The 84 kernels have 9 places with weights -1 and 2; their dilations grow from 1 to the length of the series. Biases are
    quantiles of what a kernel answers on a training series drawn by the seed. Every other kernel sees zeros around the
    series, the others stay inside it. Of several channels each kernel sees a few, drawn at random.

    Shapes: float (batch, length, channels), NaN beyond a series' end -> (batch, features rounded down to 84s).
    Source: Dempster, Schmidt and Webb, MiniRocket (KDD 2021).

    Args:
        features: how many, at most.
        seed: of the training series and channels that are drawn.
    """

    def __init__(self, features: int = 10_000, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features, self.seed = features, seed

    @property
    def held(self) -> int:
        """How many numbers it holds of a row at once."""
        return self.length * kernels().shape[1] * max(of_each for _, of_each in self.dilations)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.length, self.channels = int(input_shape[1] or 1), int(input_shape[2] or 1)
        count = kernels().shape[1]
        self.dilations = dilations_for(self.length, max(1, self.features // count))
        draw = np.random.default_rng(self.seed)
        seen = np.ones((len(self.dilations), self.channels, count), np.float32)
        if self.channels > 1:
            for dilation in seen:
                for kernel in range(count):
                    most = math.log2(min(self.channels, KERNEL) + 1)
                    few = int(2 ** draw.uniform(0, most))
                    dilation[:, kernel] = np.isin(
                        np.arange(self.channels), draw.choice(self.channels, min(few, self.channels), replace=False)
                    )

        def start(shape: Any, dtype: Any = None) -> Any:
            return ops.convert_to_tensor(seen, dtype=dtype)

        self.seen = self.add_weight(shape=seen.shape, initializer=start, trainable=False, name="seen")
        biases = sum(of_each for _, of_each in self.dilations)
        self.biases = self.add_weight(shape=(biases, count), initializer="zeros", trainable=False, name="biases")

    def adapt(self, rows: Any) -> None:
        """Takes the biases from what the kernels answer on series drawn from ``rows``, the training ones."""
        rows, draw = np.asarray(rows, dtype="float32"), np.random.default_rng(self.seed)
        weights, seen = kernels(), np.asarray(ops.convert_to_numpy(self.seen))
        lengths = (~np.isnan(rows).all(2)).sum(1)
        rows = np.where(np.isnan(rows), 0, rows)
        usable = np.flatnonzero(lengths > 0)
        if not len(usable):
            return
        count = weights.shape[1]
        golden, found, number = (math.sqrt(5) - 1) / 2, [], 0
        for place, (dilation, of_each) in enumerate(self.dilations):
            own = np.empty((of_each, count), np.float32)
            for kernel in range(count):
                row = int(draw.choice(usable))
                series = (rows[row, : lengths[row]] * seen[place, :, kernel]).sum(1)
                reach = dilation * (KERNEL // 2)
                padded = np.pad(series, reach)
                answers = sum(
                    weights[j, kernel] * padded[j * dilation : j * dilation + len(series)] for j in range(KERNEL)
                )
                inside = answers[reach : len(series) - reach]
                if (place + kernel) % 2 and len(inside):
                    answers = inside
                shares = (golden * np.arange(number + 1, number + of_each + 1)) % 1
                own[:, kernel] = np.quantile(answers, shares)
                number += of_each
            found.append(own)
        self.biases.assign(np.concatenate(found))

    def call(self, x: Any) -> Any:
        present = ops.cast(ops.logical_not(ops.all(ops.isnan(x), axis=-1)), self.compute_dtype)
        x = ops.cast(ops.where(ops.isnan(x), ops.zeros_like(x), x), self.compute_dtype)
        whole = present / ops.maximum(ops.sum(present, axis=1, keepdims=True), 1.0)
        weights = kernels()
        count, first, found = weights.shape[1], 0, []
        for place, (dilation, of_each) in enumerate(self.dilations):
            reach = dilation * (KERNEL // 2)
            padded = ops.pad(x, [[0, 0], [reach, reach], [0, 0]])
            shifted = [padded[:, j * dilation : j * dilation + self.length] for j in range(KERNEL)]
            # A sum over places and channels as one matrix product.
            kernel = ops.reshape(
                ops.expand_dims(weights, 1) * ops.expand_dims(self.seen[place], 0), (KERNEL * self.channels, count)
            )
            answers = ops.matmul(ops.concatenate(shifted, axis=-1), kernel)
            counted = ops.stack([whole, self._inside(present, whole, reach)], axis=1)
            biases = ops.reshape(self.biases[first : first + of_each], (of_each * count,))
            above = ops.cast(ops.tile(answers, (1, 1, of_each)) > biases, self.compute_dtype)
            shares = ops.matmul(counted, above)
            odd = np.tile((np.arange(count) + place) % 2 == 1, of_each)
            found.append(ops.where(odd, shares[:, 1], shares[:, 0]))
            first += of_each
        return ops.concatenate(found, axis=-1)

    def _inside(self, present: Any, whole: Any, reach: int) -> Any:
        """The weight of each moment where a kernel does not reach beyond the series; all moments where it always does."""
        around = ops.pad(present, [[0, 0], [reach, reach]])
        inside = around[:, : self.length] * around[:, 2 * reach : 2 * reach + self.length]
        counts = ops.sum(inside, axis=1, keepdims=True)
        return ops.where(counts > 0, inside / ops.maximum(counts, 1.0), whole)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        count = kernels().shape[1]
        return (input_shape[0], max(1, self.features // count) * count)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "features": self.features, "seed": self.seed}
