"""The contract of an exporter: it writes a run in another form, and reads that form back to predict with it."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

import nervura.layers
from nervura.baselines.base import Fitted
from nervura.encoding import encode, tensors
from nervura.errors import RunError
from nervura.problems import problems
from nervura.problems.base import Appraised, Problem
from nervura.run import Run, plain
from nervura.schema import Column, Schema

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


PREPROCESSING = "preprocessing.json"
"""Beside a network that Keras has exported: how columns become its tensors, and its outputs answers."""


def write_preprocessing(run: Run, model: keras.Model, path: Path) -> None:
    """Writes as JSON how a row becomes the tensors of a network and its outputs answers; see docs/export.md."""
    schema, problem = Schema.from_json(plain(run.need("schema"))), load_problem(run)
    given = {tensor.name: tensor for tensor in tensors(schema)}
    inputs = [given[tensor.name] for tensor in model.inputs]
    told = {
        "problem": problem.name,
        "tensors": [
            {"name": one.name, "dtype": one.dtype, "shape": [None, *one.shape], "features": one.features}
            for one in inputs
        ],
        "columns": [
            {"name": one.name, "kind": one.kind, "dtype": one.dtype, "parsing": one.parsing, "encoding": one.encoding}
            for one in schema.inputs
        ],
        "target": schema.target.name,
        "coding": problem.coding,
    }
    path.write_text(json.dumps(plain(told), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def predict_by(path: Path, answer: Callable[[dict[str, np.ndarray]], np.ndarray], batch_size: int = 64) -> Predict:
    """What an exported network predicts of raw rows, by its ``preprocessing.json`` alone.

    Args:
        answer: the network: encoded rows to outputs.
    """
    told = json.loads(path.read_text(encoding="utf-8"))
    schema = Schema([Column(**column) for column in told["columns"]])
    problem = type(problems.load(told["problem"]))(told["coding"])
    names = [tensor["name"] for tensor in told["tensors"]]

    def predict(rows: pl.DataFrame) -> np.ndarray:
        x = encode(schema, rows)
        parts = [
            answer({name: x[name][start : start + batch_size] for name in names})
            for start in range(0, max(1, rows.height), batch_size)
        ]
        return problem.figures(problem.estimates(np.concatenate(parts)))

    return predict


def keras_export(file: Path, out: Path, form: str) -> None:
    """Writes the network of a .keras file by Keras's own exporter, in TensorFlow: in a process of its own where Keras has
    another backend here.

    Raises:
        RunError: the network has no such form.
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        write_by_tensorflow(file, out, form)
        return
    code = f"import sys; from pathlib import Path; from {__name__} import write_by_tensorflow; "
    code += "write_by_tensorflow(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])"
    where = {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    command = [sys.executable, "-c", code, str(file), str(out), form]
    done = subprocess.run(command, env={**os.environ, **where}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _no_such_form(form, done.stderr.strip().rpartition("\n")[2])


def write_by_tensorflow(file: Path, out: Path, form: str) -> None:
    """Writes the network of a .keras file; Keras must have TensorFlow as its backend."""
    model = load_network(file)
    # Keras exports models alone that have been called.
    model({tensor.name: np.zeros((1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs}, training=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.export(out, format=form, verbose=False)
    except Exception as error:  # an operator without a counterpart raises one of many kinds
        raise _no_such_form(form, str(error).partition("\n")[0]) from error


def _no_such_form(form: str, reason: str) -> RunError:
    return RunError(f"Keras does not write this network as {form} ({reason}). Write --to keras.")


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
        speaks: whether it holds texts for people; its ``write`` then also takes their language, ``lang``.
        any_model: whether it carries other models than the run's own network; it then has ``write_model``.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    requires: ClassVar[list[tuple[str, str]]] = []
    file: ClassVar[str]
    any_model: ClassVar[bool] = False
    speaks: ClassVar[bool] = False

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
