"""A run of MLflow: parameters, metrics of every epoch, scores, report and model card, in its store or on its server."""

from __future__ import annotations

import math
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nervura.errors import RunError
from nervura.run import Run, in_file_names
from nervura.trackers.base import Tracker

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "nervura"
"""Where MLFLOW_EXPERIMENT_NAME names none."""

MOST_METRICS, MOST_PARAMETERS, LONGEST = 1_000, 100, 500
"""What MLflow takes at once, and the letters of a parameter."""


class MLflow(Tracker):
    """It goes where ``MLFLOW_TRACKING_URI`` says, a server or a database, or else to MLflow's own default.

    The run is opened before the training, so that a server that is not there is noticed early, and filled at its end. A
    training that goes on keeps its run.
    """

    name = "mlflow"
    summary = "a run of MLflow: parameters, metrics of every epoch, scores, report and model card"
    requires = [("mlflow", "mlflow")]

    def begin(self, run: Run) -> None:
        from mlflow.entities import RunStatus
        from mlflow.exceptions import MlflowException

        try:
            client, kept = _client(), self._id(run)
            if kept is not None:
                client.update_run(kept, RunStatus.to_string(RunStatus.RUNNING))
                return
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
            found = client.get_experiment_by_name(name)
            experiment = client.create_experiment(name) if found is None else found.experiment_id
            made = client.create_run(experiment, run_name=run.path.name, tags={"nervura.run": str(run.path)})
        except (MlflowException, OSError) as error:
            raise _unreachable(error) from error
        run.update("run", tracked={**(run.need("run").get("tracked") or {}), self.name: made.info.run_id})

    def finish(self, run: Run, files: list[Path]) -> None:
        from mlflow.entities import Metric, Param
        from mlflow.exceptions import MlflowException

        kept = self._id(run)
        assert kept is not None, "a tracker begins before it finishes"
        try:
            client = _client()
            parameters = [Param(_key(name), str(value)[:LONGEST]) for name, value in _parameters(run).items()]
            for start in range(0, len(parameters), MOST_PARAMETERS):
                client.log_batch(kept, params=parameters[start : start + MOST_PARAMETERS])
            metrics = [Metric(_key(name), value, when, step) for name, value, when, step in _metrics(run)]
            for start in range(0, len(metrics), MOST_METRICS):
                client.log_batch(kept, metrics=metrics[start : start + MOST_METRICS])
            for file in files:
                client.log_artifact(kept, str(file))
            client.set_terminated(kept)
        except (MlflowException, OSError) as error:
            raise _unreachable(error) from error

    def stop(self, run: Run) -> None:
        from mlflow.exceptions import MlflowException

        kept = self._id(run)
        if kept is not None:
            try:
                _client().set_terminated(kept, "KILLED")
            except (MlflowException, OSError) as error:
                raise _unreachable(error) from error

    def _id(self, run: Run) -> str | None:
        return (run.need("run").get("tracked") or {}).get(self.name)


def _client() -> MlflowClient:
    # MLflow would tell its makers of its use, over the network.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    return MlflowClient()


def _unreachable(error: Exception) -> RunError:
    reason = str(error).partition("\n")[0]
    return RunError(
        f"MLflow cannot be written to ({reason}). Set MLFLOW_TRACKING_URI to a server that answers or to a database, such as "
        "sqlite:///mlflow.db, or leave --track mlflow out."
    )


def _key(name: str) -> str:
    """A name as MLflow takes it: with slashes, but without other marks."""
    return "/".join(in_file_names(part) for part in name.split("/"))


def _parameters(run: Run) -> dict[str, Any]:
    """What was asked and decided."""
    made, design, problem = run.need("run"), run.need("design"), run.need("problem")
    told = {
        "source": (made.get("source") or {}).get("origin"),
        "problem": problem["name"],
        "metric": problem["metric"],
        "network": design["network"],
        "parameters": design["parameters"],
        "seed": made.get("seed"),
        "backend": made.get("backend"),
        "device": made.get("device"),
        "command": made.get("command"),
        **{f"rows/{part}": count for part, count in run.need("split")["rows"].items()},
        **{f"options/{name}": value for name, value in design["options"].items()},
    }
    return {name: value for name, value in told.items() if value not in (None, "", [])}


def _metrics(run: Run) -> list[tuple[str, float, int, int]]:
    """Name, value, milliseconds since 1970 and step: of every epoch, and at the last of the scores on the test rows."""
    made, history = run.need("run"), run.history()
    began = datetime.fromisoformat(made["started"]).timestamp() if "started" in made else 0.0
    seconds = history.get("seconds", [])
    ends = [began + sum(seconds[: epoch + 1]) for epoch in range(len(seconds))]
    found = [
        (name, value, int(1000 * end), epoch)
        for name, values in history.items()
        if name != "epoch"
        for epoch, (value, end) in enumerate(zip(values, ends, strict=True), 1)
    ]
    evaluation, last = run.need("evaluation"), int(1000 * (ends[-1] if ends else began))
    for metric, score in evaluation["test"].items():
        for part in ("value", "low", "high"):
            name = f"test/{metric}" if part == "value" else f"test/{metric}_{part}"
            found.append((name, score.get(part), last, len(ends)))
    for rival, scores in evaluation["baselines"].items():
        found += [(f"rivals/{rival}/{metric}", score.get("value"), last, len(ends)) for metric, score in scores.items()]
    return [one for one in found if one[1] is not None and math.isfinite(one[1])]
