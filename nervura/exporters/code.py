"""Code the user owns: a small folder of plain Keras and Polars, as a good engineer would write it by hand."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nervura.code_text import LINE, call_lines, quoted, render
from nervura.data_source import DataCode, PictureCode, SeriesCode
from nervura.encoding import PICTURES, SERIES, document_columns, image_column, medium
from nervura.errors import RunError
from nervura.exporters.base import Exporter, Predict, load_network
from nervura.layers.cos_log_rate import CosLogRate
from nervura.layers.lookahead import Lookahead
from nervura.layers.member_loss import MemberLoss
from nervura.layers.stable_decay_rate import StableDecayRate
from nervura.layers.triangular_rate import TriangularRate
from nervura.model_source import layers_source, model_source
from nervura.pictures import as_png, decode
from nervura.run import Run
from nervura.schema import Schema

STOPPING_FOLDS = 2
"""As in training: the folds of a bagged network that decide when to stop."""

PARTS = ("train", "validation", "test", "left out")


class CodeExporter(Exporter):
    name = "code"
    summary = "a folder of plain Keras and Polars code: model.py, data.py, train.py, predict.py, weights"
    file = "code"

    def write(self, run: Run, path: Path) -> Path:
        import keras

        schema = Schema.from_json(run.need("schema"))
        if documents := document_columns(schema):
            raise RunError(
                "Code is written for tables and pictures; to read documents takes stemmers and lists of words, and the run has "
                f"the document column '{documents[0].name}'. Write --to keras, or train without it: --drop "
                f"{documents[0].name}"
            )
        model = load_network(run.path / "model.keras")
        backend = keras.backend.backend()
        told_by = medium(schema)
        pictures = told_by == PICTURES
        kind = {PICTURES: PictureCode, SERIES: SeriesCode}.get(told_by or "", DataCode)
        data = kind(schema, run.need("problem"), run.need("run").get("source") or {}, [t.name for t in model.inputs])
        network, custom = model_source(model, data.sizes, _inner(run))
        networks = _networks(run, model)
        settings = [one["settings"] for one in networks] or [run.need("design")["options"]]
        members = bool(networks) or any(layer.name == "members" for layer in model.layers)
        own: list[type] = [MemberLoss] if members else []
        for name, cls in OWN.items():
            if any(name in (one["schedule"], one["optimizer"]) for one in settings):
                own.append(cls)
        own.sort(key=lambda one: one.__name__)
        custom = [*custom, *own]
        if backend != "tensorflow":
            network = network.replace(
                "\n\nimport keras\n", f"\n\nimport os\n\n{_backend_line(backend)}\n\nimport keras\n", 1
            )
        split = run.read_arrays("split") or {}
        parts, folds = split.get("parts"), split.get("folds")
        groups = max(1, settings[0].get("folds", 1))
        told = {
            **self._training(run, model, data, settings[0], members),
            "pictures": pictures,
            "of_table": told_by is None,
            "begins": any(hasattr(layer, "begin") for layer in model.layers),
            "networks": networks,
            "scheduled": any(one["schedule"] != "constant" for one in settings),
            "network": run.need("design")["network"],
            "target": schema.target.name,
            "classes": bool(data.classes),
            "custom": custom,
            "own": ", ".join(cls.__name__ for cls in own),
            "columns": data.columns,
            "like": " (written as the first one was)" if data.text else "",
            "members": members,
            "groups": groups,
            "stopping": min(STOPPING_FOLDS, groups - 1),
            "bounded": data.bound is not None,
            "kept_split": parts is not None,
            "split_note": _split_note(run, parts is not None),
            "backend": backend,
            "backend_line": _backend_line(backend) if backend != "tensorflow" else "",
        }
        path.mkdir(parents=True)
        files = {
            "model.py": network,
            "data.py": data.source(),
            "train.py": render("train.py.j2", told),
            "predict.py": render("predict.py.j2", told),
            "README.md": render("README.md.j2", told),
            # Wherever ruff is called from, model.py and its like are this folder's own modules.
            "ruff.toml": f"line-length = {LINE}\n",
            "requirements.txt": _requirements(backend, pictures),
        }
        if custom:
            files["layers.py"] = layers_source(custom)
        if data.columns:
            files["columns.json"] = json.dumps(data.columns, ensure_ascii=False, indent=1) + "\n"
        if parts is not None:
            kept = pl.DataFrame({"part": [PARTS[part] for part in parts]})
            if groups > 1:
                kept = kept.with_columns(fold=pl.Series(folds))
            files["split.csv"] = kept.write_csv()
        for name, text in files.items():
            (path / name).write_text(text, encoding="utf-8")
        model.save_weights(path / "model.weights.h5")
        return path

    def load(self, run: Run, path: Path) -> Predict:
        classes = (run.need("problem")["coding"] or {}).get("classes")

        def predict(rows: pl.DataFrame) -> np.ndarray:
            # A process of its own: the folder must do without this one's modules and settings.
            with tempfile.TemporaryDirectory() as folder:
                source, out = Path(folder) / "rows.parquet", Path(folder) / "out.csv"
                _storable(run, rows).write_parquet(source)
                command = [sys.executable, str(path / "predict.py"), str(source), str(out)]
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise RuntimeError(f"The exported predict.py failed:\n{done.stderr}")
                with out.open(encoding="utf-8", newline="") as file:
                    names = next(csv.reader(file))  # Polars leaves the quotes of a header doubled
                found = pl.read_csv(out, infer_schema_length=None, new_columns=names)
            if classes is None:
                return found["prediction"].cast(pl.Float64).to_numpy()
            return found.select(f"probability_{name}" for name in classes).cast(pl.Float64).to_numpy()

        return predict

    def _training(
        self, run: Run, model: Any, data: DataCode | PictureCode, options: dict[str, Any], members: bool
    ) -> dict[str, Any]:
        """What train.py is written from; ``options`` are the network's or those that all of an ensemble share."""
        design = run.need("design")
        schedule = SCHEDULES.get(options["schedule"])
        rate = "rate" if schedule or _inner(run) else "LEARNING_RATE"
        optimizer, arguments = _optimizer(options, rate, "WEIGHT_DECAY", "LONGEST_GRADIENT")
        smoothing = bool(options["label_smoothing"] and data.classes)
        one_hot = smoothing and data.problem == "multiclass"
        if not data.classes:
            loss = quoted("mean_absolute_error" if data.median else "mean_squared_error")
        elif smoothing:
            kind = "Categorical" if one_hot else "Binary"
            loss = f"keras.losses.{kind}Crossentropy(label_smoothing=LABEL_SMOOTHING)"
        else:
            loss = quoted("binary_crossentropy" if data.problem == "binary" else "sparse_categorical_crossentropy")
        if members:
            of_values = "MeanAbsoluteError" if data.median else "MeanSquaredError"
            kind = {"binary": "BinaryCrossentropy", "regression": of_values}.get(
                data.problem, "CategoricalCrossentropy" if one_hot else "SparseCategoricalCrossentropy"
            )
            more = ', options={"label_smoothing": LABEL_SMOOTHING}' if smoothing else ""
            loss = f"MemberLoss({quoted(kind)}, GROUPS{more})"
            held_out = f"MemberLoss({quoted(kind)}, GROUPS, held_out=True{more})"
        return {
            "held_out": held_out if members else "",
            "options": options,
            "seed": design.get("seed", 0),
            "batch_size": design.get("batch_size") or options["batch_size"] or 64,
            "schedule": schedule,
            "optimizer": f"{_called(optimizer)}({', '.join(arguments)})",
            "loss": loss,
            "one_hot": one_hot,
            "mixes": bool(options.get("mixup") or options.get("cutmix")),
            "carried_over": bool(_inner(run)),
            "rehearsed": bool(design.get("pretrain") or options.get("pretraining")),
            "balanced": options["class_weight"] == "balanced" and bool(data.classes),
            "adapts": any(hasattr(layer, "adapt") for layer in model.layers),
            "solves": any(hasattr(layer, "solve") for layer in model.layers),
            "metric": "log_loss" if data.classes else "mae" if data.median else "rmse",
        }


