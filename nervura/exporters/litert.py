"""A file for LiteRT, on phones and small computers: the network alone, with the preprocessing as JSON."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nervura.exporters.base import (
    PREPROCESSING,
    Exporter,
    Predict,
    keras_export,
    load_network,
    predict_by,
    write_preprocessing,
)
from nervura.run import Run


class LiteRTExporter(Exporter):
    """A folder with ``model.tflite``, written by Keras; any number of rows at once."""

    name = "litert"
    summary = "the network as a file for LiteRT (TensorFlow Lite), with the preprocessing as JSON"
    file = "litert"
    requires = [("tensorflow", "litert"), ("ai_edge_litert", "litert")]

    def write(self, run: Run, path: Path) -> Path:
        path.mkdir()
        keras_export(run.path / "model.keras", path / "model.tflite", "litert")
        write_preprocessing(run, load_network(run.path / "model.keras"), path / PREPROCESSING)
        return path

    def load(self, run: Run, path: Path) -> Predict:
        from ai_edge_litert.interpreter import Interpreter

        runner = Interpreter(str(path / "model.tflite")).get_signature_runner("serving_default")

        def answer(x: dict[str, np.ndarray]) -> np.ndarray:
            (outputs,) = runner(**x).values()
            return np.array(outputs)

        return predict_by(path / PREPROCESSING, answer)
