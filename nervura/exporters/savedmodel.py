"""A SavedModel of TensorFlow: the network alone, with the preprocessing as JSON."""

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


class SavedModelExporter(Exporter):
    """A folder that ``tf.saved_model.load`` and TensorFlow Serving read, written by Keras; its endpoint is ``serve``."""

    name = "savedmodel"
    summary = "the network as a SavedModel of TensorFlow, with the preprocessing as JSON"
    file = "savedmodel"
    requires = [("tensorflow", "tensorflow")]

    def write(self, run: Run, path: Path) -> Path:
        keras_export(run.path / "model.keras", path, "tf_saved_model")
        write_preprocessing(run, load_network(run.path / "model.keras"), path / PREPROCESSING)
        return path

    def load(self, run: Run, path: Path) -> Predict:
        import tensorflow as tf

        serve = tf.saved_model.load(path).signatures["serving_default"]

        def answer(x: dict[str, np.ndarray]) -> np.ndarray:
            (outputs,) = serve(**{name: tf.constant(array) for name, array in x.items()}).values()
            return outputs.numpy()

        return predict_by(path / PREPROCESSING, answer)
