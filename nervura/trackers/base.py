"""The contract of a tracker: it is told when a training begins, how it goes, and what the run holds at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nervura.run import Run

if TYPE_CHECKING:
    import keras


class Tracker:
    """One place where trainings are told. A subclass in a file of this folder is found by the shelf.

    Attributes:
        requires: packages beyond those of training, each with the extra that installs it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    requires: ClassVar[list[tuple[str, str]]] = []

    def begin(self, run: Run) -> None:
        """Before the training, and again before one that goes on; what must be reached is reached for here.

        Raises:
            RunError: it cannot be reached.
        """

    def callbacks(self, run: Run) -> list[keras.callbacks.Callback]:
        """What Keras is to tell during the training; by default nothing."""
        return []

    def finish(self, run: Run, files: list[Path]) -> None:
        """Once the run is whole.

        Args:
            files: for people: the report and the model card, beside the packed run.
        """

    def stop(self, run: Run) -> None:
        """A training was stopped or failed."""
