"""A training is told to MLflow's own store, in a database of its own, and to TensorBoard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nervura
from nervura import evaluation
from nervura.errors import OptionError, RunError

from ..conftest import QUICK, brief_rivals

mlflow = pytest.importorskip("mlflow")
# What MLflow and what it is made of have to say of themselves.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*:DeprecationWarning", "ignore:.*:FutureWarning", "ignore::ResourceWarning"
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def quick() -> Iterator[None]:
    with brief_rivals(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "SEEDS", 1)
        patch.setitem(evaluation.LADDERS, None, ())
        yield


def test_a_training_is_told_and_goes_on_in_the_same_run(quick: None, store: str, table: Path, tmp_path: Path) -> None:
    def stop(progress: Any) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    how = {"network": "feed_forward", "options": QUICK, "track": ["mlflow", "tensorboard"], "out": tmp_path / "told"}
    with pytest.raises(KeyboardInterrupt):
        nervura.train(table, "healthy", watchers=[stop], **how)
    client = mlflow.MlflowClient(store)
    experiment = client.get_experiment_by_name("nervura").experiment_id
    assert [one.info.status for one in client.search_runs([experiment])] == ["KILLED"]
    run = nervura.resume(tmp_path / "told")
    (found,) = client.search_runs([experiment])
    assert found.info.status == "FINISHED" and found.info.run_name == "told"
    assert found.data.params["network"] == "feed_forward" and found.data.params["options/epochs"] == "3"
    assert "--track mlflow --track tensorboard" in found.data.params["command"]
    told = client.get_metric_history(found.info.run_id, "val_loss")
    assert [one.step for one in told] == [1, 2, 3]
    assert [one.value for one in told] == pytest.approx(run.history()["val_loss"])
    score = run.evaluation["test"]["log_loss"]
    assert found.data.metrics["test/log_loss"] == pytest.approx(score["value"])
    assert found.data.metrics["test/log_loss_low"] == pytest.approx(score["low"])
    assert found.data.metrics["rivals/constant/log_loss"] > 0
    kept = {one.path for one in client.list_artifacts(found.info.run_id)}
    assert kept == {"report.html", "report.md", "report.json", "model_card.md", "told.nervura"}
    packed = client.download_artifacts(found.info.run_id, "told.nervura", str(tmp_path))
    assert nervura.load(packed).verdict == run.verdict
    assert list((tmp_path / "told" / "tensorboard").rglob("events.out.tfevents*"))


def test_a_server_that_is_not_there_is_noticed_before_the_training(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RunError, match="MLflow cannot be written to .* Set MLFLOW_TRACKING_URI"):
        nervura.train(table, "healthy", network="feed_forward", track="mlflow", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_there_is_no_other_tracker(table: Path) -> None:
    with pytest.raises(OptionError, match="There is no tracker called 'mlfow'. Did you mean 'mlflow'?"):
        nervura.train(table, "healthy", track="mlfow")
