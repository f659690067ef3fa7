from pathlib import Path

import numpy as np
import polars as pl
import pytest

from nervura.dataset import Dataset
from nervura.designing import design
from nervura.exporting import export
from nervura.run import Run

keras = pytest.importorskip("keras")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_the_file_is_the_network_and_predicts_like_it(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    table = pl.DataFrame({"a": draw.normal(size=80), "b": draw.choice(["u", "v", "w"], 80), "y": draw.normal(size=80)})
    dataset = Dataset.open(table, "y")
    made = design(dataset.problem, "deep_feed_forward", dataset.schema, {"hidden": "8"})
    run = Run.create(tmp_path / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": dataset.problem.name, "coding": dataset.problem.coding})
    made.model.save(run.path / "model.keras")
    path = export(run, "keras", rows=table)
    assert path == run.path / "exports" / "model.keras"
    assert keras.saving.load_model(path).count_params() == made.parameters
