"""The code of runs that predict no target stands alone, answers as they do and trains again."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nervura.dataset import Dataset
from nervura.designing import design
from nervura.exporting import export
from nervura.model_source import definitions_source
from nervura.predicting import predict
from nervura.problems.base import Answers, Targetless
from nervura.run import Run
from nervura.training import fit
from nervura.training import predict as outputs_of
from nervura.zoo import zoo

keras = pytest.importorskip("keras")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

OWN = ("anomaly", "data", "detectors", "layers", "model")
"""The modules of an exported folder."""


def customers(rows: int = 240) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    age = draw.normal(40, 12, rows).round(1)
    return pl.DataFrame(
        {
            "age": [None if i % 17 == 0 else value for i, value in enumerate(age)],
            "height": age * 0.5 + draw.normal(size=rows),
            "city": draw.choice(["Porto", "Lisboa", "Braga"], rows),
            "member": draw.choice(["yes", "no"], rows),
            "day": pl.Series(draw.integers(18_000, 19_500, rows)).cast(pl.Date),
            "kind": np.where(age > 60, "odd", "usual"),
        }
    )


def made_run(
    folder: Path, source: Any, problem: str, network: str, target: str | None = None, **options: Any
) -> tuple[Run, str]:
    """A run of few epochs, without its judgement, and what it was trained on."""
    own = {name: options.pop(name) for name in ("clean",) if name in options}
    dataset = Dataset.open(source, target, problem=problem, options=own, drop=[] if target else ["kind"])
    hidden = {} if network == "restricted_boltzmann" else {"hidden": [8, 4]}
    made = design(dataset.problem, network, dataset.schema, {"latent_dim": 3, "epochs": 2, **hidden, **options})
    fitted = fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    bound = made.problem
    assert isinstance(bound, Targetless)
    parts = {part: dataset.arrays(part)[0] for part in ("train", "validation", "test")}
    bound = bound.settle({part: Answers(x, outputs_of(made.model, x)) for part, x in parts.items()})
    run = Run.create(folder / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": problem, "needs_target": False, "coding": bound.coding})
    if bound.arrays:
        run.write_arrays("problem", bound.arrays)
    run.write("design", {**made.to_json(), "batch_size": fitted.batch_size})
    run.write("split", dataset.split.to_json())
    run.write_arrays("split", {"parts": dataset.split.parts})
    run.update("run", source={"origin": dataset.table.origin, "reading": dataset.table.reading})
    made.model.save(run.path / "model.keras")
    return run, dataset.table.origin


def called(script: Path, *arguments: object, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> str:
    """Runs a program of an exported folder in this process, and gives what it printed."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", [str(script), *map(str, arguments)])
        patch.syspath_prepend(str(script.parent))
        capsys.readouterr()
        try:
            runpy.run_path(str(script), run_name="__main__")
        finally:
            for name in OWN:
                sys.modules.pop(name, None)
        return capsys.readouterr().out


