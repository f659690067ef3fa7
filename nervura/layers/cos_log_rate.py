"""A learning rate that rises and falls in ever longer waves."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class CosLogRate(keras.optimizers.schedules.LearningRateSchedule):
    """``rate`` x (1 - cos(2 pi log2(1 + 15 t))) / 2 at the share t of ``steps``: four waves from zero to zero, each
    twice as long as the last.

    Source: the schedule "coslog4" of RealMLP (Holzmüller et al., Better by Default, NeurIPS 2024).

    Args:
        rate: the highest.
        steps: of the whole training.

    Attributes:
        end: ``steps``, or a variable in their place, by which the end can still be moved in training.
    """

    def __init__(self, rate: float, steps: int) -> None:
        self.rate, self.steps = rate, steps
        self.end: Any = steps

    def __call__(self, step: Any) -> Any:
        share = ops.minimum(ops.cast(step, "float32") / self.end, 1.0)
        turns = ops.log(1.0 + 15.0 * share) / math.log(2.0)
        return self.rate * 0.5 * (1.0 - ops.cos(2.0 * math.pi * turns))

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "steps": self.steps}
