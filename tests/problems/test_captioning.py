"""A text for each picture: detection, coding, scores, and a run from folder to report."""

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import nervura
from nervura import contracts
from nervura.cli import main
from nervura.dataset import Dataset
from nervura.errors import OptionError, ProblemError, SchemaError
from nervura.evaluation import evaluate_on
from nervura.problems.captioning import Captioning, most_typical
from nervura.sentences import words_of

SMALL = {
    "width": 4,
    "units": 16,
    "embedding": 8,
    "beam": 2,
    "naming_epochs": 1,
    "epochs": 24,
    "patience": 24,
    "learning_rate": 0.05,
    "dropout": 0.0,
    "word_dropout": 0.0,
    "precision": "float32",
}


def lights(folder: Path, rows: int = 40) -> pl.DataFrame:
    """Bright pictures, red or blue, as a folder in the form of Flickr; and the same as rows."""
    from PIL import Image

    draw = np.random.default_rng(0)
    (folder / "Images").mkdir(parents=True)
    found = []
    for number in range(rows):
        colour = number % 2
        pixels = draw.integers(0, 60, (12, 12, 3))
        pixels[:, :, 2 * colour] += 180
        name = f"{number}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(folder / "Images" / name)
        word = ("red", "blue")[colour]
        found.append({"path": f"Images/{name}", "captions": [f"{word.title()} light.", f"light, {word}"]})
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "caption"])
        writer.writerows([Path(row["path"]).name, text] for row in found for text in row["captions"])
        writer.writerow(["gone.png", "no light"])
    Image.fromarray(pixels.astype(np.uint8)).save(folder / "Images" / "untold.png")
    return pl.DataFrame(found)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, pl.DataFrame]:
    """The folder of pictures, a run trained on it, and what is to be said of them."""
    folder = tmp_path_factory.mktemp("captions")
    rows = lights(folder / "lights")
    nervura.train(folder / "lights", options=SMALL, out=folder / "run")
    return folder / "lights", folder / "run", rows


def test_a_run_writes_captions_and_is_judged_beside_others(trained: tuple[Path, Path, pl.DataFrame]) -> None:
    folder, path, rows = trained
    run = nervura.load(path)
    assert run.need("problem")["name"] == "captioning"
    assert run.need("split")["rows"]["left out"] == 1
    notes = run.need("run")["source"]["notes"]
    assert any("gone.png" in note for note in notes) and any("untold.png" in note for note in notes)
    answers = run.predict(folder)
    assert answers.columns == ["path", "prediction", "log_probability"]
    assert answers.height == 41
    both = answers.join(rows, on="path")
    lowered = [[" ".join(words_of(text)) for text in texts] for texts in both["captions"]]
    right = np.mean([text in texts for text, texts in zip(both["prediction"], lowered, strict=True)])
    assert right > 0.9
    assert (answers["log_probability"] < 0).all()
    evaluation = run.evaluation
    assert set(evaluation["baselines"]) == {"typical_caption", "nearest_picture"}
    assert evaluation["test"]["bleu_1"]["value"] > evaluation["baselines"]["typical_caption"]["bleu_1"]["value"]


def test_one_picture_alone_has_its_caption(trained: tuple[Path, Path, pl.DataFrame]) -> None:
    folder, path, _ = trained
    run = nervura.load(path)
    whole = run.predict(folder).filter(pl.col("path") == "Images/0.png")
    alone = run.predict(folder / "Images" / "0.png")
    assert alone["prediction"].to_list() == whole["prediction"].to_list()
    assert alone["path"].to_list() == ["0.png"]


def test_the_report_shows_pictures_their_captions_and_where_was_looked(
    trained: tuple[Path, Path, pl.DataFrame],
) -> None:
    _, path, _ = trained
    run = nervura.load(path)
    for lang, title in (("en", "The best captions"), ("pt", "As melhores legendas")):
        page = run.report(lang).read_text(encoding="utf-8")
        assert title in page and "CIDEr-D" in page
        assert page.count("data:image/png;base64") > 10
    shown = [one["title"][0] for one in run.need("explanation")["findings"]]
    assert sum(title.startswith("Where it looked") for title in shown) == 3
    looked = run.read_arrays("findings")["best_looked"]
    words = next(one for one in run.need("explanation")["findings"] if one["pictures"] == "best_looked")["captions"]
    assert len(looked) == len(words)


def test_a_run_is_evaluated_and_exported(
    trained: tuple[Path, Path, pl.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, path, _ = trained
    run = nervura.load(path)
    found = evaluate_on(run, folder)
    assert found["rows"]["given"] == 40 and found["test"]["bleu_2"]["value"] > 0.5
    assert run.export("keras").exists()
    for form in ("onnx", "notebook", "savedmodel"):
        with pytest.raises(OptionError, match="problem captioning: .*Write --to code or keras"):
            run.export(form)
    assert main(["explain", str(path)]) == 0
    assert "captions" in capsys.readouterr().out


def test_captions_are_told_by_their_kind() -> None:
    dataset = contracts.captions_example()
    assert dataset.problem.name == "captioning" and dataset.schema.target.kind == "captions"
    assert dataset.detection.declined["binary"] == "the target is of the kind captions"
    frame = (
        dataset.table.frame.collect().with_columns(pl.col("captions").list.first().alias("caption")).drop("captions")
    )
    single = Dataset.open(frame, "caption", kinds={"caption": "captions"})
    assert single.problem.name == "captioning"
    assert single.problem.coding["captions"] == 1
    with pytest.raises(ProblemError, match="Write --problem captioning"):
        Dataset.open(frame, "caption", kinds={"caption": "captions"}, problem="multiclass")
    with pytest.raises(SchemaError, match="Captions say what is in pictures"):
        Dataset.open(pl.DataFrame({"x": range(20), "y": ["a b"] * 20}), "y", kinds={"y": "captions"})


def test_encoded_captions_have_a_place_for_each_and_unknown_words() -> None:
    learnt = Captioning().learn(pl.Series([["a dog", "the dog runs"], ["a cat"]]))
    encoded = learnt.encode(pl.Series([["a bird", "...", "a dog"], None], dtype=pl.List(pl.String)))
    assert encoded.shape == (2, 2, 4)
    words = {word: 4 + place for place, word in enumerate(learnt.coding["words"])}
    assert encoded[0].tolist() == [[words["a"], 3, 2, 0], [words["a"], words["dog"], 2, 0]]
    assert not encoded[1].any()


def test_captions_that_tell_sides_forbid_mirroring() -> None:
    plain, sided = (Captioning().learn(pl.Series([[f"a dog {word}"]] * 20)) for word in ("here", "left of a cat"))
    assert not plain.head().sided and sided.head().sided


def test_the_most_typical_text_has_most_in_common_with_the_others() -> None:
    assert most_typical(pl.Series(["snow", "a dog runs", "a dog runs fast", "a big dog runs"])) == "a dog runs"