def assert_well_written(code: Path, typed: bool = False) -> None:
    for words in (["check", "--extend-select", "I,UP,B"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--no-cache", code], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    if typed:
        checked = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "."]
        done = subprocess.run(checked, capture_output=True, text=True, cwd=code)
        assert done.returncode == 0, done.stdout
    for file in code.glob("*.py"):
        assert "nervura" not in file.read_text() and "from_config" not in file.read_text(), file.name
    assert len((code / "model.py").read_text().splitlines()) <= 150


def assert_answered_alike(run: Run, source: str, out: Path) -> None:
    expected, found = predict(run, source), pl.read_csv(out)
    assert found.columns == expected.columns
    for name in found.columns:
        if expected[name].dtype == pl.Float64:
            assert np.abs((found[name] - expected[name]).to_numpy()).max() < 1e-5, name
        else:
            assert (found[name] == expected[name]).all(), name


REBUILDING = [network.name for network in zoo if network.rebuilds and "numbers" in network.takes]
OPTIONS: dict[str, dict[str, Any]] = {"deep_belief": {"pretraining_epochs": 1}, "restricted_boltzmann": {"steps": 2}}


@pytest.mark.parametrize("network", REBUILDING)
def test_codes_are_those_of_the_run_and_are_learnt_again(
    network: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    customers().write_csv(tmp_path / "table.csv")
    run, source = made_run(tmp_path, tmp_path / "table.csv", "embedding", network, **OPTIONS.get(network, {}))
    code = export(run, "code", tmp_path / "code", rows=pl.DataFrame())
    assert_well_written(code)
    out = tmp_path / "out.csv"
    called(code / "predict.py", source, out, monkeypatch=monkeypatch, capsys=capsys)
    assert_answered_alike(run, source, out)
    printed = called(code / "train.py", source, monkeypatch=monkeypatch, capsys=capsys)
    assert "test squared_error: " in printed
    assert ("Boltzmann machine 3 of 3" in printed) == (network == "deep_belief")


@pytest.mark.parametrize("clean", ["no", "yes"])
def test_odd_rows_are_told_as_by_the_run_and_learnt_again(
    clean: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    customers().write_parquet(tmp_path / "table.parquet")
    run, source = made_run(tmp_path, tmp_path / "table.parquet", "anomaly", "autoencoder", "kind", clean=clean)
    code = export(run, "code", tmp_path / "code", rows=pl.DataFrame())
    assert_well_written(code, typed=clean == "no")
    assert not np.load(code / "anomaly.npz").files == []
    out = tmp_path / "out.csv"
    called(code / "predict.py", source, out, monkeypatch=monkeypatch, capsys=capsys)
    assert_answered_alike(run, source, out)
    printed = called(code / "train.py", source, monkeypatch=monkeypatch, capsys=capsys)
    assert "test alarm_rate: " in printed and "test roc_auc: " in printed
    called(code / "predict.py", source, out, monkeypatch=monkeypatch, capsys=capsys)
    assert pl.read_csv(out).height == 240


def test_odd_pictures_are_told_as_by_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of more values than detectors look at one by one."""
    image = pytest.importorskip("PIL.Image")
    draw = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for number in range(60):
        pixels = draw.integers(0, 90, (16, 16)) + 100 * (np.arange(16) == number % 16)
        image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / f"{number}.png")
    dataset = Dataset.open(tmp_path / "photos", problem="anomaly")
    made = design(dataset.problem, "autoencoder", dataset.schema, {"latent_dim": 3, "epochs": 2, "hidden": [8]})
    fitted = fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    bound = made.problem
    assert isinstance(bound, Targetless)
    parts = {part: dataset.arrays(part)[0] for part in ("train", "validation")}
    bound = bound.settle({part: Answers(x, outputs_of(made.model, x)) for part, x in parts.items()})
    run = Run.create(tmp_path / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": "anomaly", "needs_target": False, "coding": bound.coding})
    run.write_arrays("problem", bound.arrays)
    run.write("design", {**made.to_json(), "batch_size": fitted.batch_size})
    run.update("run", source={"origin": dataset.table.origin, "reading": dataset.table.reading})
    made.model.save(run.path / "model.keras")
    code = export(run, "code", tmp_path / "code", rows=pl.DataFrame())
    assert_well_written(code)
    out = tmp_path / "out.csv"
    called(code / "predict.py", tmp_path / "photos", out, monkeypatch=monkeypatch, capsys=capsys)
    assert_answered_alike(run, str(tmp_path / "photos"), out)
    assert "test alarm_rate: " in called(code / "train.py", tmp_path / "photos", monkeypatch=monkeypatch, capsys=capsys)


def test_names_that_modules_give_to_different_things_stay_apart() -> None:
    from nervura.detectors.neighbours import Neighbours
    from nervura.detectors.sampled_neighbours import SampledNeighbours

    space: dict[str, Any] = {}
    exec(definitions_source([Neighbours, SampledNeighbours], "Two detectors."), space)
    assert (space["NEIGHBOURS_NEIGHBOURS"], space["SAMPLED_NEIGHBOURS_NEIGHBOURS"]) == (10, 3)
    rows = np.random.default_rng(0).normal(size=(60, 2))
    for ours in (Neighbours, SampledNeighbours):
        theirs = space[ours.__name__]
        assert np.array_equal(theirs().fit(rows).score(rows), ours().fit(rows).score(rows))
