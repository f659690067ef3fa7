"""A plain .keras file: the network alone, for whoever encodes the columns."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl

from nervura import encoding
from nervura.exporters.base import Exporter, Predict, load_network, load_problem
from nervura.problems.base import Appraised, Problem
from nervura.run import Run
from nervura.schema import Schema


class KerasExporter(Exporter):
    name = "keras"
    summary = "the network as one .keras file, for keras.saving.load_model"
    file = "model.keras"

    def carries(self, problem: Problem) -> bool:
        return True

    def write(self, run: Run, path: Path) -> Path:
        shutil.copyfile(run.path / "model.keras", path)
        return path

    def load(self, run: Run, path: Path) -> Predict:
        schema, problem = Schema.from_json(run.need("schema")), load_problem(run)
        network = load_network(path)
        model = problem.asked(network) if isinstance(problem, Appraised) else network

        def predict(rows: pl.DataFrame) -> np.ndarray:
            encoded = encoding.encode(schema, rows)
            inputs = {tensor.name: encoded[tensor.name] for tensor in model.inputs}
            batch_size = 1024 if encoding.medium(schema) is None else 64
            return problem.figures(problem.estimates(model.predict(inputs, batch_size=batch_size, verbose=0)))

        return predict
