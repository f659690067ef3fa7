"""ONNX Runtime alone answers raw columns as the run does, by its network and by every other of its models."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura.baselines import baselines
from nervura.baselines.base import Bag, Fitted, Guess
from nervura.calibration import calibrate
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.errors import OptionError, RunError
from nervura.exporters import exporters
from nervura.exporters.base import Answerer
from nervura.exporting import compare, export
from nervura.onnx_encoding import feeds
from nervura.predicting import RULE, load_problem, load_schema, predict
from nervura.run import Run, kept_in
from nervura.training import held_out

keras = pytest.importorskip("keras")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LADDER = "feed_forward, 2 layers"
OF_TABLES = [baseline.name for baseline in baselines if baseline.needs is None]
MODELS = ["network", LADDER, *OF_TABLES]
TARGETS = {"binary": "left", "multiclass": "risk", "regression": "debt"}


def customers(rows: int, seed: int = 0, unseen: bool = False) -> pl.DataFrame:
    """A table with gaps in most columns and, where asked for, towns that no other has."""
    draw = np.random.default_rng(seed)

    def gaps(values: Any) -> list[Any]:
        return [None if draw.random() < 0.1 else value for value in values]

    age, town = draw.normal(40, 12, rows).round(1), draw.choice(["Porto", "Lisboa", "Braga"], rows)
    first = datetime(2021, 3, 1)
    price = draw.uniform(100, 9_000, rows)
    score = age + 10 * (town == "Porto") + draw.normal(0, 5, rows)
    return pl.DataFrame(
        {
            "age": gaps(age.tolist()),
            "town": gaps([f"Évora {i}" if unseen and i % 3 == 0 else name for i, name in enumerate(town.tolist())]),
            "street": [f"street {number}" for number in draw.integers(0, 40, rows)],
            "member": gaps(draw.choice(["yes", "no"], rows).tolist()),
            "trusted": draw.choice([True, False], rows),
            "day": gaps([first + timedelta(hours=int(hours)) for hours in draw.integers(0, 9_000, rows)]),
            "price": price,
            "risk": np.where(score > 48, "high", np.where(score > 35, "mid", "low")),
            "debt": price * 0.1 + score,
            "left": np.where(score > 40, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One run for each problem: a network with first weights, calibrated, beside models that were fitted to the rows."""
    return {problem: made_run(tmp_path_factory.mktemp(problem), target) for problem, target in TARGETS.items()}


