"""The whole flow on one small table: what a run holds, what can be done with it, and that it goes on after a stop."""

import hashlib
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura.errors import NervuraError, OptionError, RunError
from nervura.evaluation import evaluate_on

pytestmark = pytest.mark.usefixtures("quick_judgement")

QUICK: dict[str, Any] = {"hidden": [8], "epochs": 3}
DOCUMENT = Path(__file__).parent.parent / "docs" / "run_directory.md"


def train(source: Any, out: Path, **more: Any) -> Any:
    return nervura.train(source, **{"target": "healthy", "network": "feed_forward", "options": QUICK, **more}, out=out)


def hashes(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.is_file()}


def weights(run: Any) -> list[np.ndarray]:
    return run.model.get_weights()


# --- What is left behind ---


def test_the_files_of_a_run_are_those_of_the_document(trained: Path) -> None:
    rows = [line.split("|")[1] for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    present = {path.name + "/" * path.is_dir() for path in trained.iterdir()}
    assert {"run.json", "schema.json", "split.npz", "model.keras", "evaluation.json", "report.html"} <= present
    unknown = {name for name in present if not any(name == t or t.startswith(name) for t in told)}
    assert not unknown, "the document names every file"
    absent = {name for name in told if not (trained / name).exists()}
    sometimes = ("baselines/NAME", "checkpoint/", "exports/", "gallery", "inside", "search", "tensorboard/")
    sometimes += ("findings.npz", "problem.npz")  # of runs without a target
    assert all(name.startswith(sometimes) for name in absent), absent


def test_no_file_of_a_run_is_of_a_kind_that_is_executed_on_loading(trained: Path) -> None:
    assert {path.suffix for path in trained.rglob("*") if path.is_file()} <= {
        *(".json", ".csv", ".npz", ".keras", ".html", ".md", ".txt"),
        *(".cbm",),  # the format of a library of boosted trees
    }
    with np.load(trained / "split.npz", allow_pickle=False) as arrays:
        assert len(arrays["parts"]) == 150


def test_a_run_tells_how_it_was_made(trained: Path, table: Path) -> None:
    told = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    assert told["status"] == "done" and told["seed"] == 0 and told["source"]["origin"] == str(table)
    assert told["command"].split()[:5] == ["nervura", "train", str(table), "--target", "healthy"]
    assert "--set hidden=8 --set epochs=3" in told["command"]
    assert told["versions"]["keras"] and told["backend"] and told["device"]
    assert told["decisions"] and 0 < told["fit_seconds"] < told["seconds"]


def test_the_evaluation_judges_the_network_beside_simpler_models_and_trees(trained: Path) -> None:
    run = nervura.load(trained)
    models = [row["model"] for row in run.scores()]
    assert models[0] == "feed_forward" and {"constant", "perceptron"} < set(models)
    assert any("boost" in name or "gbm" in name for name in models), models
    assert len(models) == len(set(models))
    for scores in (run.evaluation["test"], *run.evaluation["baselines"].values()):
        assert all(s["low"] <= s["value"] <= s["high"] for s in scores.values() if s["value"] is not None)
    assert run.verdict and run.verdict in str(run)


# --- What can be done with it ---


def test_a_run_is_loaded_in_another_folder(
    trained: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = nervura.load(trained).predict(table)
    moved = shutil.copytree(trained, tmp_path / "elsewhere" / "moved")
    monkeypatch.chdir(tmp_path)
    run = nervura.load("elsewhere/moved")
    assert run.path == moved and run.model.name == "feed_forward"
    assert run.predict(pl.read_csv(table)).equals(expected)
    assert "<table>" in run._repr_html_()
    assert run.report("pt") == moved / "report.html"


def test_resuming_a_run_that_is_done_changes_nothing(trained: Path) -> None:
    before = hashes(trained)
    assert nervura.resume(trained).verdict == nervura.load(trained).verdict
    assert hashes(trained) == before


# --- Going on ---


class Stop:
    """A watcher that interrupts, as Ctrl-C does, after an epoch."""

    def __init__(self, epoch: int):
        self.epoch = epoch

    def __call__(self, progress: Any) -> None:
        if progress.epoch == self.epoch:
            raise KeyboardInterrupt


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(trained: Path, table: Path, tmp_path: Path) -> None:
    path = tmp_path / "a run"
    with pytest.raises(KeyboardInterrupt) as stop:
        train(table, path, watchers=[Stop(1)])
    assert stop.value.__notes__ == [f"nervura resume '{path}'"]
    assert not (path / "model.keras").exists() and nervura.load(path).need("run")["status"] == "training"
    with pytest.raises(RunError, match="training did not end.*nervura resume"):
        _ = nervura.load(path).model
    with pytest.raises(KeyboardInterrupt):
        nervura.resume(path, watchers=[Stop(2)])
    seen: list[int] = []
    run = nervura.resume(path, watchers=[lambda progress: seen.append(progress.epoch)])
    whole = nervura.load(trained)
    assert seen == [3] and run.need("run")["status"] == "done"
    for mine, expected in zip(weights(run), weights(whole), strict=True):
        np.testing.assert_array_equal(mine, expected)
    assert run.evaluation["test"] == whole.evaluation["test"]
    history = {name: values for name, values in run.history().items() if name != "seconds"}
    assert history == {name: values for name, values in whole.history().items() if name != "seconds"}


def test_a_budget_goes_on_where_it_was_stopped(table: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(table, path, watchers=[Stop(1)], minutes=20, options={**QUICK, "epochs": 1_000, "patience": 1_000})
    run = nervura.load(path)
    kept = run.read_arrays("checkpoint/training")
    assert kept is not None
    # As if that one epoch had taken nearly the whole budget.
    run.write_arrays("checkpoint/training", {**kept, "history/seconds": np.array([20 * 60 - 8.0])})
    began = time.monotonic()
    resumed = nervura.resume(path)
    assert time.monotonic() - began < 60
    assert resumed.need("run")["stopped"] == "budget" and resumed.need("run")["status"] == "done"


def test_a_run_that_was_stopped_while_it_was_judged_keeps_its_network(
    trained: Path, table: Path, tmp_path: Path
) -> None:
    def stop(step: str) -> None:
        if step == "perceptron":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(table, tmp_path / "run", tell=stop)
    before = hashes(tmp_path / "run")["model.keras"]
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        nervura.resume(tmp_path / "run", tell=lambda step: (steps.append(step), stop(step))[0])
    assert not any(step.startswith("training") for step in steps)
    assert hashes(tmp_path / "run")["model.keras"] == before


def test_a_table_in_memory_is_given_again(table: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(table).select("length", "healthy")
    with pytest.raises(KeyboardInterrupt):
        train(frame, tmp_path / "run", watchers=[Stop(1)])
    with pytest.raises(NervuraError):
        nervura.resume(tmp_path / "run")
    with pytest.raises(NervuraError, match="changed since"):
        nervura.resume(tmp_path / "run", source=frame.head(140))
    assert nervura.resume(tmp_path / "run", source=frame).need("run")["status"] == "done"


# --- Budgets and mistakes ---


def test_minutes_are_kept(table: Path, tmp_path: Path) -> None:
    long = {"hidden": [8], "epochs": 100_000, "patience": 100_000}
    began = time.monotonic()
    run = train(table, tmp_path / "run", options=long, minutes=0.15)
    assert time.monotonic() - began < 9 + 3
    assert run.need("run")["status"] == "done" and (run.path / "report.html").exists()
    notes = run.need("run")["decisions"]
    assert "budget" in notes[0] and run.verdict


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"minutes": 0}, "minutes above 0; given was 0"),
        ({"minutes": float("nan")}, "minutes above 0"),
        ({"seed": -1}, "from 0 on; given was -1"),
        ({"network": "feedforward"}, "Did you mean 'feed_forward'"),
        ({"options": {"hiden": 3}}, "Did you mean 'hidden'"),
        ({"problem": "fortune"}, "no problem called 'fortune'"),
    ],
)
def test_mistakes_leave_no_directory(table: Path, tmp_path: Path, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        train(table, tmp_path / "run", **asked)
    assert not any(tmp_path.iterdir())


def test_without_a_place_runs_are_numbered(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            train(table, None, watchers=[Stop(1)])  # type: ignore[arg-type]
        assert (tmp_path / "runs" / f"leaves-feed_forward-{number}" / "run.json").exists()


def test_a_regression_with_a_test_file_of_its_own(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({"x": draw.normal(size=120), "z": draw.normal(size=120)})
    frame = frame.with_columns(y=3 * pl.col("x") + draw.normal(size=120) + 100)
    frame.head(30).write_parquet(tmp_path / "test.parquet")
    frame.tail(90).write_csv(tmp_path / "table.csv")
    run = train(tmp_path / "table.csv", tmp_path / "run", target="y", test=tmp_path / "test.parquet")
    assert run.need("problem")["name"] == "regression" and run.evaluation["rows"]["test"] == 30
    assert run.predict(tmp_path / "test.parquet")["prediction"].dtype == pl.Float64


# --- A metric of one's own choice ---


def rare_rows(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    x, z = draw.normal(size=(2, rows))
    sick = draw.random(rows) < 1 / (1 + np.exp(4 - 1.5 * x))
    return pl.DataFrame(
        {"x": x, "z": z, "state": np.where(sick, "sick", "fine"), "days": x + draw.exponential(1, rows)}
    )


@pytest.fixture(scope="module")
def by_f1(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run in which F1 decides, stopped once on the way."""
    folder = tmp_path_factory.mktemp("by_f1")
    rare_rows().drop("days").write_csv(folder / "rare.csv")
    how: dict[str, Any] = {"target": "state", "network": "feed_forward", "options": {"hidden": [8], "epochs": 30}}
    with pytest.raises(KeyboardInterrupt):
        nervura.train(folder / "rare.csv", **how, metric="f1", out=folder / "run", watchers=[Stop(2)])
    return nervura.resume(folder / "run")


def test_the_metric_asked_for_decides_everywhere(by_f1: Any) -> None:
    run = nervura.load(by_f1.path)
    problem, evaluation = run.need("problem"), run.evaluation
    assert problem["metric"] == problem["coding"]["metric"] == evaluation["metric"] == "f1"
    assert evaluation["verdict"]["metric"] == run.need("explanation")["metric"] == "f1"
    assert "--metric f1" in run.need("run")["command"] and "f1 (more is better)" in run.verdict
    assert evaluation["imbalance"] is None
    assert set(evaluation["diagnostics"]["trust"]) == {*evaluation["seconds"]}


def test_the_rule_is_applied_wherever_a_class_is_named(by_f1: Any, tmp_path: Path) -> None:
    run, rows = nervura.load(by_f1.path), rare_rows(3_000, seed=1)
    threshold = run.need("problem")["coding"]["rule"]["threshold"]
    assert 0 < threshold < 0.5
    told = run.predict(rows)
    assert told["prediction"].to_list() == ["sick" if p > threshold else "fine" for p in told["probability_sick"]]
    named = told["prediction"].to_numpy()
    sick = rows["state"].to_numpy() == "sick"
    f1 = 2 * (sick & (named == "sick")).sum() / (sick.sum() + (named == "sick").sum())
    assert evaluate_on(run, rows)["test"]["f1"]["value"] == pytest.approx(f1)
    counts = run.evaluation["diagnostics"]["confusion"]["counts"]
    hits, missed, wrong = counts[1][1], counts[1][0], counts[0][1]
    assert run.evaluation["test"]["f1"]["value"] == pytest.approx(2 * hits / (2 * hits + missed + wrong))
    report = (run.path / "report.md").read_text(encoding="utf-8")
    assert f"above {threshold:.3g}" in report.replace("\\", "") and "Expected calibration error" in report


def test_each_model_of_a_run_keeps_its_own_rule(by_f1: Any) -> None:
    run, rows = nervura.load(by_f1.path), rare_rows(500, seed=2)
    rules = run.evaluation["rules"]
    assert rules["feed_forward"] == run.need("problem")["coding"]["rule"]
    others = [name for name in ("boosting", "linear") if name in rules]
    assert others
    for name in others:
        told = run.predict(rows, use=name)
        threshold = rules[name]["threshold"]
        assert told["prediction"].to_list() == ["sick" if p > threshold else "fine" for p in told["probability_sick"]]


def test_without_a_metric_asked_for_the_likeliest_class_is_named_and_the_report_says_what_there_is(
    by_f1: Any, tmp_path: Path
) -> None:
    run = train(by_f1.path.parent / "rare.csv", tmp_path / "plain", target="state")
    assert run.need("problem")["metric"] == "log_loss" and "rule" not in run.need("problem")["coding"]
    told = run.predict(rare_rows(100, seed=3))
    assert (told["prediction"] == "sick").to_list() == [p > 0.5 for p in told["probability_sick"]]
    found = run.evaluation["imbalance"]
    assert found["class"] == "sick" and found["share"] < 0.1 and set(found["thresholds"]) == {"balanced_accuracy", "f1"}
    assert "--metric f1" in (run.path / "report.html").read_text(encoding="utf-8")
    said = str(nervura.check(by_f1.path.parent / "rare.csv", "state")["objective"].findings)
    assert "'sick'" in said and "--metric f1 (a threshold of about 0." in said


def test_the_absolute_error_is_trained_for_where_it_is_asked_for(tmp_path: Path) -> None:
    rows = rare_rows(800).drop("state")
    run = train(rows, tmp_path / "by_mae", target="days", metric="mae", options={"hidden": [8], "epochs": 40})
    assert run.evaluation["metric"] == run.evaluation["verdict"]["metric"] == "mae"
    new = rare_rows(4_000, seed=1)
    # The median, which as many values lie above as below; above the mean of what is drawn here lie 37 %.
    assert float((new["days"] > run.predict(new)["prediction"]).mean()) == pytest.approx(0.5, abs=0.06)
    for name in ("constant", "boosting"):
        told = run.predict(new, use=name)["prediction"]
        assert float((new["days"] > told).mean()) == pytest.approx(0.5, abs=0.08), name
    held = run.predict(new).select(pl.col("low"), pl.col("high"))
    inside = (new["days"] >= held["low"]) & (new["days"] <= held["high"])
    assert float(inside.mean()) == pytest.approx(0.9, abs=0.07)


@pytest.mark.parametrize(
    ("target", "metric", "says"),
    [
        ("state", "acuracy", "There is no metric 'acuracy' for a binary problem. Did you mean 'accuracy'"),
        ("state", "mae", "'mae' is a metric of forecasting and regression problems, and this problem is binary"),
        ("days", "auc", "There is no metric 'auc' for a regression problem. Known are 'rmse', 'mae', 'r2'."),
        ("days", "roc_auc", "'roc_auc' is a metric of binary and multiclass problems, and this problem is regression"),
    ],
)
def test_a_metric_that_the_problem_has_not(tmp_path: Path, target: str, metric: str, says: str) -> None:
    with pytest.raises(OptionError, match=re.escape(says)):
        train(rare_rows(100), tmp_path / "run", target=target, metric=metric)
    assert not (tmp_path / "run").exists()


# --- Pictures ---


def test_a_folder_of_pictures_becomes_a_run(pictured: Path, photos: Path) -> None:
    run = nervura.load(pictured)
    assert run.need("run")["status"] == "done" and run.need("problem")["name"] == "multiclass"
    assert run.need("problem")["coding"]["classes"] == ["lying", "slanting", "standing"]
    assert run.evaluation["test"]["accuracy"]["value"] > run.evaluation["baselines"]["constant"]["accuracy"]["value"]
    assert {"constant", "linear", "boosting"} == set(run.evaluation["baselines"])
    [note] = run.need("run")["source"]["notes"]
    assert note == "1 of 91 pictures cannot be read and is left out: lying/broken.jpg."
    assert "broken.jpg" in (pictured / "report.html").read_text(encoding="utf-8")


def test_new_pictures_are_predicted_by_their_paths(pictured: Path, photos: Path) -> None:
    run = nervura.load(pictured)
    with pytest.warns(UserWarning, match="1 of 91 pictures cannot be read and have no answer: lying/broken.jpg"):
        found = run.predict(photos)
    assert found.columns[:3] == ["path", "prediction", "probability_lying"] and found.columns[-1] == "prediction_set"
    assert found["path"].to_list() == sorted(p.relative_to(photos).as_posix() for p in photos.rglob("*.*g"))
    assert found.filter(pl.col("prediction").is_null())["path"].to_list() == ["lying/broken.jpg"]
    right = found.filter(pl.col("path").str.split("/").list.first() == pl.col("prediction")).height
    assert right > 45, "a third would be chance"
    for use in ("linear", "boosting"):
        with pytest.warns(UserWarning, match="cannot be read"):
            assert run.predict(photos, use=use).height == 91


def test_pictures_are_predicted_in_whatever_form_they_come(pictured: Path, photos: Path, tmp_path: Path) -> None:
    run, files = nervura.load(pictured), sorted((photos / "standing").glob("*.png"))[:5]
    expected = run.predict(photos / "standing")["probability_standing"][:5].to_list()
    pl.DataFrame({"file": [f"photos/standing/{file.name}" for file in files]}).write_csv(photos.parent / "list.csv")
    stored = pl.DataFrame({"image": [file.read_bytes() for file in files]})
    np.savez(tmp_path / "new.npz", x=np.stack([_pixels(file) for file in files]))
    for source in (photos.parent / "list.csv", stored, tmp_path / "new.npz"):
        np.testing.assert_allclose(run.predict(source)["probability_standing"], expected, atol=1e-6)


def _pixels(file: Path) -> np.ndarray:
    image = pytest.importorskip("PIL.Image")
    return np.asarray(image.open(file))


def test_a_table_is_no_new_data_for_a_network_of_pictures(pictured: Path, table: Path) -> None:
    with pytest.raises(NervuraError, match="New data need pictures, as in training"):
        nervura.load(pictured).predict(table)


def test_pictures_are_judged_and_checked(pictured: Path, photos: Path) -> None:
    from nervura.evaluation import evaluate_on

    with pytest.warns(UserWarning, match="cannot be read and are left out"):
        found = evaluate_on(nervura.load(pictured), photos)
    assert found["rows"]["given"] == 90 and found["test"]["accuracy"]["value"] > 0.5
    with pytest.raises(NervuraError, match="Rows to judge by need the target"):
        evaluate_on(nervura.load(pictured), pl.DataFrame({"image": [(photos / "lying" / "0.png").read_bytes()]}))


def test_the_explanation_shows_test_pictures_and_mistakes(pictured: Path) -> None:
    run = nervura.load(pictured)
    told, kept = run.need("explanation"), run.read_arrays("gallery")
    assert kept is not None and kept["pictures"].shape[1:] == (16, 16, 3)
    shown = [one for row in told["examples"] for one in row["pictures"]] + told["mistakes"]
    assert sorted(one["picture"] for one in shown) == list(range(len(kept["pictures"])))
    assert all(one["name"].split("/")[0] == row["class"] for row in told["examples"] for one in row["pictures"])
    assert all(one["true"] != one["predicted"] for one in told["mistakes"])
    page = (run.path / "report.html").read_text(encoding="utf-8")
    section = page.partition('<section id="gallery"')[2].partition("</section>")[0]
    assert section.count("data:image/png;base64,") == len(shown)


def test_a_run_on_pictures_that_was_stopped_ends_as_if_it_had_not_been(photos: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"network": "convolutional", "options": {"filters": [4], "dense": [8], "epochs": 3}}
    whole = nervura.train(photos, out=tmp_path / "whole", **how)
    with pytest.raises(KeyboardInterrupt):
        nervura.train(photos, out=tmp_path / "run", watchers=[Stop(2)], **how)
    run = nervura.resume(tmp_path / "run")
    for mine, expected in zip(weights(run), weights(whole), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_minutes_are_kept_for_pictures(photos: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    run = nervura.train(photos, network="convolutional", minutes=0.2, out=tmp_path / "run")
    assert time.monotonic() - began < 12 + 3
    assert run.need("run")["status"] == "done" and (run.path / "report.html").exists()


def test_values_are_learnt_from_pictures_too(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    light = draw.uniform(20, 200, 80)
    pictures = np.clip(light[:, None, None] + draw.normal(0, 20, (80, 12, 12)), 0, 255).astype(np.uint8)
    options = {"filters": [4], "dense": [8], "epochs": 3}
    run = nervura.train((pictures, light), network="convolutional", options=options, out=tmp_path / "run")
    assert run.need("problem")["name"] == "regression"
    assert "data:image/png" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert run.predict(pictures).columns[0] == "prediction"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"network": "tabm"}, "takes tables and texts, and these data are pictures.*convolutional"),
        ({"size": "4"}, "Write --size 64"),
        ({"target": "price"}, "'price' is not"),
    ],
)
def test_mistakes_with_pictures_leave_no_directory(photos: Path, tmp_path: Path, asked: Any, says: str) -> None:
    with pytest.raises(NervuraError, match=says):
        nervura.train(photos, out=tmp_path / "run", **asked)
    assert not any(tmp_path.iterdir())


def test_a_folder_of_one_class_is_told_what_it_needs(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos / "lying", tmp_path / "pictures" / "lying")
    with pytest.raises(
        NervuraError, match="two or more classes, one sub-folder each; .* has one, 'lying'. Put pictures"
    ):
        nervura.train(tmp_path / "pictures", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_without_classes_is_told_what_it_needs(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(NervuraError, match="one sub-folder a class"):
        nervura.train(photos / "lying", problem="multiclass", out=tmp_path / "run")


def test_a_folder_without_classes_has_codes_learnt_for_it(photos: Path, tmp_path: Path) -> None:
    options = {"latent_dim": 2, "hidden": [8], "epochs": 1}
    run = nervura.train(photos / "standing", options=options, out=tmp_path / "run")
    assert run.need("problem")["name"] == "embedding"
    assert run.predict(photos / "standing").columns == ["path", "code_1", "code_2"]
