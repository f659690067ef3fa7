"""Weights that learn slower or faster than the others of a network."""

from __future__ import annotations

from typing import Any

import keras


class Paced:
    """A weight whose steps are ``pace`` times as long as the optimiser's: its start plus ``pace`` times a change.

    Under Adam, whose steps do not depend on the scale of a gradient, learning the change is the same as giving this
    weight a learning rate of its own. Weight decay pulls it back to its start.

    Attributes:
        start: where it began, which is not trained.
        change: what is learnt, zero at first.
    """

    def __init__(self, layer: keras.layers.Layer, name: str, shape: Any, start: Any, pace: float):
        self.pace = pace
        self.start = layer.add_weight(shape=shape, initializer=start, trainable=False, name=f"{name}_start")
        self.change = layer.add_weight(shape=shape, initializer="zeros", name=name)

    @property
    def value(self) -> Any:
        return self.start + self.pace * self.change
