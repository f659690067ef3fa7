"""The model that a server answers with, and what it counts: ONNX Runtime with the fields of a run."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nervura import drifting
from nervura.errors import OptionError, RunError
from nervura.run import Run
from nervura.schema import Schema
from nervura.serving_fields import Fields

SETTINGS = "NERVURA_SERVING"
"""The variable of the environment by which workers are told what to serve."""

OWN = "network"
"""What the file of a run's own network calls its model."""

ROWS_AT_ONCE, PICTURES_AT_ONCE = 1024, 64
FEW = 200
"""So many counts are raised one by one, more of them together."""


@dataclass(frozen=True)
class Settings:
    """What is served, and how.

    Attributes:
        run: the directory of the run.
        file: its ONNX file.
        folder: where workers leave what they have counted.
        since: when the server was started.
        abstain_above: no answer is given where more classes than this may be it, or where the interval is wider.
        most_megabytes, most_rows, seconds: what a request may have.
    """

    run: str
    file: str
    folder: str
    since: str
    lang: str = "en"
    workers: int = 1
    abstain_above: float | None = None
    most_megabytes: float = 16.0
    most_rows: int = 10_000
    seconds: float = 30.0


@dataclass
class Answers:
    """What the model gave for some rows: predictions (rows,), of classes probabilities and sets (rows, classes), else the
    bounds of the interval (rows,). ``withheld`` (rows,) are those that the server does not answer."""

    predictions: np.ndarray
    probabilities: np.ndarray | None
    sets: np.ndarray | None
    low: np.ndarray | None
    high: np.ndarray | None
    withheld: np.ndarray


