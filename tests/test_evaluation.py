"""The judgement of a run: what it is compared with, what of that is kept, and what is left out for want of time."""

import importlib.util
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura import contracts, evaluation, training
from nervura.baselines import base, baselines
from nervura.baselines.catboost import CatBoost
from nervura.designing import design
from nervura.errors import SchemaError
from nervura.evaluation import depth_name, evaluate, evaluate_on, scores_of
from nervura.run import Run

from .conftest import brief_rivals

LADDER = ["perceptron", "feed_forward", depth_name(2), depth_name(3)]


def judged(folder: Path, **how: Any) -> tuple[Run, dict[str, Any]]:
    dataset = contracts.example(2)
    made = design(dataset.problem, "deep_feed_forward", dataset.schema, {"hidden": [8, 8], "epochs": 2})
    training.fit(made, dataset.arrays("train"), dataset.arrays("validation"))
    run = Run.create(folder)
    run.write("design", made.to_json())
    return run, evaluate(run, dataset, made, 1.0, **how)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with brief_rivals(each_depth=True):
        yield


@pytest.fixture
def without_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained for what is asked of the baselines alone."""
    monkeypatch.setattr(evaluation._Judge, "_network", lambda *how: iter(()))
    monkeypatch.setattr(evaluation._Judge, "more_seeds", lambda *how: None)


def test_every_rival_is_judged_and_kept(tmp_path: Path) -> None:
    run, found = judged(tmp_path / "run")
    installed = [one.name for one in baselines if one.needs is None and not one.missing()]
    assert set(found["baselines"]) == {*installed, "perceptron", "feed_forward"}
    assert set(found["depths"]) == {"0", "1", "2", "3"}
    kept = {folder.name for folder in (run.path / "baselines").iterdir()}
    assert kept == {*installed, *LADDER}
    assert all((run.path / "baselines" / name / "model.keras").exists() for name in LADDER)
    assert len(list((run.path / "baselines" / "boosting").glob("fold_*"))) == 5
    for file in run.path.rglob("*"):
        assert file.is_dir() or file.read_bytes()[:2] not in contracts.PICKLES, file


def test_what_is_not_installed_is_left_out_quietly(
    without_networks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, find = ("lightgbm", "catboost"), importlib.util.find_spec
    monkeypatch.setattr(base, "find_spec", lambda name: None if name in gone else find(name))
    _, found = judged(tmp_path / "run")
    assert not set(gone) & set(found["baselines"]) and "boosting" in found["baselines"]
    assert not any(name in note for note in found["notes"] for name in gone)


def test_without_time_a_constant_guess_is_left(tmp_path: Path) -> None:
    _, found = judged(tmp_path / "run", deadline=time.monotonic())
    assert set(found["baselines"]) == {"constant"}
    assert "Left out, to keep the time budget: boosting." in found["notes"]


@pytest.mark.skipif(bool(CatBoost().missing()), reason="catboost is not installed")
def test_a_bag_that_takes_too_long_is_one_model_and_a_note(
    without_networks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nervura.baselines.catboost.BAGGED_CELLS", 0)
    run, found = judged(tmp_path / "run")
    assert any(note.startswith("catboost is one model and not 5 over folds") for note in found["notes"])
    assert [folder.name for folder in (run.path / "baselines" / "catboost").iterdir()] == ["fold_0"]


def test_other_rows_are_judged_by_any_of_the_models(trained: Path, table: Path) -> None:
    run = nervura.load(trained)
    evaluation = run.evaluation
    parts = run.read_arrays("split")["parts"]  # type: ignore[index]
    rows = pl.read_csv(table)[np.flatnonzero(parts == 2)]
    for name in ("feed_forward", "constant", "boosting", "linear", "perceptron"):
        found = evaluate_on(run, rows, use=name)
        wanted = scores_of(run, name)
        assert found["model"] == name and found["rows"]["given"] == evaluation["rows"]["test"]
        value = wanted["log_loss"]["value"]
        assert found["test"]["log_loss"]["value"] == pytest.approx(value, rel=1e-4), name
    assert scores_of(run, depth_name(2)) == evaluation["depths"]["2"]


def test_the_report_says_how_to_use_what_the_verdict_prefers(trained: Path, tmp_path: Path) -> None:
    run = Run(shutil.copytree(trained, tmp_path / "my run"))
    evaluation = json.loads((run.path / "evaluation.json").read_text(encoding="utf-8"))
    evaluation["verdict"] |= {"best": "boosting", "simplest": "feed_forward"}
    run.write("evaluation", evaluation)
    nervura.load(run.path).report("pt")
    command = "nervura predict 'my run' new.csv --use best"
    assert f"Para prever com boosting: {command}" in (run.path / "report.md").read_text(encoding="utf-8")
    assert "--use best</code>" in (run.path / "report.html").read_text(encoding="utf-8")
    assert "árvores com boosting, de scikit-learn" in (run.path / "report.html").read_text(encoding="utf-8")


def test_rows_of_classes_that_were_not_learnt_are_told(trained: Path, table: Path) -> None:
    run, rows = nervura.load(trained), pl.read_csv(table)
    with pytest.raises(
        SchemaError, match=r"the classes of training \('no', 'yes'\) in 'healthy'; given were such as 'perhaps'"
    ):
        evaluate_on(run, rows.with_columns(healthy=pl.lit("perhaps")))
    partly = rows.with_columns(healthy=pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("perhaps")).otherwise("healthy"))
    with pytest.warns(UserWarning, match="5 of .* rows have in 'healthy' none of the classes of training"):
        found = evaluate_on(run, partly)
    assert found["test"]["accuracy"] == evaluate_on(run, rows[5:])["test"]["accuracy"]
