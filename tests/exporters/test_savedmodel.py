"""Networks that Keras has written for TensorFlow and LiteRT are read without nervura, by what stands beside them as JSON."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from nervura import encoding
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.errors import RunError
from nervura.exporters.base import keras_export
from nervura.exporting import export
from nervura.run import Run

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, pl.DataFrame, np.ndarray]:
    """A run of an untrained network, its rows, and what the network gives for them."""
    draw = np.random.default_rng(0)
    a, b = [None, *draw.normal(size=79)], draw.choice(["u", "v", "w"], 80)
    table = pl.DataFrame({"a": a, "b": b, "y": draw.normal(5, 2, size=80)})
    dataset = Dataset.open(table, "y")
    network = design(dataset.problem, "deep_feed_forward", dataset.schema, {"hidden": "8"})
    run = Run.create(tmp_path_factory.mktemp("run") / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": dataset.problem.name, "coding": dataset.problem.coding})
    network.model.save(run.path / "model.keras")
    x = encoding.encode(dataset.schema, table)
    return run, table, network.model.predict({one.name: x[one.name] for one in network.model.inputs}, verbose=0)


def tensors(told: dict, table: pl.DataFrame) -> dict[str, np.ndarray]:
    """The tensors of a table as a stranger makes them, by the JSON alone."""
    columns = {column["name"]: column["encoding"] for column in told["columns"]}
    a, b = columns["a"], columns["b"]
    numbers = [(0.0 if v is None else (v - a["origin"]) / a["unit"]) for v in table["a"]]
    levels = [b["levels"].index(level) + 2 for level in table["b"]]
    missing = [float(v is None) for v in table["a"]]
    made = {"numbers": np.array([numbers]).T, "flags": np.array([missing]).T, "categories": np.array([levels]).T}
    return {one["name"]: made[one["name"]].astype(one["dtype"]) for one in told["tensors"]}


@pytest.mark.parametrize("form", ["savedmodel", "litert"])
def test_a_stranger_can_read_it(form: str, made: tuple[Run, pl.DataFrame, np.ndarray]) -> None:
    run, table, expected = made
    path = export(run, form, rows=table)
    told = json.loads((path / "preprocessing.json").read_text(encoding="utf-8"))
    assert told["problem"] == "regression" and told["target"] == "y" and told["coding"]["deviation"] > 1
    x = tensors(told, table)
    if form == "savedmodel":
        (found,) = tf.saved_model.load(path).signatures["serving_default"](**x).values()
        found = found.numpy()
    else:
        interpreter = pytest.importorskip("ai_edge_litert.interpreter")
        runner = interpreter.Interpreter(str(path / "model.tflite")).get_signature_runner()
        (found,) = runner(**x).values()
    assert np.abs(found - expected).max() < 1e-5


def test_what_keras_does_not_write_is_told(made: tuple[Run, pl.DataFrame, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"Keras does not write this network as stone \(.*\). Write --to keras."):
        keras_export(made[0].path / "model.keras", tmp_path / "model", "stone")
