from pathlib import Path

import numpy as np
import polars as pl
import pytest

from nervura.errors import MissingDependency, OptionError, RunError
from nervura.exporters import exporters
from nervura.exporters.base import Exporter, Predict
from nervura.exporting import export
from nervura.run import Run
from nervura.schema import Column, Schema

keras = pytest.importorskip("keras")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    inputs = keras.Input((1,), name="numbers")
    model = keras.Model({"numbers": inputs}, keras.layers.Dense(1, name="output")(inputs))
    number = {"origin": 0.0, "unit": 1.0, "indicator": False}
    schema = Schema([Column("a", "number", encoding=number), Column("y", "number", role="target")], rows=3)
    made = Run.create(tmp_path / "run")
    made.write("schema", schema.to_json())
    made.write("problem", {"name": "regression", "coding": {"mean": 5.0, "deviation": 100.0}})
    model.save(made.path / "model.keras")
    return made


ROWS = pl.DataFrame({"a": [1.0, 2.0, 3.0]})


def test_an_unknown_form_is_told(run: Run) -> None:
    with pytest.raises(OptionError, match="no export format called 'cod'.*'code'"):
        export(run, "cod")


def test_an_export_is_written_anew_in_the_run_and_never_over_a_users_file(run: Run, tmp_path: Path) -> None:
    assert export(run, "keras", rows=ROWS) == export(run, "keras")
    other = tmp_path / "mine.keras"
    other.write_text("mine")
    with pytest.raises(RunError, match="to a new place"):
        export(run, "keras", other)
    assert other.read_text() == "mine"


class Off(Exporter):
    name, summary, file = "off", "predicts something else", "off.txt"

    def __init__(self, difference: float):
        self.difference = difference

    def write(self, run: Run, path: Path) -> Path:
        path.write_text("off")
        return path

    def load(self, run: Run, path: Path) -> Predict:
        right = exporters.load("keras").load(run, run.path / "model.keras")
        return lambda rows: np.asarray(right(rows)) + self.difference


def test_predictions_that_differ_leave_nothing_behind(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Half a thousandth is 5e-6 of the target's deviation of 100, and a hundredth is 1e-4 of it.
    monkeypatch.setattr(exporters, "load", lambda name, load=exporters.load: Off(5e-4) if name == "off" else load(name))
    assert export(run, "off", rows=ROWS).exists()
    monkeypatch.undo()
    monkeypatch.setattr(
        exporters, "load", lambda name, load=exporters.load: Off(1e-2) if name == "worse" else load(name)
    )
    with pytest.raises(RunError, match="off by 0.0001"):
        export(run, "worse", run.path / "exports" / "worse.txt", rows=ROWS)
    assert [path.name for path in (run.path / "exports").iterdir()] == ["off.txt"]


def test_the_runs_own_table_is_compared_on_while_it_is_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    source = run.path.parent / "table.parquet"
    run.update("run", source={"origin": str(source)})
    monkeypatch.setattr(exporters, "load", lambda name, load=exporters.load: Off(1.0) if name == "off" else load(name))
    assert export(run, "off").exists()
    ROWS.write_parquet(source)
    with pytest.raises(RunError, match="off by 0.01"):
        export(run, "off")


def test_a_run_without_a_network_is_told(run: Run) -> None:
    (run.path / "model.keras").unlink()
    with pytest.raises(RunError, match="nervura resume"):
        export(run)


def test_a_missing_package_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporters.load("keras"), "requires", [("no_such_package", "onnx")], raising=False)
    with pytest.raises(MissingDependency, match="no_such_package"):
        export(run, "keras")
