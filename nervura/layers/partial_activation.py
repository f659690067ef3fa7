"""An activation that each neuron takes more or less of."""

from __future__ import annotations

from typing import Any

import keras

from nervura.layers.paced import Paced


@keras.saving.register_keras_serializable(package="nervura")
class PartialActivation(keras.layers.Layer):
    """x + a (f(x) - x): each neuron of each net learns how much of the activation f it takes, beginning with all.

    Shapes: (nets, batch, features) -> (nets, batch, features).
    Source: the parametric activation of RealMLP (Holzmüller et al., Better by Default, NeurIPS 2024).

    Args:
        activation: f.
        pace: of a, beside that of the weights.
    """

    def __init__(self, activation: str, pace: float = 0.1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation, self.pace = keras.activations.get(activation), pace

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        nets, _, features = input_shape
        self.share = Paced(self, "share", (nets, 1, features), "ones", self.pace)

    def call(self, x: Any) -> Any:
        return x + self.share.value * (self.activation(x) - x)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        own = {"activation": keras.activations.serialize(self.activation), "pace": self.pace}
        return {**super().get_config(), **own}
