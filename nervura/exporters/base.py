"""The contract of an exporter: it writes a run in another form, and reads that form back to predict with it."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

import nervura.layers
from nervura.baselines.base import Fitted
from nervura.problems import problems
from nervura.problems.base import Appraised, Problem
from nervura.run import Run

if TYPE_CHECKING:
    import keras

Predict = Callable[[pl.DataFrame], np.ndarray]
"""From raw rows, as the run's source reads them, to the problem's ``figures``: (rows, classes), (rows,) or (rows, columns)."""


def load_network(path: Path) -> keras.Model:
    """The network in a .keras file, uncompiled. Keras finds the package's own layers by name once they are imported."""
    import keras

    for module in pkgutil.iter_modules(nervura.layers.__path__):
        import_module(f"nervura.layers.{module.name}")
    return keras.saving.load_model(path, compile=False)


def load_problem(run: Run) -> Problem:
    """The problem of a run, knowing its target's coding or what it learnt without one."""
    told = run.need("problem")
    kind = type(problems.load(told["name"]))
    if issubclass(kind, Appraised):
        return kind(told["coding"], run.read_arrays("problem"))
    return kind(told["coding"])


@dataclass(frozen=True)
class Answerer:
    """One of the models of a run: its name, the problem as it answers it, and a .keras file or a fitted baseline."""

    name: str
    problem: Problem
    model: Path | Fitted


class Exporter:
    """One form of a run. A subclass in a file of this folder is found by the shelf.

    Attributes:
        requires: packages beyond those of training, each with the extra that installs it.
        file: what the export is called below ``exports/``.
        any_model: whether it carries other models than the run's own network; it then has ``write_model``.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    requires: ClassVar[list[tuple[str, str]]] = []
    file: ClassVar[str]
    any_model: ClassVar[bool] = False

    def carries(self, problem: Problem) -> bool:
        """Whether this form can hold runs of a problem; by default of those that predict classes or values."""
        return not isinstance(problem, Appraised)

    def lacks(self, problem: Problem) -> str:
        """Why this form does not carry a problem, in words."""
        return "it carries runs that predict classes or values"

    def write(self, run: Run, path: Path) -> Path:
        """Writes the run as ``path``, a file or folder that does not exist yet, and gives it back.

        Raises:
            RunError: the run holds something that this form cannot express.
        """
        raise NotImplementedError

    def write_model(self, run: Run, path: Path, answerer: Answerer) -> Path:
        """Like ``write``, for any model of the run.

        Raises:
            RunError: this form cannot express it.
        """
        raise NotImplementedError

    def load(self, run: Run, path: Path) -> Predict:
        """Reads the export as a stranger would.

        Args:
            run: tells what surrounds a form that holds the network alone, such as the encoding of the columns.
            path: what ``write`` gave.
        """
        raise NotImplementedError