class Served:
    """A run's ONNX file with its fields: from the values of rows to answers.

    Raises:
        RunError: the files do not fit together, or cannot be read.
        OptionError: it cannot abstain as asked.
    """

    def __init__(self, settings: Settings):
        import onnxruntime

        run = Run(settings.run)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        pictured = any(column["kind"] == "image" for column in run.need("schema")["columns"])
        # One row of a table is too little work to be shared.
        options.intra_op_num_threads = max(1, (os.cpu_count() or 1) // settings.workers) if pictured else 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            with tempfile.TemporaryDirectory() as nothing:
                # Weights that link to other files find an empty folder.
                options.add_session_config_entry("session.model_external_initializers_file_folder_path", nothing)
                content = Path(settings.file).read_bytes()
                self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            told = self.session.get_modelmeta().custom_metadata_map
            if "target" not in told:
                raise RunError(
                    f"What is served are answers for a column; this run's problem is {told['problem']}, which predicts none. "
                    f"Write: nervura predict {settings.run} SOURCE"
                )
            self.outputs: dict[str, str] = json.loads(told["outputs"])
            inputs = json.loads(told["inputs"])
            self.classes: list[str] | None = json.loads(told["classes"]) if "classes" in told else None
            self.level = float(told["level"]) if "set" in self.outputs or "low" in self.outputs else None
            self.histograms = run.read("histograms")
            if self.histograms is not None and told["model"] != OWN:
                # The answers that were counted are those of the run's own network.
                self.histograms = {**self.histograms, "answers": {"rows": 0, "columns": {}}}
            schema = Schema.from_json(run.need("schema"))
            self.fields = Fields(schema, inputs, self.histograms, settings.lang)
        except RunError:
            raise
        except Exception as error:  # a damaged file raises one of a dozen kinds
            raise RunError(
                f"What is served is an ONNX file that nervura wrote for the run; '{settings.file}' cannot be read as one "
                f"({str(error).partition(chr(10))[0]}). Write: nervura export {settings.run} --to onnx"
            ) from error
        self.name, self.model, self.target = told["run"], told["model"], told["target"]
        self.problem, self.unit = told["problem"], told.get("unit", "")
        self.abstain_above = settings.abstain_above
        if self.abstain_above is not None and self.level is None:
            raise OptionError(
                f"Whether to abstain is told by the set or interval beside each answer; the model '{self.model}' has none. "
                "Leave --abstain-above out, or serve the run's own network."
            )
        self.step = PICTURES_AT_ONCE if self.fields.of_pictures else ROWS_AT_ONCE

    def answers(self, values: dict[str, np.ndarray], stop: threading.Event | None = None) -> Answers:
        """The answers for rows, whose ``values`` are those of ``Fields.read``; an event that is set stops the work."""
        feeds = self.fields.feeds(values)
        rows = len(next(iter(feeds.values())))
        parts: list[list[np.ndarray]] = []
        for first in range(0, rows, self.step):
            if stop is not None and stop.is_set():
                raise TimeoutError
            part = feeds if rows <= self.step else {n: one[first : first + self.step] for n, one in feeds.items()}
            parts.append(self.session.run(list(self.outputs.values()), part))
        whole = parts[0] if len(parts) == 1 else [np.concatenate(one) for one in zip(*parts, strict=True)]
        found = dict(zip(self.outputs, whole, strict=True))
        sets, low, high = found.get("set"), found.get("low"), found.get("high")
        withheld = np.zeros(rows, bool)
        if self.abstain_above is not None:
            wide = sets.sum(axis=1) if sets is not None else high - low  # type: ignore[operator]
            withheld = wide > self.abstain_above
        return Answers(found["prediction"], found.get("probabilities"), sets, low, high, withheld)

    def as_json(self, answers: Answers) -> list[dict[str, Any]]:
        """One object for each row."""
        made: list[dict[str, Any]] = [{"prediction": value} for value in answers.predictions.tolist()]
        if answers.probabilities is not None and self.classes is not None:
            for one, shares in zip(made, answers.probabilities.tolist(), strict=True):
                one["probabilities"] = dict(zip(self.classes, shares, strict=True))
        if answers.sets is not None and self.classes is not None:
            for one, within in zip(made, answers.sets.tolist(), strict=True):
                one["set"] = [name for name, inside in zip(self.classes, within, strict=True) if inside]
        for name, bounds in (("low", answers.low), ("high", answers.high)):
            if bounds is not None:
                for one, bound in zip(made, bounds.tolist(), strict=True):
                    one[name] = bound
        if self.abstain_above is not None:
            for one, withheld in zip(made, answers.withheld.tolist(), strict=True):
                one["abstained"] = withheld
                if withheld:
                    one["prediction"] = None
        return made

    def as_csv(self, answers: Answers) -> str:
        """The table that ``nervura predict`` writes; where the server abstains the prediction is empty."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        columns: dict[str, list[Any]] = {"prediction": []}
        for one in self.as_json(answers):
            columns["prediction"].append(one["prediction"])
            for name, share in one.get("probabilities", {}).items():
                columns.setdefault(f"probability_{name}", []).append(share)
            if "set" in one:
                columns.setdefault("prediction_set", []).append("|".join(one["set"]))
            for name in ("low", "high", "abstained"):
                if name in one:
                    columns.setdefault(name, []).append(one[name])
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return file.getvalue()

    def reasons(self, values: dict[str, np.ndarray], answers: Answers) -> list[tuple[str, float]]:
        """How much each column's value of the first row brings to its answer, the most first: the probability of the class
        that is predicted, or the value, less what it is when that column alone has its typical value (occlusion; Zeiler and
        Fergus, Visualizing and understanding convolutional networks, 2014, did so with pictures)."""
        other = [field for field in self.fields if field.typical is not None and values[field.name][0] != field.typical]
        if not other:
            return []
        rows = {name: np.repeat(one[:1], len(other), axis=0) for name, one in values.items()}
        for row, field in enumerate(other):
            rows[field.name][row] = field.typical
        without = self.answers(rows)
        if answers.probabilities is None or without.probabilities is None or self.classes is None:
            changes = answers.predictions[0] - without.predictions
        else:
            code = self.classes.index(answers.predictions[0])
            changes = answers.probabilities[0, code] - without.probabilities[:, code]
        told = [(field.name, float(change)) for field, change in zip(other, changes, strict=True)]
        return sorted(told, key=lambda one: -abs(one[1]))

    def about(self) -> dict[str, Any]:
        """What is served, for programs."""
        columns = []
        for field in self.fields:
            usual = None if field.usual is None else [field.as_json(bound) for bound in field.usual]
            told = {"name": field.name, "kind": field.kind, "unit": field.unit, "levels": field.levels, "usual": usual}
            columns.append({key: value for key, value in told.items() if value not in ("", [], None)})
            columns[-1]["typical"] = field.as_json(field.typical)
        whole: dict[str, Any] = {
            "run": self.name,
            "model": self.model,
            "problem": self.problem,
            "target": self.target,
            "unit": self.unit,
            "classes": self.classes,
            "level": self.level,
            "abstain_above": self.abstain_above,
        }
        whole = {key: value for key, value in whole.items() if value not in ("", None)}
        return {**whole, "columns": columns, "passed_over": sorted(self.fields.passed_over)}


class Tally:
    """Counts values and answers in a file of this worker, so that any worker can tell the sum of all."""

    def __init__(self, histograms: dict[str, Any] | None, folder: Path, since: str):
        self.counts = None if histograms is None else drifting.Counts(histograms)
        self.folder, self.since = folder, since
        if self.counts is not None:
            size = self.counts.size + 1  # the last counts rows
            self.file = np.memmap(folder / f"{os.getpid()}.counts", dtype=np.int64, mode="w+", shape=(size,))
            self.numbers = self.file.data
        self.lock = threading.Lock()

    def add(self, fields: Fields, values: dict[str, np.ndarray], answers: Answers) -> None:
        """Counts the rows of a request."""
        if self.counts is None:
            return
        inputs = values
        for field in fields:
            if field.holds == "uint8":
                inputs = drifting.picture_columns(values[field.name])
        places = self.counts.places(inputs, drifting.answer_columns(answers.predictions, answers.probabilities))
        with self.lock:
            if len(places) <= FEW:
                for place in places:
                    self.numbers[place] += 1
            else:
                self.file += np.bincount(places, minlength=len(self.file))
            self.numbers[self.counts.size] += len(answers.predictions)

    def sheet(self) -> dict[str, Any]:
        """How much the rows of all workers, since the server was started, have moved away from the training rows."""
        if self.counts is None:
            return {"since": self.since, "rows": 0, "training_rows": 0, "inputs": [], "answers": []}
        files = sorted(self.folder.glob("*.counts"))
        whole = np.sum([np.fromfile(file, dtype=np.int64) for file in files], axis=0)
        rows = self.counts.told["rows"]
        return {"since": self.since, "rows": int(whole[-1]), "training_rows": rows, **self.counts.sheet(whole[:-1])}