def _inner(run: Run) -> dict[str, tuple[str, dict[str, Any]]]:
    """What makes the models inside the run's network, by their names."""
    design = run.need("design")
    if design["network"] != "pretrained":
        return {}
    options = design["options"]
    return {"backbone": (options["backbone"], {} if options["alpha"] == 1.0 else {"alpha": options["alpha"]})}


def _optimizer(options: dict[str, Any], rate: str, decay: str, longest: str) -> tuple[str, list[str]]:
    """The optimiser that options name: its class, and its arguments as code, from the code of some figures."""
    betas = [] if options.get("beta_2", 0.999) == 0.999 else [f"beta_2={options['beta_2']!r}"]
    nesterov = ["nesterov=True"] if options["momentum"] > 0 else []
    name, own = {
        "sgd": ("SGD", [f"momentum={options['momentum']}", *nesterov]),
        "rmsprop": ("RMSprop", []),
        "adam": ("Adam", betas),
        "adamw": ("AdamW", [f"weight_decay={decay}", *betas]),
        "lookahead": ("Lookahead", ["EPOCHS * steps", f"momentum={options['momentum']}", f"weight_decay={decay}"]),
    }[options["optimizer"]]
    return name, [rate, *own, *([f"global_clipnorm={longest}"] if options["clip_norm"] else [])]


