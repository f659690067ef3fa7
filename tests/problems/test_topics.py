"""Topics of small corpora in English and Portuguese: found, told, placed, and judged by labels that were not learnt."""

import re

import numpy as np
import polars as pl
import pytest

import nervura
from nervura.contracts import SUBJECTS, documents_example
from nervura.errors import OptionError, ProblemError, RunError, SourceError
from nervura.problems import problems
from nervura.problems.base import Declined
from nervura.schema import Column, Schema

QUICK = {"epochs": 12, "hidden": [32], "latent_dim": 8, "topics": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpus")
    for number, (text, label) in enumerate(documents_example(240).iter_rows()):
        (root / label).mkdir(exist_ok=True)
        (root / label / f"{number}.txt").write_text(text)
    (root / "law" / "empty.txt").write_text("")
    return root


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    return nervura.train(folder, problem="topics", options=QUICK, out=tmp_path_factory.mktemp("runs") / "run")


def test_topics_are_the_subjects(run):
    coding = run.need("problem")["coding"]
    found = {next(name for name, words in SUBJECTS.items() if leading[0] in words) for leading in coding["leading"]}
    assert found == set(SUBJECTS) and sum(coding["shares"]) == pytest.approx(1)
    test = run.evaluation["test"]
    assert test["purity"]["value"] > 0.9 and test["precision_at_10"]["value"] > 0.9
    assert {"tf_idf", "latent_semantic_analysis", "matrix_factorisation", "dirichlet_allocation"} <= set(
        run.evaluation["baselines"]
    )


def test_labels_play_no_part_in_what_is_learnt(run, folder, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in sorted(folder.rglob("*.txt")):
        (flat / file.name).write_bytes(file.read_bytes())
    other = nervura.train(flat, options=QUICK, out=tmp_path / "run")
    assert other.need("problem")["name"] == "topics" and list(other.evaluation["test"]) == ["found_again"]
    assert (
        other.evaluation["test"]["found_again"]["value"]
        > other.evaluation["baselines"]["constant"]["found_again"]["value"]
    )
    assert len(other.need("problem")["coding"]["leading"]) == 3


def test_new_documents_are_placed(run):
    texts = ["the judge of the court heard the witness of the crime", "they ate bread, butter and cheese with soup"]
    answers = run.predict(pl.DataFrame({"document": texts}))
    names = run.need("problem")["coding"]["names"]
    assert answers.columns == [
        "prediction",
        *(f"probability_{name}" for name in names),
        *(f"code_{i}" for i in range(1, 9)),
    ]
    told = dict(zip(names, run.need("problem")["coding"]["leading"], strict=True))
    for prediction, subject in zip(answers["prediction"], ("law", "food"), strict=True):
        assert len(set(told[prediction][:5]) & set(SUBJECTS[subject])) >= 3
    shares = answers.select(f"probability_{name}" for name in names).to_numpy()
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)


def test_similar_documents_are_found(run, folder, tmp_path):
    found = run.similar("a ship with a sailor and an anchor in the harbour, and waves in the storm", 5)
    assert found.height == 5 and all(name.startswith("sea/") for name in found["document"])
    assert found["similarity"].is_sorted(descending=True)
    own = next((folder / "sea").glob("*.txt"))
    (tmp_path / "new.md").write_text(own.read_text())
    nearest = run.similar(tmp_path / "new.md", 1)
    assert nearest["document"][0].startswith("sea/")
    for text, said in (("zzyx qqqw", "none is known"), ("absent.txt", "no file 'absent.txt'")):
        with pytest.raises(SourceError, match=said):
            run.similar(text)
    with pytest.raises(OptionError, match="--count 10"):
        run.similar("the court", 0)


def test_no_text_is_kept_in_the_run(run, folder):
    text = next((folder / "law").glob("1*.txt")).read_text()
    kept = b"".join(file.read_bytes() for file in run.path.rglob("*") if file.is_file())
    assert text.encode() not in kept


def test_other_runs_find_no_similar_documents(tmp_path):
    frame = documents_example(60)
    other = nervura.train(
        frame, "y", network="perceptron", options={"epochs": 1}, kinds={"document": "document"}, out=tmp_path / "run"
    )
    with pytest.raises(RunError, match="Train one with --problem topics"):
        other.similar("the court")


def test_tables_without_documents_have_no_topics():
    with pytest.raises(Declined, match="no column of documents"):
        problems.load("topics").fits_rows(Schema([Column("x", "number")]))
    with pytest.raises(ProblemError, match="no column of documents"):
        nervura.train({"x": np.arange(50.0) ** 2, "z": np.arange(50.0) % 7}, problem="topics")


def test_portuguese_documents_have_topics():
    subjects = ["tribunal juiz lei crime advogado prisão testemunha", "navio mar porto onda marinheiro âncora ilha"]
    draw = np.random.default_rng(0)
    texts = [
        "Os " + " e as ".join(draw.permutation(subjects[i % 2].split())[:5]) + " não são de todos os dias do ano"
        for i in range(120)
    ]
    model = nervura.TopicModel(options={"epochs": 12, "hidden": [16], "latent_dim": 4}, topics=2).fit(texts)
    assert model.schema_["document"].encoding["languages"][0] == "pt"
    topics = model.predict(texts)
    assert (topics[::2] == topics[0]).all() and (topics[1::2] == 1 - topics[0]).all()
    assert model.transform(texts[:3]).shape == (3, 2) and model.encode(texts[:3]).shape == (3, 4)
    assert not any(re.search(r"\b(não|os|todos)\b", " ".join(words)) for words in model.topics_)
    with pytest.raises(ValueError, match="a list or an array of texts"):
        model.fit("one text")
    with pytest.raises(ValueError, match="one of them is of the type int"):
        model.fit(["a text", 3])
