"""A learning rate that stays as it is and falls to zero at the end."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nervura")
class StableDecayRate(keras.optimizers.schedules.LearningRateSchedule):
    """``rate`` for three quarters of ``steps``, then down to zero in a straight line.

    Source: Hägele et al., Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, NeurIPS 2024.

    Args:
        rate: the highest.
        steps: of the whole training.

    Attributes:
        end: ``steps``, or a variable in their place, by which the end can still be moved in training.
    """

    FALL = 0.25

    def __init__(self, rate: float, steps: int) -> None:
        self.rate, self.steps = rate, steps
        self.end: Any = steps

    def __call__(self, step: Any) -> Any:
        left = 1.0 - ops.minimum(ops.cast(step, "float32") / self.end, 1.0)
        return self.rate * ops.minimum(left / self.FALL, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "steps": self.steps}