def _called(optimizer: str) -> str:
    return optimizer if optimizer == "Lookahead" else f"keras.optimizers.{optimizer}"


def _storable(run: Run, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that Parquet can hold: pictures that are arrays become files, as the network sees them."""
    column = image_column(Schema.from_json(run.need("schema")))
    if column is None or not isinstance(rows.schema[column.name], pl.Array):
        return rows
    decoded, _ = decode(rows[column.name], column.encoding or {})
    return rows.with_columns(pl.Series(column.name, [as_png(picture, largest=0) for picture in decoded]))


def _networks(run: Run, model: Any) -> list[dict[str, Any]]:
    """The networks of an ensemble, each with its name in the model and how it is trained; none of a single network.

    Raises:
        RunError: they cannot be trained by one script.
    """
    found = run.need("design").get("ensemble") or []
    shared = [{key: one["settings"].get(key) for key in ("folds", "label_smoothing", "class_weight")} for one in found]
    layers = {layer.name for layer in model.layers}
    made = []
    for place, one in enumerate(found, 1):
        options, name = one["settings"], f"model_{place}"
        if f"{name}_members" not in layers or shared[place - 1] != shared[0]:
            raise RunError(
                "Code is written for ensembles of networks that are trained alike; this run's are not. Write --to keras."
            )
        rate = repr(options["learning_rate"])
        if options["schedule"] != "constant":
            rate = f"{SCHEDULES[options['schedule']]}({rate}, {options['epochs']} * steps)"
        kind, arguments = _optimizer(options, rate, repr(options["weight_decay"]), repr(options["clip_norm"]))
        lines = call_lines(f'        "{name}": keras.optimizers.{kind}(', arguments, "),", 8)
        made.append({**one, "name": name, "optimizer": "\n".join(lines)})
    return made


SCHEDULES = {
    "cosine": "keras.optimizers.schedules.CosineDecay",
    "coslog4": "CosLogRate",
    "triangular": "TriangularRate",
    "stable_decay": "StableDecayRate",
}
OWN = {
    "coslog4": CosLogRate,
    "triangular": TriangularRate,
    "stable_decay": StableDecayRate,
    "lookahead": Lookahead,
}
"""Schedules and optimisers that Keras does not have."""


def _backend_line(backend: str) -> str:
    return f'os.environ.setdefault("KERAS_BACKEND", "{backend}")'


def _requirements(backend: str, pictures: bool) -> str:
    names = ["keras", backend, "numpy", "polars", "h5py", *(["pillow"] if pictures else [])]
    # Builds such as +cpu come from other places than the public index.
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in names)


def _split_note(run: Run, kept: bool) -> str:
    split = run.read("split") or {}
    if not kept:
        return "Test and validation rows are drawn with the seed."
    method = split.get("method", "rows drawn at random")
    return (
        f"On the first table\ntest and validation rows are those of `split.csv` ({method}).\n"
        "For a table of another length they are drawn anew, at random."
    )
