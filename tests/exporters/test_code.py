import gzip
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura import encoding
from nervura.calibration import calibrate
from nervura.data_source import DataCode, PictureCode
from nervura.dataset import Dataset
from nervura.designing import design
from nervura.ensembling import ensemble
from nervura.exporters import exporters
from nervura.exporting import export
from nervura.model_source import layers_source, model_source
from nervura.run import Run
from nervura.schema import Column, Schema
from nervura.sources import read
from nervura.training import fit, held_out
from nervura.zoo.base import options_to_json

keras = pytest.importorskip("keras")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def customers(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    """A table as people write them: a decimal comma, a currency, days before months, gaps."""
    draw = np.random.default_rng(seed)
    age, city = draw.normal(40, 12, rows).round(1), draw.choice(["Porto", "Lisboa", "Braga", "Faro"], rows)
    day = pl.Series(draw.integers(18_000, 19_500, rows)).cast(pl.Date).dt.strftime("%d/%m/%Y")
    price = draw.uniform(100, 9_000, rows)
    notes = draw.choice(["late payment again", "pays early", "no remark at all", "asks for more time"], rows)
    class_name = np.where(age + 10 * (city == "Porto") > 45, "high", np.where(age > 30, "mid", "low"))
    return pl.DataFrame(
        {
            "age": [None if i % 17 == 0 else str(value) for i, value in enumerate(age)],
            "city": city,
            "member": draw.choice(["yes", "no"], rows),
            "day": day,
            "price": [f"{value:,.2f} €".translate(str.maketrans(",.", ".,")) for value in price],
            "notes": [f"{note} {i}" for i, note in enumerate(notes)],
            "risk": class_name,
            "debt": [f"{value:.2f}" for value in price * 0.1 + age],
            "left": np.where(age > 40, "yes", "no"),
        }
    )


def made_run(
    folder: Path,
    target: str,
    options: dict[str, Any],
    network: str = "deep_feed_forward",
    metric: str | None = None,
    rule: list[float] | None = None,
) -> tuple[Run, Dataset]:
    source = folder / "customers.csv"
    customers().write_csv(source, separator=";")
    others = [name for name in ("risk", "debt", "left") if name != target]
    dataset = Dataset.open(source, target, drop=others, metric=metric)
    made = design(dataset.problem, network, dataset.schema, {"epochs": 2, **options}, folds=dataset.folds)
    rows, judged, folds = dataset.arrays("train"), dataset.arrays("validation"), dataset.fold_of_training
    fitted = fit(made, rows, judged, folds=folds)
    dataset.problem = calibrate(dataset.problem, *held_out(made, rows, judged, judged, folds), level=0.8)
    if rule:
        dataset.problem = dataset.problem.ruled(np.array(rule))
    run = Run.create(folder / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": dataset.problem.name, "coding": dataset.problem.coding})
    run.write("design", {**made.to_json(), "batch_size": fitted.batch_size})
    run.write("split", dataset.split.to_json())
    run.write_arrays("split", {"parts": dataset.split.parts, "folds": dataset.split.folds})
    run.update("run", source={"origin": dataset.table.origin, "reading": dataset.table.reading})
    made.model.save(run.path / "model.keras")
    return run, dataset


def test_an_ensemble_predicts_like_the_run_and_trains_each_of_its_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run, dataset = made_run(tmp_path, "risk", {"hidden": "8", "members": 2, "class_weight": "balanced"}, "tabm")
    of_each = [
        ("tabm", {"hidden": [8], "members": 2, "class_weight": "balanced"}),
        ("tabm", {"hidden": [8, 8], "members": 1, "class_weight": "balanced", "schedule": "cosine", "clip_norm": 0.0}),
    ]
    designs = [
        design(dataset.problem, name, dataset.schema, {"epochs": 2, **options}, seed, dataset.folds)
        for seed, (name, options) in enumerate(of_each)
    ]
    for one in designs:
        fit(one, dataset.arrays("train"), dataset.arrays("validation"), folds=dataset.fold_of_training)
    both = ensemble(designs, [0.75, 0.25])
    both.members_told = [
        {"weight": weight, "settings": options_to_json(one.options)}
        for weight, one in zip([0.75, 0.25], designs, strict=True)
    ]
    run.write("design", {**both.to_json(), "batch_size": 64})
    both.model.save(run.path / "model.keras")
    code = export(run, "code", tmp_path / "code", rows=pl.DataFrame())
    assert_well_written(code)
    source, out = tmp_path / "customers.csv", tmp_path / "out.csv"
    called_here(code / "predict.py", source, out, monkeypatch=monkeypatch, capsys=capsys)
    assert_predicted_like_the_run(run, dataset, out)
    printed = called_here(code / "train.py", source, monkeypatch=monkeypatch, capsys=capsys)
    assert "model_1" in printed and "model_2" in printed and "test log_loss: " in printed


def called(*command: object, cwd: Path) -> str:
    """Runs a Python program where nervura cannot be found, and gives what it printed."""
    blocked = cwd / "blocked" / "nervura"
    blocked.mkdir(parents=True, exist_ok=True)
    (blocked / "__init__.py").write_text("raise ImportError('exported code stands alone')\n")
    environment = {**os.environ, "PYTHONPATH": str(blocked.parent)}
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def called_here(script: Path, *arguments: object, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> str:
    """Runs a program of an exported folder in this process, where Keras is loaded already, and gives what it printed."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", [str(script), *map(str, arguments)])
        patch.syspath_prepend(str(script.parent))
        for name in ("data", "layers", "model"):
            sys.modules.pop(name, None)
        capsys.readouterr()
        try:
            runpy.run_path(str(script), run_name="__main__")
        finally:
            for name in ("data", "layers", "model"):
                sys.modules.pop(name, None)
        return capsys.readouterr().out


def assert_well_written(code: Path) -> None:
    for tool in ("ruff", "mypy"):
        if find_spec(tool) is None:
            pytest.skip(f"{tool} is not installed")
    called("-m", "ruff", "check", "--no-cache", "--extend-select", "I,UP,B", code, cwd=code.parent)
    called("-m", "ruff", "format", "--no-cache", "--check", "--diff", code, cwd=code.parent)
    called("-m", "mypy", "--ignore-missing-imports", ".", cwd=code)
    shutil.rmtree(code / "blocked")
    for file in code.glob("*.py"):
        assert not re.search(r"nervura|from_config\(", file.read_text().replace("get_config", "")), file.name
    assert len((code / "model.py").read_text().splitlines()) <= 150


CASES = {
    "classes": (
        "risk",
        "deep_feed_forward",
        {"blocks": "residual", "normalization": "batch", "hidden": "64,64,64", "l2": 1e-3, "class_weight": "balanced"},
    ),
    "smoothed": ("risk", "feed_forward", {"label_smoothing": 0.1, "optimizer": "sgd", "hidden": "16,8,4"}),
    "value": ("debt", "deep_feed_forward", {"schedule": "cosine", "clip_norm": 1.0, "optimizer": "adam"}),
    "yes_no": ("left", "perceptron", {"optimizer": "rmsprop", "l1": 1e-3}),
    "bagged": ("risk", "tabm", {"hidden": "16,16", "members": 2, "bins": 8, "embedding": 4}),
    "bagged_smoothed": ("risk", "tabm", {"hidden": "16", "members": 2, "arch": "tabm", "label_smoothing": 0.1}),
    "members": ("debt", "tabm", {"hidden": "16,16", "members": 2, "folds": 1, "bins": 8}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_code_predicts_like_the_run_and_trains(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target, network, options = CASES[case]
    run, dataset = made_run(tmp_path, target, options, network)
    # Compared below; the export's own comparison is the next test's matter.
    code = export(run, "code", tmp_path / "code", rows=pl.DataFrame())
    assert_well_written(code)
    source, out = tmp_path / "customers.csv", tmp_path / "out.csv"

    if case == "classes":
        called(code / "predict.py", source, out, cwd=tmp_path)
    else:
        called_here(code / "predict.py", source, out, monkeypatch=monkeypatch, capsys=capsys)
    assert_predicted_like_the_run(run, dataset, out)

    text = (code / "model.py").read_text()
    widened = re.sub(r"^(HIDDEN\w*) = \d+$", r"\1 = 24", text, flags=re.M).replace("(16, 8, 4)", "(12, 8, 4)")
    assert network == "perceptron" or widened != text
    (code / "model.py").write_text(widened)
    printed = called_here(code / "train.py", source, monkeypatch=monkeypatch, capsys=capsys)
    assert f"test {dataset.problem.metric}: " in printed
    called_here(code / "predict.py", source, out, monkeypatch=monkeypatch, capsys=capsys)
    assert pl.read_csv(out).height == 300


def assert_predicted_like_the_run(run: Run, dataset: Dataset, out: Path) -> None:
    model = keras.saving.load_model(run.path / "model.keras", compile=False)
    encoded = encoding.encode(dataset.schema, dataset.table.frame.collect())
    outputs = model.predict({t.name: encoded[t.name] for t in model.inputs}, batch_size=1024, verbose=0)
    expected = dataset.problem.decode(dataset.problem.estimates(outputs))
    found = pl.read_csv(out, schema_overrides={"prediction": expected["prediction"].dtype})
    assert found.columns == expected.columns
    unit = dataset.problem.coding.get("deviation", 1.0)
    for name in found.columns:
        if expected[name].dtype == pl.Float64:
            assert np.abs((found[name] - expected[name]).to_numpy()).max() / unit < 1e-5
        else:
            assert (found[name] == expected[name]).all()


TABLES = {
    "plain": b"a,b,y\n1,u,2\n2, v ,3\nNA,,4\n",
    "semicolons": "a;b;y\n1,5;é;2\n2,25;v;3\n1.000,5;-;4\n".encode("cp1252"),
    "utf-16": "a\tb\ty\n1\té\t2\n2\tv\t3\n".encode("utf-16"),
    "single quotes": b"a,b,y\n1,'u, w',2\n2,'v',3\n3,'v',4\n",
    "blank lines": b'a,b,y\n\n1,u,2\n\n2,"v\nw",3\n\n4,x,5\n',
    "hint of Excel": b"sep=;\na;b;y\n1;u;2\n2;v;3\n",
    "quotes in the header": b'"a ""b""","b, c","y"\n1,u,2\n2,v,3\n',
    "equal names": b"a,a,a_2,,y\n1,u,5,6,2\n2,v,5,7,3\n",
    "equal names and blank lines": b"a,a,y\n\n1,u,2\n\n2,v,3\n",
    "marked": "\ufeffa,b,y\n1,u,2\n2,v,3\n".encode(),
    "without a header": b"1.5,u,2\n2.5,v,3\n3.5,u,4\n",
    "without a name": b",b,y\n1,u,2\n2,v,3\n",
    "compressed": gzip.compress(b"a,b,y\n1,u,2\n2,v,3\n"),
    "unknown numbers": b"a,b,y\n1,u,2\nunknown,v,3\n2,u,4\n3,u,5\n",
}


@pytest.mark.parametrize(
    ("target", "metric", "rule"),
    [("left", "f1", [0.45, 0.55]), ("risk", "balanced_accuracy", [2.0, 1.0, 0.5]), ("debt", "mae", None)],
)
def test_the_code_decides_as_the_run_does(
    target: str,
    metric: str,
    rule: list[float] | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, dataset = made_run(tmp_path, target, {"hidden": "8", "members": 1}, "tabm", metric, rule)
    code = export(run, "code", tmp_path / "code", rows=pl.DataFrame())
    assert_well_written(code)
    source, out = tmp_path / "customers.csv", tmp_path / "out.csv"
    called_here(code / "predict.py", source, out, monkeypatch=monkeypatch, capsys=capsys)
    assert_predicted_like_the_run(run, dataset, out)
    if rule:
        found = pl.read_csv(out)
        shares = found.select(f"probability_{name}" for name in dataset.problem.classes).to_numpy()
        likeliest = [dataset.problem.classes[code] for code in shares.argmax(1)]
        assert found["prediction"].to_list() != likeliest, "the rule makes a difference here"
        assert all(a in b.split("|") for a, b in found.select("prediction", "prediction_set").iter_rows())
    else:
        assert "MeanAbsoluteError" in (code / "train.py").read_text()
        assert "test mae: " in called_here(code / "train.py", source, monkeypatch=monkeypatch, capsys=capsys)


@pytest.mark.parametrize("form", TABLES)
def test_a_table_is_read_as_the_run_read_it(form: str, tmp_path: Path) -> None:
    source = tmp_path / ("table.csv.gz" if form == "compressed" else "table.csv")
    source.write_bytes(TABLES[form])
    table = read(source)
    frame = table.frame.collect()
    columns = [Column(name, "category", encoding={"levels": ["u", "v"]}, dtype="String") for name in frame.columns]
    columns[-1].role = "target"
    code = DataCode(
        Schema(columns), {"name": "multiclass", "coding": {"classes": ["2", "3"]}}, {"reading": table.reading}, []
    )
    space: dict[str, Any] = {}
    exec(code.source(), space)
    assert space["read_table"](str(source)).equals(frame)


def test_long_lists_go_to_a_json_file(tmp_path: Path) -> None:
    names = [f"street {i % 60}" for i in range(600)]
    table = pl.DataFrame({"street": names, "size": np.arange(600.0), "price": np.arange(600.0) % 60})
    source = tmp_path / "houses.parquet"
    table.write_parquet(source)
    dataset = Dataset.open(source, "price", problem="regression")
    made = design(dataset.problem, "deep_feed_forward", dataset.schema, {"hidden": "8"})
    run = Run.create(tmp_path / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": dataset.problem.name, "coding": dataset.problem.coding})
    run.write("design", made.to_json())
    run.update("run", source={"origin": dataset.table.origin, "reading": dataset.table.reading})
    made.model.save(run.path / "model.keras")
    code = export(run, "code", rows=table)
    assert code == run.path / "exports" / "code"
    assert len(json.loads((code / "columns.json").read_text())["levels"]["street"]) == 60
    assert not (code / "split.csv").exists()
    assert_well_written(code)


def built(text: str, sizes: list[int], folder: Path) -> Any:
    """The model that a generated file builds."""
    space: dict[str, Any] = {}
    exec(text.replace("from data import SIZES", f"SIZES = {sizes}"), space)
    return space["build_model"]()


def assert_same(model: Any, again: Any, inputs: Any, folder: Path) -> None:
    model.save_weights(folder / "model.weights.h5")
    again.load_weights(folder / "model.weights.h5")
    one, two = model.predict_on_batch(inputs), again.predict_on_batch(inputs)
    assert np.abs(np.asarray(one) - np.asarray(two)).max() < 1e-6


def test_a_model_built_by_hand_is_written_back(tmp_path: Path) -> None:
    layers, ops = keras.layers, keras.ops
    numbers = keras.Input((6,), name="numbers")
    categories = keras.Input((2,), dtype="int32", name="categories")
    shared = layers.Dense(6, activation="tanh", name="shared")
    a = shared(numbers)
    b = shared(a)
    vectors = layers.Embedding(9, 4, name="names")(categories)
    vectors = ops.mean(vectors, axis=1)
    first = numbers[:, 1:3]
    x = layers.Concatenate(axis=1)([a, b, vectors, first])
    x = layers.Dense(16, name="enter")(x)
    for i in range(3):
        h = layers.BatchNormalization(momentum=0.9, name=f"norm_{i}")(x)
        h = layers.Dense(16, activation="relu", name=f"block_{i}")(h)
        h = layers.Dropout(0.1, seed=i)(h)
        x = layers.Add()([x, h])
    gate = layers.Dense(16, activation="sigmoid", name="gate")(x)
    x = x * gate
    model = keras.Model({"numbers": numbers, "categories": categories}, layers.Dense(2, name="output")(x))
    text, custom = model_source(model, [])
    assert custom == []
    assert "for i in range(3):" in text
    assert text.count("BatchNormalization") == 1
    draw = np.random.default_rng(0)
    inputs = {"numbers": draw.normal(size=(5, 6)).astype("float32"), "categories": draw.integers(0, 9, (5, 2))}
    assert_same(model, built(text, [], tmp_path), inputs, tmp_path)


def test_changing_widths_become_a_tuple(tmp_path: Path) -> None:
    inputs = x = keras.Input((3,), name="numbers")
    for i, width in enumerate((32, 16, 8), 1):
        x = keras.layers.Dense(width, name=f"hidden_{i}")(x)
        x = keras.layers.Dropout(0.2, name=f"dropout_{i}")(x)
    model = keras.Model({"numbers": inputs}, keras.layers.Dense(1, name="output")(x))
    text, _ = model_source(model, [])
    assert "HIDDEN = (32, 16, 8)" in text
    assert "for i, width in enumerate(HIDDEN, start=1):" in text
    assert_same(model, built(text, [], tmp_path), {"numbers": np.ones((2, 3), "float32")}, tmp_path)


def test_layers_of_our_own_come_with_all_they_use() -> None:
    from nervura.layers.level_embedding import LevelEmbedding
    from nervura.layers.smooth_clip import SmoothClip

    text = layers_source([LevelEmbedding, SmoothClip])
    assert "import numpy as np" in text
    assert 'register_keras_serializable(package="exported")' in text
    assert "nervura" not in text


def test_another_backend_is_asked_for_before_keras_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = made_run(tmp_path, "debt", {}, "perceptron")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr("nervura.exporters.code.version", lambda name: "1.0+cpu")
    code = exporters.load("code").write(run, tmp_path / "code")
    assert "jax==1.0\n" in (code / "requirements.txt").read_text()
    for name in ("model.py", "train.py"):
        before, _, after = (code / name).read_text().partition('os.environ.setdefault("KERAS_BACKEND", "jax")\n')
        assert "import keras" in after and "import keras" not in before
    assert_well_written(code)


def test_classes_with_quotes_and_line_breaks_are_compared(tmp_path: Path) -> None:
    classes = ['12" pipe', "a,b", "two\nlines"]
    run = Run.create(tmp_path / "run")
    run.write("problem", {"name": "multiclass", "coding": {"classes": classes}})
    run.write("schema", Schema([Column("x", "number")], 1).to_json())
    (tmp_path / "predict.py").write_text(
        "import sys\nimport polars as pl\n"
        f"pl.DataFrame({{'prediction': ['a,b'], **{{f'probability_{{name}}': [0.5] for name in {classes!r}}}}})"
        ".write_csv(sys.argv[2])\n",
        encoding="utf-8",
    )
    predicted = exporters.load("code").load(run, tmp_path)(pl.DataFrame({"x": [1.0]}))
    assert predicted.tolist() == [[0.5, 0.5, 0.5]]


def test_every_exporter_says_what_it_is() -> None:
    assert {"code", "keras"} <= set(exporters.names())
    for exporter in exporters:
        assert exporter.summary and exporter.file


@pytest.mark.parametrize("network", ["convolutional", "airbench"])
def test_the_code_of_pictures_predicts_like_the_run_and_trains(
    network: str,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = shutil.copytree(photos, tmp_path / "photos")
    dataset = Dataset.open(source, size="12x16")
    options = {"filters": [8, 8], "epochs": 2, **({"views": "yes"} if network == "airbench" else {"dense": [8]})}
    made = design(dataset.problem, network, dataset.schema, options)
    rows, judged = dataset.arrays("train"), dataset.arrays("validation")
    fitted = fit(made, rows, judged)
    dataset.problem = calibrate(dataset.problem, *held_out(made, rows, judged, judged, None), level=0.8)
    run = Run.create(tmp_path / "run")
    run.write("schema", dataset.schema.to_json())
    run.write("problem", {"name": dataset.problem.name, "coding": dataset.problem.coding})
    run.write("design", {**made.to_json(), "batch_size": fitted.batch_size})
    run.write("split", dataset.split.to_json())
    run.write_arrays("split", {"parts": dataset.split.parts, "folds": dataset.split.folds})
    run.update("run", source={"origin": dataset.table.origin, "reading": dataset.table.reading})
    made.model.save(run.path / "model.keras")

    code = export(run, "code", tmp_path / "code", rows=pl.DataFrame())
    assert_well_written(code)
    out = tmp_path / "out.csv"
    called_here(code / "predict.py", source, out, monkeypatch=monkeypatch, capsys=capsys)
    with pytest.warns(UserWarning, match="cannot be read"):
        expected = nervura.load(run.path).predict(source)
    found = pl.read_csv(out)
    assert found["prediction"].null_count() == expected["prediction"].null_count() == 1
    assert found.columns == expected.columns and found["path"].to_list() == expected["path"].to_list()
    for name in (name for name in found.columns if name.startswith("probability_")):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-5)
    printed = called_here(code / "train.py", source, monkeypatch=monkeypatch, capsys=capsys)
    assert "test log_loss: " in printed


def test_the_code_reads_pictures_of_tables_as_the_run_did(photos: Path, tmp_path: Path) -> None:
    files = sorted(photos.rglob("*.png"))
    labels = [file.parent.name for file in files]
    stored = pl.DataFrame({"image": [{"bytes": f.read_bytes(), "path": f.name} for f in files], "label": labels})
    stored.write_parquet(tmp_path / "stored.parquet")
    listed = pl.DataFrame({"file": [f"photos/{file.relative_to(photos)}" for file in files], "label": labels})
    listed.write_csv(photos.parent / "paths.csv")
    for source in (photos.parent / "paths.csv", tmp_path / "stored.parquet"):
        dataset = Dataset.open(source)
        problem = {"name": "multiclass", "coding": dataset.problem.coding}
        space: dict[str, Any] = {}
        exec(PictureCode(dataset.schema, problem, {"reading": dataset.table.reading}, []).source(), space)
        rows = space["read_table"](str(source))
        expected = encoding.encode(dataset.schema, dataset.table.frame.collect())["pictures"]
        assert (space["read_pictures"](rows)[0] == expected).all()
        assert space["read_target"](rows).to_list() == [
            dataset.problem.coding["classes"].index(name) for name in labels
        ]


def test_the_code_finds_the_pictures_of_folders_as_the_run_did(photos: Path, tmp_path: Path) -> None:
    source = tmp_path / "archive"
    shutil.copytree(photos, source / "flowers" / "train")
    shutil.copytree(photos / "lying", source / "flowers" / "test" / "lying")
    for aside in ("__MACOSX/lying", ".cache"):
        (source / aside).mkdir(parents=True)
        shutil.copy(photos / "lying" / "0.png", source / aside / "0.png")
    dataset = Dataset.open(source)
    problem = {"name": "multiclass", "coding": dataset.problem.coding}
    space: dict[str, Any] = {}
    exec(PictureCode(dataset.schema, problem, {"reading": dataset.table.reading}, []).source(), space)
    for given in (source, photos, photos / "lying", photos / "lying" / "0.png"):
        expected, found = read(given).frame.collect(), space["read_table"](str(given))
        assert found["path"].to_list() == expected["path"].to_list()
        assert found["picture"].to_list() == expected["picture"].to_list()
        if given.is_dir():
            assert found["label"].to_list() == expected["label"].cast(pl.String).to_list()
