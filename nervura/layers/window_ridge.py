"""A linear map from a window to what follows, whose first weights are computed: ridge regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from nervura.regressing import plain_forecasts, regress

if TYPE_CHECKING:
    from nervura.encoding import Tensor
    from nervura.problems.base import Head

MOST_VALUES, AT_ONCE = 2**26, 8_192


@keras.saving.register_keras_serializable(package="nervura")
class WindowRidge(keras.layers.Layer):
    """One weight from each value of the window, and from each that is known beforehand, to each step ahead.

    It begins as the last season again; ``solve`` computes the ridge regression that answers unseen blocks of time best
    (``nervura.regressing``).

    Shapes: (batch, length, channels) -> (batch, horizon).

    Args:
        horizon: steps ahead.
        window: steps of the series that are known, in the first channel.
        season: steps after which a series repeats itself; 1: never.
        known: so many channels after the first are known for all steps; those of the horizon, and of as many steps before,
            have weights.
        gap: rows beside a block of time that overlap with it.
        squared: whether the squared or the absolute error chooses the penalty.
    """

    def __init__(
        self, horizon: int, window: int, season: int, known: int = 0, gap: int = 0, squared: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.horizon, self.window, self.season = horizon, window, season
        self.known, self.gap, self.squared = known, gap, squared

    @property
    def before(self) -> int:
        """So many steps before the origin have weights for what is known: as many as are to come."""
        return min(self.window, self.horizon)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        length = input_shape[1] or 0
        features = self.window + (self.before + self.horizon) * self.known
        self.most_solved = max(64, MOST_VALUES // max(1, length * (input_shape[2] or 1)))
        start = keras.initializers.Constant(0.0)
        self.kernel = self.add_weight(shape=(features, self.horizon), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(self.horizon,), initializer="zeros", name="bias")
        self.kernel.assign(plain_forecasts(self.window, self.horizon, self.season, features)[0])

    def features(self, x: Any) -> Any:
        """The numbers that the map takes, (batch, features)."""
        past = x[:, : self.window, 0]
        if not self.known:
            return past
        beside = x[:, self.window - self.before : self.window + self.horizon, 1 : 1 + self.known]
        size = (self.before + self.horizon) * self.known
        return ops.concatenate([past, ops.reshape(beside, (-1, size))], axis=1)

    takes_held = True
    """Whether ``solve`` is also given the rows that decide when training stops."""

    def solve(self, rows: Any, target: Any, folds: Any = None, held: Any = None) -> None:
        """Computes the weights.

        Args:
            rows: inputs (rows, length, channels) in the order of time.
            target: what followed (rows, horizon).
            held: later rows and what followed them, which decide on the penalty where rows are many.
        """
        taken = self._taken(rows)
        towards = plain_forecasts(self.window, self.horizon, self.season, taken.shape[1])
        later = None if held is None else (self._taken(held[0]), np.asarray(held[1]))
        found = regress(taken, np.asarray(target), towards, self.gap, self.squared, later)
        self.kernel.assign(found.weights)
        self.bias.assign(found.start)

    def _taken(self, rows: Any) -> np.ndarray:
        """The features of many rows, computed some at a time."""
        starts = range(0, len(rows), AT_ONCE)
        parts = [self.features(ops.convert_to_tensor(np.asarray(rows[start : start + AT_ONCE]))) for start in starts]
        return np.concatenate([ops.convert_to_numpy(part) for part in parts])

    def call(self, x: Any) -> Any:
        return ops.matmul(self.features(x), self.kernel) + self.bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.horizon)

    def get_config(self) -> dict[str, Any]:
        names = ("horizon", "window", "season", "known", "gap", "squared")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def window_ridge(series: Tensor, head: Head, name: str) -> WindowRidge:
    """The layer for windows as a data set tells of them."""
    facts = series.facts
    return WindowRidge(
        head.units,
        facts["window"],
        facts["season"],
        facts["known"],
        facts["horizon"] * facts["at_once"],
        head.loss == "MeanSquaredError",
        name=name,
    )


@keras.saving.register_keras_serializable(package="nervura")
class Channels(keras.layers.Layer):
    """Some channels of the first steps of a sequence.

    Shapes: (batch, length, channels) -> (batch, steps, count).
    """

    def __init__(self, first: int, count: int, steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first, self.count, self.steps = first, count, steps

    def call(self, x: Any) -> Any:
        return x[:, : self.steps, self.first : self.first + self.count]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.steps, self.count)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "first": self.first, "count": self.count, "steps": self.steps}