def made_run(folder: Path, target: str) -> Run:
    others = [name for name in TARGETS.values() if name != target]
    source = folder / "customers.csv"
    customers(260).write_csv(source)
    dataset = Dataset.open(source, target, drop=others)
    kinds = {column.name: column.kind for column in dataset.schema.inputs}
    assert [kinds[name] for name in ("town", "street", "member", "trusted", "day")] == [
        "category", "category", "boolean", "boolean", "datetime",
    ]  # fmt: skip
    options: dict[str, Any] = {"hidden": [8], "members": 2}
    made = design(dataset.problem, "tabm", dataset.schema, options, folds=dataset.folds)
    (x, y), validation, folds = dataset.arrays("train"), dataset.arrays("validation"), dataset.fold_of_training
    made.network.prepare(made.model, x)
    plain = dataset.problem
    problem = calibrate(plain, *held_out(made, (x, y), validation, validation, folds), level=0.8)
    classes = plain.coding.get("classes", [])
    if classes:
        problem = type(problem)({**problem.coding, "temperature": 1.3})
    run = Run.create(folder / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": problem.name, "coding": problem.coding})
    run.write("design", made.to_json())
    run.update("run", source={"origin": str(source), "reading": dataset.table.reading}, name="customers")
    made.model.save(run.path / "model.keras")
    smaller = design(plain, "feed_forward", dataset.schema, {"hidden": [4, 4]})
    run.write_folder(kept_in(LADDER), lambda place: smaller.model.save(place / "model.keras"))
    rows = x, dataset.truth("train")
    for baseline in map(baselines.load, OF_TABLES):
        if baseline.missing():
            continue
        bagged = {"folds": folds - 1, "models": 2} if folds is not None else {}
        fitted = baseline.fit(plain, dataset_tensors(dataset), rows, **bagged)
        run.write_folder(kept_in(baseline.name), fitted.write)
        if classes and baseline.name == "linear":
            rule = {"threshold": 0.3} if len(classes) == 2 else {"weights": [0.5, 2.0, 1.0]}
            run.write_file(
                f"{kept_in(baseline.name)}/{RULE}", lambda file, rule=rule: file.write_text(json.dumps(rule))
            )
    return run


def dataset_tensors(dataset: Dataset) -> Any:
    from nervura.encoding import plain_tensors

    return plain_tensors(dataset.schema)


@pytest.mark.parametrize("use", MODELS)
@pytest.mark.parametrize("problem", TARGETS)
@pytest.mark.filterwarnings("ignore:Column:UserWarning")
def test_onnx_runtime_answers_like_the_run(problem: str, use: str, runs: dict[str, Run], tmp_path: Path) -> None:
    run = runs[problem]
    if use in baselines.names() and baselines.load(use).missing():
        pytest.skip(f"{use} is not installed")
    if use == LADDER and problem != "binary":
        pytest.skip("a network is written alike for all problems")
    source = tmp_path / "new.csv"
    customers(300, seed=1, unseen=True).write_csv(source)
    rows = nervura.read(source).frame.collect()
    path = export(run, "onnx", tmp_path / "made.onnx", use=use)
    assert compare(run, exporters.load("onnx"), path, rows, use) < 1e-6
    session = onnxruntime.InferenceSession(path)
    given = feeds(load_schema(run), rows)
    names = [one.name for one in session.get_outputs()]
    found = dict(zip(names, session.run(None, given), strict=True))
    expected = predict(run, str(source), use=use)
    target = load_problem(run)
    unit = target.coding.get("deviation", 1.0)
    if problem == "regression":
        for name in expected.columns:
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-5 * unit)
        assert set(names) == set(expected.columns)
    else:
        shares = expected.select(f"probability_{name}" for name in target.coding["classes"]).to_numpy()
        np.testing.assert_allclose(found["probabilities"], shares, rtol=0, atol=1e-5)
        assert (found["prediction"] == expected["prediction"].to_numpy()).mean() > 0.99
        assert ("set" in names) == ("prediction_set" in expected.columns) == (use == "network")
    if "set" in names:
        classes = np.array(target.coding["classes"])
        sets = ["|".join(classes[row]) for row in found["set"]]
        assert (np.array(sets) == expected["prediction_set"].to_numpy()).mean() > 0.99
    for row in (0, 7):
        alone = session.run(None, {name: values[row : row + 1] for name, values in given.items()})
        for name, values in zip(names, alone, strict=True):
            if values.dtype == object:
                assert values[0] == found[name][row]
            else:
                np.testing.assert_allclose(values[0], found[name][row], atol=1e-6 * unit)


def test_the_file_tells_what_it_is_and_how_it_is_used(runs: dict[str, Run]) -> None:
    onnx = pytest.importorskip("onnx")
    run = runs["multiclass"]
    path = export(run, "onnx")
    assert path == run.path / "exports" / "model.onnx"
    made = onnx.load(path)
    told = {one.key: one.value for one in made.metadata_props}
    assert told["nervura"] == nervura.__version__ and told["run"] == "customers" and told["target"] == "risk"
    assert json.loads(told["classes"]) == ["high", "low", "mid"]
    holds = {name: one["holds"] for name, one in json.loads(told["inputs"]).items()}
    assert holds == {
        "age": "float64", "town": "string", "street": "string", "member": "string", "trusted": "string",
        "day": "int64", "price": "float64",
    }  # fmt: skip
    printed = subprocess.run([sys.executable, "-c", made.doc_string], cwd=path.parent, capture_output=True, text=True)
    assert printed.returncode == 0, printed.stderr
    assert [line.split()[0] for line in printed.stdout.splitlines()[:2]] == ["prediction", "probabilities"]


def test_another_model_has_a_file_of_its_own_name(runs: dict[str, Run]) -> None:
    run = runs["binary"]
    assert export(run, "onnx", use=LADDER).name == "feed_forward__2_layers.onnx"
    assert export(run, "onnx", use="tabm").name == "model.onnx"


@pytest.mark.parametrize("to", ["code", "keras"])
def test_other_forms_carry_the_network_alone_and_say_so(to: str, runs: dict[str, Run]) -> None:
    with pytest.raises(OptionError, match=f"'{to}' carries the run's own network alone.*'linear'.*--to onnx"):
        export(runs["binary"], to, use="linear")
    with pytest.raises(OptionError, match="no model called 'linea'"):
        export(runs["binary"], to, use="linea")


