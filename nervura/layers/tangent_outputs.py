"""The output layer of nets in the neural tangent parametrisation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from nervura.layers.tangent_dense import TangentDense


@keras.saving.register_keras_serializable(package="nervura")
class TangentOutputs(TangentDense):
    """The outputs of all nets side by side.

    Shapes: (nets, batch, features) -> (batch, nets, units).
    Source: as ``TangentDense``.

    Args:
        units: outputs of each net.
        activation: what an output does with its sum.
        pace: of the bias, beside that of the weights.
        seed: of the first weights and of the rows that begin the biases.
    """

    def __init__(
        self, units: int, activation: str = "linear", pace: float = 0.1, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(units, pace, seed, **kwargs)
        self.activation = keras.activations.get(activation)

    def call(self, x: Any) -> Any:
        return self.activation(ops.transpose(super().call(x), (1, 0, 2)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        nets, batch, _ = input_shape
        return (batch, nets, self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": keras.activations.serialize(self.activation)}
