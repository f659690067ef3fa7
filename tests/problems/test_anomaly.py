"""Anomalies: what is found, why, how often an alarm is false, and what labels are for."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nervura
from nervura import keeping
from nervura.dataset import Dataset
from nervura.errors import NervuraError, OptionError, ProblemError
from nervura.predicting import load_problem
from nervura.problems.anomaly import PANELS
from nervura.problems.base import FEWEST_HALVED
from nervura.workflow import TrainedRun

OPTIONS: dict[str, Any] = {"epochs": 12, "hidden": [16], "latent_dim": 2, "learning_rate": 0.01}


def rows(count: int, seed: int = 0, odd: int = 0) -> pl.DataFrame:
    """Rows whose columns hang together; in the last ``odd`` of them the pressure does not."""
    draw = np.random.default_rng(seed)
    heat, pump = draw.normal(20, 3, count), draw.choice(["old", "new"], count)
    pressure = 2 * heat + 5 * (pump == "old") + draw.normal(0, 0.5, count)
    pressure[count - odd :] += 25
    label = np.where(np.arange(count) >= count - odd, "broken", "fine")
    return pl.DataFrame(
        {"heat": heat, "pump": pump, "pressure": pressure, "noise": draw.normal(size=count), "state": label}
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    folder = tmp_path_factory.mktemp("anomaly")
    rows(600, odd=40).write_csv(folder / "rows.csv")
    return nervura.train(
        folder / "rows.csv", "state", problem="anomaly", options={**OPTIONS, "clean": "yes"}, out=folder / "run"
    )


def test_predictions_say_which_rows_are_odd_and_why(run: TrainedRun) -> None:
    found = run.predict(rows(300, seed=1, odd=20), keep=["state"])
    assert found.columns == ["state", "prediction", "score", "p_value", "reasons"]
    odd, usual = found.filter(pl.col("state") == "broken"), found.filter(pl.col("state") == "fine")
    assert (odd["prediction"] == "yes").all()
    assert odd["score"].min() > usual["score"].quantile(0.95)
    assert odd["p_value"].max() < 0.02
    assert odd["reasons"].str.starts_with("pressure high").mean() > 0.9
    assert not odd["reasons"].str.starts_with("noise").any()


def test_usual_rows_raise_an_alarm_about_as_often_as_was_stated(run: TrainedRun) -> None:
    found = run.predict(rows(3000, seed=2))
    # About 100 rows calibrate, so that the rate itself is uncertain by about a percent.
    assert (found["prediction"] == "yes").mean() < 0.04
    assert found["p_value"].mean() == pytest.approx(0.5, abs=0.1)
    assert (found["p_value"] <= run.need("problem")["coding"]["calibration"]["p_value"]).to_list() == (
        found["prediction"] == "yes"
    ).to_list()


def test_rows_labelled_as_anomalies_are_not_learnt_from_where_clean_ones_are_asked_for(run: TrainedRun) -> None:
    split = run.need("split")
    assert split["rows"]["test"] > 140
    assert any("are not learnt from, because of their labels, and only judge" in note for note in split["notes"])
    assert [one["detector"] for one in run.need("problem")["coding"]["panel"]] == [name for name, _ in PANELS["yes"]]


def test_labels_judge_the_network_beside_simpler_detectors(run: TrainedRun) -> None:
    evaluation = run.evaluation
    assert evaluation["metric"] == "roc_auc" and run.need("problem")["coding"]["odd"] == ["broken"]
    assert evaluation["test"]["roc_auc"]["value"] > 0.95
    assert evaluation["test"]["false_alarm_rate"]["value"] < 0.1
    assert {"neighbours", "isolation_forest", "ecod", "one_class_svm", "panel_of_rows"} < set(evaluation["baselines"])
    assert evaluation["verdict"]["deep_warranted"] in ("yes", "no", "undecided")
    titles = [one["title"][0] for one in run.need("explanation")["findings"]]
    assert titles == ["Alarms", "How the detectors agree", "The oddest test rows"]
    oddest = run.need("explanation")["findings"][2]["rows"]
    assert oddest[0][3].startswith("pressure high") and oddest[0][4] == "broken"


def test_other_rows_with_labels_are_judged_by(run: TrainedRun) -> None:
    from nervura.evaluation import evaluate_on

    found = evaluate_on(run, rows(200, seed=3, odd=30))
    assert found["test"]["roc_auc"]["value"] > 0.95 and found["test"]["recall"]["value"] > 0.9
    with pytest.raises(ProblemError, match="takes labels"):
        evaluate_on(run, rows(200, seed=3).drop("state"))


def test_a_run_holds_no_pickle_and_its_problem_is_read_back(run: TrainedRun) -> None:
    arrays = run.read_arrays("problem")
    assert arrays is not None and all(array.dtype != object for array in arrays.values())
    outputs = np.random.default_rng(0).normal(size=(5, load_problem(run).head().units)).astype(np.float32)
    assert load_problem(run).decode(outputs).equals(load_problem(run).decode(outputs))


def test_labels_do_not_change_what_is_learnt_and_the_level_is_the_share_without_alarm(tmp_path: Path) -> None:
    level = 0.8
    frame = rows(400, odd=20).sample(fraction=1, shuffle=True, seed=0)
    how: dict[str, Any] = {"problem": "anomaly", "options": {**OPTIONS, "epochs": 2}, "level": level}
    with_labels = nervura.train(frame, "state", out=tmp_path / "labels", **how)
    without = nervura.train(frame.drop("state"), out=tmp_path / "none", **how)
    # As many odd rows as there are among those that calibrate: what is promised is a share of all rows.
    asked = rows(1000, seed=4, odd=50)
    found = with_labels.predict(asked)
    assert found.equals(without.predict(asked))
    assert (found["prediction"] == "no").mean() == pytest.approx(level, abs=0.12)
    verdict = without.evaluation["verdict"]
    assert verdict["deep_warranted"] is None and "cannot be judged" in verdict["text"]
    assert "não se pode julgar" in verdict["text_pt"]
    assert set(without.evaluation["test"]) == {"alarm_rate"}


def test_many_rows_calibrate_by_validation_rows_that_nothing_else_used() -> None:
    from nervura import training
    from nervura.designing import design
    from nervura.problems.base import Answers

    dataset = Dataset.open(rows(2600).drop("state"), problem="anomaly")
    made = design(dataset.problem, "autoencoder", dataset.schema, {**OPTIONS, "epochs": 1})
    training.fit(made, dataset.arrays("train"), training.halves(dataset.arrays("validation"))[0])
    parts = {
        part: Answers(x, training.predict(made.model, x))
        for part in ("train", "validation")
        for x in [dataset.arrays(part)[0]]
    }
    settled = made.problem.settle(parts)  # type: ignore[attr-defined]
    validation = parts["validation"].outputs
    assert len(validation) >= FEWEST_HALVED
    assert settled.coding["calibration"]["rows"] == len(validation) // 2
    assert settled.arrays["calibration"] == pytest.approx(np.sort(settled.surprises(validation[1::2])))
    # The threshold is where p-values become small enough.
    scores = np.linspace(0, 2 * settled.threshold, 50)
    assert settled.alarms(scores)[1].tolist() == (scores > settled.threshold).tolist()


def test_pictures_that_are_unlike_the_others_are_found_and_the_place_is_told(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    pictures = (draw.integers(0, 40, (160, 12, 12)) + np.linspace(0, 100, 12)).astype(np.uint8)
    pictures[-5:, :4, :4] = 250
    run = nervura.train(
        pictures, problem="anomaly", options={"epochs": 2, "hidden": [16], "latent_dim": 3}, out=tmp_path / "run"
    )
    found = run.predict(pictures)
    assert found["score"].arg_sort(descending=True)[:3].is_in([155, 156, 157, 158, 159]).all()
    assert found["reasons"][-5:].str.starts_with("top left").sum() >= 4
    findings = run.need("explanation")["findings"]
    assert findings[-1]["picture"] == "oddest" and "oddest" in (run.read_arrays("findings") or {})


def test_a_run_that_was_stopped_goes_on_with_the_rows_that_it_was_to_learn_from(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(progress: Any) -> None:
        if progress.epoch == 2:
            raise Stop

    rows(150, odd=15).write_csv(tmp_path / "rows.csv")
    how: dict[str, Any] = {"problem": "anomaly", "options": {**OPTIONS, "epochs": 4, "clean": "yes"}, "level": 0.9}
    whole = nervura.train(tmp_path / "rows.csv", "state", out=tmp_path / "whole", **how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "CHECKPOINT_SECONDS", -1.0)
        with pytest.raises(Stop):
            nervura.train(tmp_path / "rows.csv", "state", out=tmp_path / "run", watchers=[stop], **how)
        resumed = nervura.resume(tmp_path / "run")
    asked = rows(50, seed=5, odd=5)
    assert resumed.predict(asked).equals(whole.predict(asked))
    assert {"--level 0.9", "--set clean=yes"} <= set(re.findall(r"--\w+ \S+", whole.need("run")["command"]))


def test_one_column_alone_has_odd_rows_too(tmp_path: Path) -> None:
    values = np.append(np.random.default_rng(0).normal(size=120), 12.0)
    run = nervura.train(pl.DataFrame({"a": values}), options={"epochs": 2, "hidden": [4]}, out=tmp_path / "run")
    assert run.need("problem")["name"] == "anomaly"
    found = run.predict(pl.DataFrame({"a": values}))
    assert found["score"].arg_max() == 120
    assert found["reasons"][120] == "a high 100%"


def test_mistakes_have_one_clear_message(tmp_path: Path) -> None:
    frame = rows(60, odd=5)
    with pytest.raises(OptionError, match="clean='maybe': Known are 'yes', 'no'"):
        nervura.train(frame, "state", problem="anomaly", options={"clean": "maybe"}, out=tmp_path / "a")
    with pytest.raises(OptionError, match="no option 'cleen'"):
        nervura.train(frame, "state", problem="anomaly", options={"cleen": "yes"}, out=tmp_path / "b")
    with pytest.raises(NervuraError, match="at least one input column"):
        nervura.train(frame.select("state"), "state", problem="anomaly", out=tmp_path / "c")
    assert not list(tmp_path.iterdir())
