"""A full connection of normal weights whose scale stands beside them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from nervura.layers.paced import Paced


@keras.saving.register_keras_serializable(package="nervura")
class TangentDense(keras.layers.Layer):
    """A full connection for each net in the neural tangent parametrisation: x W / sqrt(features) + b.

    ``adapt`` scales each neuron's weights so that its sums deviate by 1 over the rows, and begins its bias where the sum
    of a random mean of five rows crosses zero, so that every neuron bends among the rows.

    Shapes: (nets, batch, features) -> (nets, batch, units).
    Source: RealMLP (Holzmüller et al., Better by Default, NeurIPS 2024): weights begin as normal numbers, biases as the
    paper's "he+5".

    Args:
        units: outputs.
        pace: of the bias, beside that of the weights.
        seed: of the first weights and of the rows that begin the biases.
    """

    def __init__(self, units: int, pace: float = 0.1, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.pace, self.seed = units, pace, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        nets, _, features = input_shape
        start = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed)
        self.kernel = self.add_weight(shape=(nets, features, self.units), initializer=start, name="kernel")
        self.bias = Paced(self, "bias", (nets, 1, self.units), "zeros", self.pace)

    def adapt(self, rows: Any) -> None:
        """Sets the scale of the weights and the first biases by ``rows``, those that reach the layer."""
        rows = np.asarray(rows, dtype="float32")
        kernel = np.array(ops.convert_to_numpy(self.kernel))
        sums = rows @ kernel / np.sqrt(rows.shape[-1])
        spread = sums.std(axis=1, keepdims=True)
        # Sums that do not vary, as of constant inputs, have no scale to be brought to.
        spread = np.where(spread > 1e-6, spread, 1.0)
        draw = np.random.default_rng(self.seed)
        size = (len(rows), 5, self.units)
        shares = draw.exponential(size=size)
        shares /= shares.sum(axis=1, keepdims=True)
        chosen = np.take_along_axis(sums / spread, draw.integers(rows.shape[1], size=size), axis=1)
        self.kernel.assign(kernel / spread)
        self.bias.start.assign(-(chosen * shares).sum(axis=1, keepdims=True))

    def call(self, x: Any) -> Any:
        # The kernel is scaled, not the product: it has fewer numbers than a batch.
        return ops.matmul(x, self.kernel * float(self.kernel.shape[1]) ** -0.5) + self.bias.value

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "pace": self.pace, "seed": self.seed}
