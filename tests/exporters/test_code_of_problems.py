"""The code of runs that group rows, read documents or texts, or write captions stands alone, answers as they do and
trains again."""

import json
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nervura.contracts import documents_example
from nervura.dataset import Dataset
from nervura.designing import Design, design
from nervura.ensembling import ensemble
from nervura.errors import RunError
from nervura.exporting import export
from nervura.predicting import predict
from nervura.problems.base import Answers, Appraised
from nervura.run import Run
from nervura.training import fit
from nervura.training import predict as outputs_of
from nervura.zoo.base import options_to_json

pytest.importorskip("keras")
# Keras's own conversions do not yet follow NumPy 2 with TensorFlow.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def code_of(folder: Path, dataset: Dataset, network: str, **options: Any) -> tuple[Run, Path]:
    """A run of an epoch, without its judgement, and its code."""
    made = design(dataset.problem, network, dataset.schema, options, folds=dataset.folds)
    parts = {part: dataset.arrays(part) for part in ("train", "validation")}
    fit(made, parts["train"], parts["validation"], folds=dataset.fold_of_training)
    return written(folder, dataset, made)


def written(folder: Path, dataset: Dataset, made: Design) -> tuple[Run, Path]:
    """A run of a trained network, and its code, which is written as ruff has it and does without nervura."""
    parts = {part: dataset.arrays(part) for part in ("train", "validation")}
    problem, run = made.problem, Run.create(folder / "run")
    if isinstance(problem, Appraised):
        asked = problem.asked(made.model)
        problem = problem.settle({part: Answers(x, outputs_of(asked, x)) for part, (x, _) in parts.items()})
        run.write_arrays("problem", problem.arrays)
    told = {"name": problem.name, "needs_target": problem.needs_target, "coding": problem.coding}
    run.write("problem", told)
    run.write("schema", dataset.schema.to_json())
    run.write("design", {**made.to_json(), "batch_size": 32})
    run.write_arrays("split", {"parts": dataset.split.parts, "folds": dataset.split.folds})
    run.update("run", source={"origin": dataset.table.origin, "reading": dataset.table.reading})
    made.model.save(run.path / "model.keras")
    code = export(run, "code", folder / "code", rows=pl.DataFrame())
    for words in (["check", "--extend-select", "I,UP,B"], ["format", "--check", "--diff"]):
        command = [sys.executable, "-m", "ruff", *words, "--no-cache", code]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    for file in code.glob("*.py"):
        assert "nervura" not in file.read_text() and "from_config" not in file.read_text(), file.name
    assert len((code / "model.py").read_text().splitlines()) <= 150
    return run, code


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """A function that runs a program of an exported folder in this process, and gives what it printed."""

    def called(script: Path, *arguments: object) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", [str(script), *map(str, arguments)])
            patch.syspath_prepend(str(script.parent))
            capsys.readouterr()
            try:
                runpy.run_path(str(script), run_name="__main__")
            finally:
                for file in script.parent.glob("*.py"):
                    sys.modules.pop(file.stem, None)
            return capsys.readouterr().out

    return called


def assert_answered_alike(run: Run, source: Path, out: Path) -> None:
    expected = predict(run, str(source))
    found = pl.read_csv(out, schema_overrides={"prediction": expected.schema["prediction"]})
    assert found.columns == expected.columns
    for name in found.columns:
        if expected[name].dtype == pl.Float64:
            assert np.abs((found[name] - expected[name]).to_numpy()).max() < 1e-5, name
        else:
            assert (found[name] == expected[name].cast(pl.String)).all(), name


def test_groups_of_rows_with_documents(tmp_path: Path, call: Any) -> None:
    draw, frame = np.random.default_rng(0), documents_example(90)
    columns = {"size": draw.normal(size=90), "price": draw.normal(size=90) + 5 * (frame["y"] == "sea").to_numpy()}
    source = tmp_path / "table.csv"
    frame.with_columns(**columns).rename({"document": "note"}).write_csv(source)
    dataset = Dataset.open(source, "y", problem="clustering", kinds={"note": "document"})
    run, code = code_of(tmp_path, dataset, "autoencoder", latent_dim=2, hidden=[4], epochs=1)
    call(code / "predict.py", source, tmp_path / "out.csv")
    assert_answered_alike(run, source, tmp_path / "out.csv")
    printed = call(code / "train.py", source)
    assert "test silhouette: " in printed and "test adjusted_rand: " in printed


