"""Logs for TensorBoard, in the run's own folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nervura.run import Run
from nervura.trackers.base import Tracker

if TYPE_CHECKING:
    import keras


class TensorBoard(Tracker):
    """``tensorboard --logdir RUN/tensorboard`` shows them while the network is trained."""

    name = "tensorboard"
    summary = "logs for TensorBoard in the run's folder, epoch by epoch"
    requires = [("tensorflow", "tensorboard"), ("tensorboard", "tensorboard")]

    def callbacks(self, run: Run) -> list[keras.callbacks.Callback]:
        import keras

        return [keras.callbacks.TensorBoard(run.path / "tensorboard")]