def test_an_output_does_not_take_the_name_of_a_column(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    table = pl.DataFrame({"low": draw.normal(size=90), "prediction": draw.normal(size=90), "y": draw.normal(size=90)})
    dataset = Dataset.open(table, "y")
    made = design(dataset.problem, "perceptron", dataset.schema, {})
    run = Run.create(tmp_path / "run")
    run.write("schema", dataset.schema.to_json())
    coding = {**dataset.problem.coding, "conformal": {"level": 0.9, "bound": 0.5}}
    run.write("problem", {"name": "regression", "coding": coding})
    made.model.save(run.path / "model.keras")
    session = onnxruntime.InferenceSession(export(run, "onnx", rows=table))
    assert [one.name for one in session.get_outputs()] == ["prediction_", "low_", "high"]


class Oracle(Fitted):
    """A model that somebody else put on the shelf, without a graph."""


def test_a_model_without_a_graph_is_refused(runs: dict[str, Run], tmp_path: Path) -> None:
    run = runs["binary"]
    with pytest.raises(RunError, match="model 'oracle' has no form as an ONNX graph.*--use"):
        exporters.load("onnx").write_model(run, tmp_path / "x.onnx", Answerer("oracle", load_problem(run), Oracle()))


def test_the_mean_of_a_bag_answers(runs: dict[str, Run], tmp_path: Path) -> None:
    run = runs["binary"]
    bag = Bag([Guess(np.array([0.25, 0.75])), Guess(np.array([0.5, 0.5]))])
    path = exporters.load("onnx").write_model(run, tmp_path / "x.onnx", Answerer("bag", load_problem(run), bag))
    rows = nervura.read(run.path.parent / "customers.csv").frame.head(2).collect()
    np.testing.assert_array_equal(exporters.load("onnx").load(run, path)(rows), [[0.375, 0.625]] * 2)


def test_tensorflow_writes_the_network_of_another_backend(
    runs: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow")
    asked = []
    real = subprocess.run

    def watched(command: Any, **more: Any) -> Any:
        asked.append(more["env"]["KERAS_BACKEND"])
        return real(command, **more)

    run = runs["regression"]
    rows = nervura.read(run.path.parent / "customers.csv").frame.head(20).collect()
    with monkeypatch.context() as patch:
        patch.setattr(keras.backend, "backend", lambda: "jax")
        patch.setattr(subprocess, "run", watched)
        patch.setitem(os.environ, "KERAS_BACKEND", "jax")
        path = exporters.load("onnx").write(run, tmp_path / "model.onnx")
        assert asked == ["tensorflow"]
        failed = subprocess.CompletedProcess([], 1, "", "Traceback\n  ...\nValueError: no such operator\n")
        patch.setattr(subprocess, "run", lambda *command, **more: failed)
        with pytest.raises(RunError, match="no form as ONNX .*no such operator.*--to keras"):
            exporters.load("onnx").write(run, tmp_path / "other.onnx")
    assert compare(run, exporters.load("onnx"), path, rows) < 1e-6


@pytest.mark.parametrize("activation", ["gelu", "selu", "silu"])
def test_activations_have_a_form(activation: str, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    table = pl.DataFrame({"a": draw.normal(size=90), "y": draw.normal(size=90)})
    dataset = Dataset.open(table, "y")
    made = design(dataset.problem, "feed_forward", dataset.schema, {"hidden": [8], "activation": activation})
    run = Run.create(tmp_path / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": "regression", "coding": dataset.problem.coding})
    made.model.save(run.path / "model.keras")
    path = export(run, "onnx", rows=table)
    assert compare(run, exporters.load("onnx"), path, table) < 1e-6


def test_a_network_of_pictures_takes_their_bytes_and_other_models_are_refused(pictured: Path, tmp_path: Path) -> None:
    run = nervura.load(pictured)
    path = export(run, "onnx", tmp_path / "pictures.onnx")
    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    assert given.type == "tensor(uint8)" and given.shape == ["rows", 16, 16, 3]
    rows = nervura.read(run.need("run")["source"]["origin"]).frame.collect()
    assert compare(run, exporters.load("onnx"), path, rows) < 1e-5
    with pytest.raises(RunError, match="Of pictures a network alone"):
        export(run, "onnx", tmp_path / "other.onnx", use="linear")