def test_groups_of_pictures_by_their_codes(tmp_path: Path, call: Any) -> None:
    image = pytest.importorskip("PIL.Image")
    draw, photos = np.random.default_rng(0), tmp_path / "photos"
    photos.mkdir()
    for number in range(40):
        pixels = draw.integers(0, 60, (12, 12)) + 150 * (np.arange(12) // 6 == number % 2)
        image.fromarray(pixels.astype(np.uint8)).save(photos / f"{number}.png")
    dataset = Dataset.open(photos, problem="clustering", options={"clusters": 2})
    run, code = code_of(tmp_path, dataset, "moving_autoencoder", latent_dim=2, hidden=[8], epochs=1)
    assert "MovingObjective(model, shift=1)" in (code / "train.py").read_text()
    call(code / "predict.py", photos, tmp_path / "out.csv")
    assert_answered_alike(run, photos, tmp_path / "out.csv")
    assert "test silhouette: " in call(code / "train.py", photos)


@pytest.mark.parametrize("labelled", [True, False])
def test_topics_of_a_folder_of_texts(labelled: bool, tmp_path: Path, call: Any) -> None:
    texts = tmp_path / "texts"
    for number, (text, subject) in enumerate(documents_example(80).iter_rows()):
        place = texts / subject if labelled else texts
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:02}.txt").write_text(text)
    dataset = Dataset.open(texts, "label" if labelled else None, problem="topics", options={"topics": 3})
    options = {"latent_dim": 4, "hidden": [8], "epochs": 1}
    run, code = code_of(tmp_path, dataset, "contrastive_autoencoder", **options)
    assert "PyStemmer" in (code / "requirements.txt").read_text()
    call(code / "predict.py", texts, tmp_path / "out.csv")
    assert_answered_alike(run, texts, tmp_path / "out.csv")
    printed = call(code / "train.py", texts)
    assert ("test precision_at_10: " if labelled else "test found_again: ") in printed
    call(code / "predict.py", texts, tmp_path / "out.csv")


@pytest.mark.parametrize(("network", "options"), [("bag_of_words", {}), ("bag_of_embeddings", {"epochs": 1})])
def test_classes_of_texts(network: str, options: dict[str, Any], tmp_path: Path, call: Any) -> None:
    """Words that are not known, several scripts, signs, and a text without words."""
    more = ["", "Ol\u00e1, mar! \U0001f600\U0001f600 it's \u6d77 and \u6d77", "unheard-of words"]
    frame = pl.concat([documents_example(90), pl.DataFrame({"document": more, "y": ["law", "sea", "food"]})])
    source = tmp_path / "texts.csv"
    frame.write_csv(source)
    dataset = Dataset.open(source, "y", kinds={"document": "document"})
    run, code = code_of(tmp_path, dataset, network, **options)
    call(code / "predict.py", source, tmp_path / "out.csv")
    assert_answered_alike(run, source, tmp_path / "out.csv")
    assert "test log_loss: " in call(code / "train.py", source)
    if find_spec("nbformat") is not None:
        with pytest.raises(RunError, match="this run reads the documents of 'document'. Write --to code"):
            export(run, "notebook")


def test_captions_of_pictures(tmp_path: Path, call: Any) -> None:
    image = pytest.importorskip("PIL.Image")
    draw, photos = np.random.default_rng(0), tmp_path / "photos"
    photos.mkdir()
    lines, told = ["image,caption"], []
    for number in range(24):
        pixels = draw.integers(0, 80, (12, 12, 3))
        pixels[:, :, 2 * (number % 2)] += 150
        image.fromarray(pixels.astype(np.uint8)).save(photos / f"{number:02}.png")
        colour = ("red", "blue")[number % 2]
        for text in (f"{colour} Light.", f'{colour}, "loud" indeed'):
            lines.append(f"{number:02}.png,{text}")
            told.append({"image_id": number, "caption": text})
    (photos / "captions.txt").write_text("\n".join(lines))
    options = {"width": 4, "units": 8, "embedding": 6, "beam": 2, "naming_epochs": 1, "epochs": 1}
    run, code = code_of(tmp_path, Dataset.open(photos), "captioner", **options)
    call(code / "predict.py", photos, tmp_path / "out.csv")
    assert_answered_alike(run, photos, tmp_path / "out.csv")
    printed = call(code / "train.py", photos)
    assert "naming" in printed and "writing" in printed and "test cider_d: " in printed
    # The same captions as COCO has them.
    images = [{"id": number, "file_name": f"{number:02}.png"} for number in range(24)]
    (tmp_path / "coco").mkdir()
    (tmp_path / "coco" / "captions.json").write_text(json.dumps({"images": images, "annotations": told}))
    captions_in = runpy.run_path(str(code / "data.py"))["captions_in"]
    assert captions_in(tmp_path / "coco") == captions_in(photos)


def test_an_ensemble_of_networks_without_members(tmp_path: Path, call: Any) -> None:
    draw, source = np.random.default_rng(0), tmp_path / "table.csv"
    x = draw.normal(size=80)
    pl.DataFrame({"x": x, "z": draw.normal(size=80), "y": x + 0.1 * draw.normal(size=80)}).write_csv(source)
    dataset = Dataset.open(source, "y")
    one = design(dataset.problem, "feed_forward", dataset.schema, {"hidden": [4], "epochs": 1})
    other = design(dataset.problem, "deep_feed_forward", dataset.schema, {"hidden": [4, 4], "epochs": 1}, 1)
    both = ensemble([one, other], [0.75, 0.25])
    both.members_told = [
        {"weight": w, "settings": options_to_json(made.options)} for w, made in ((0.75, one), (0.25, other))
    ]
    run, code = written(tmp_path, dataset, both)
    call(code / "predict.py", source, tmp_path / "out.csv")
    assert_answered_alike(run, source, tmp_path / "out.csv")
    printed = call(code / "train.py", source)
    assert "model_1" in printed and "model_2" in printed and "test rmse: " in printed
