"""Code the user owns: a small folder of plain Keras and Polars, as a good engineer would write it by hand."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nervura import likeness, oddness, topical
from nervura.clusterers import clusterers
from nervura.code_text import LINE, call_lines, import_line, quoted, render
from nervura.data_source import DataCode, PictureCode, SeriesCode
from nervura.detectors import detectors
from nervura.detectors.base import Detector, Index
from nervura.detectors.base import learnt as fitted_detector
from nervura.encoding import PICTURES, SERIES, TOKENS, image_column, medium, tensors
from nervura.errors import RunError
from nervura.exporters.base import Exporter, Predict, load_network, load_problem
from nervura.grouping import silhouettes
from nervura.layers.caption_objective import CaptionObjective
from nervura.layers.cos_log_rate import CosLogRate
from nervura.layers.lookahead import Lookahead
from nervura.layers.member_loss import MemberLoss
from nervura.layers.row_loss import OwnObjective, RowLoss
from nervura.layers.stable_decay_rate import StableDecayRate
from nervura.layers.triangular_rate import TriangularRate
from nervura.model_source import definitions_source, layers_source, model_source
from nervura.pictures import as_png, decode
from nervura.problems.base import Appraised, Problem, Targetless, halved
from nervura.run import Run
from nervura.schema import Schema
from nervura.targetless_source import anomaly_source, clustering_source, objective_call, phase_lines
from nervura.zoo import zoo

STOPPING_FOLDS = 2
"""As in training: the folds of a bagged network that decide when to stop."""

PARTS = ("train", "validation", "test", "left out")
AT_ONCE = {PICTURES: 64, TOKENS: 256}
"""So many rows are predicted at once where they are large."""


class CodeExporter(Exporter):
    name = "code"
    summary = "a folder of plain Keras and Polars code: model.py, data.py, train.py, predict.py, weights"
    file = "code"

    def carries(self, problem: Problem) -> bool:
        return not isinstance(problem, Appraised) or problem.name in GIVES

    def write(self, run: Run, path: Path) -> Path:
        problem = load_problem(run)
        if isinstance(problem, Targetless):
            return self._write_targetless(run, path, problem)
        return self._write_captions(run, path) if problem.name == "captioning" else self._write(run, path)

    def _write(self, run: Run, path: Path) -> Path:
        import keras

        schema = Schema.from_json(run.need("schema"))
        model = load_network(run.path / "model.keras")
        backend = keras.backend.backend()
        told_by = medium(schema)
        kind = {PICTURES: PictureCode, SERIES: SeriesCode}.get(told_by or "", DataCode)
        data = kind(schema, run.need("problem"), run.need("run").get("source") or {}, [t.name for t in model.inputs])
        reading = data.source()  # first: what it leaves to columns.json is told below
        network, custom = model_source(model, data.sizes, _inner(run))
        networks = _networks(run, model)
        settings = [one["settings"] for one in networks] or [run.need("design")["options"]]
        members = any(layer.name.endswith("members") for layer in model.layers)
        own = [*([MemberLoss] if members else []), *_own_parts(settings)]
        own.sort(key=lambda one: one.__name__)
        custom = [*custom, *own]
        network = _asking_for(backend, network)
        groups = max(1, settings[0].get("folds", 1))
        told = {
            **_shared(run, data, model),
            **self._training(run, model, data, settings[0], members),
            "begins": any(hasattr(layer, "begin") for layer in model.layers),
            "networks": networks,
            "scheduled": any(one["schedule"] != "constant" for one in settings),
            "target": schema.target.name,
            "classes": bool(data.classes),
            "custom": custom,
            "own": ", ".join(cls.__name__ for cls in own),
            "members": members,
            "groups": groups,
            "stopping": min(STOPPING_FOLDS, groups - 1),
            "bounded": data.bound is not None,
        }
        files = {"model.py": network, "data.py": reading, "train.py": render("train.py.j2", told)}
        if custom:
            files["layers.py"] = layers_source(custom)
        return _folder(run, path, files | data.document_files(), told, model)

    def _write_targetless(self, run: Run, path: Path, problem: Targetless) -> Path:
        """The same of a network that rebuilds its rows, whose outputs have names of their own in code."""
        import keras

        from nervura.layers.straight import straighten, straighten_directions

        schema, design = Schema.from_json(run.need("schema")), run.need("design")
        whole, backend = load_network(run.path / "model.keras"), keras.backend.backend()
        outputs = {name: whole.get_layer(name).output for name in ("code", "rebuilt", "given")}
        model = keras.Model({tensor.name: tensor for tensor in whole.inputs}, outputs, name=whole.name)
        pictures = image_column(schema) is not None
        kind = PictureCode if pictures else DataCode
        given = {**run.need("problem"), "needs_target": False}
        data = kind(schema, given, run.need("run").get("source") or {}, [one.name for one in whole.inputs])
        reading = data.source()  # first: what it leaves to columns.json is told below
        network, custom = model_source(model, data.sizes, stems=CODE_WIDTHS)
        member = zoo.load(design["network"])
        options = member.Options(**design["options"])
        phases = member.phases(options)
        learner = member.learner(whole, tensors(schema), options, 0)
        objective = None if learner is None else learner.objective
        assert objective is not None, "a network that rebuilds has an objective of its own"
        names_of_layers = {layer.name for layer in whole.layers}
        begins = {"direction": straighten_directions, "decoded_straight": straighten}
        straight = next((function for name, function in begins.items() if name in names_of_layers), None)
        own: list[Any] = [OwnObjective, type(objective), RowLoss, *_own_parts([vars(options)])]
        learnt = LEARNT.get(problem.name)
        names = [*(["encode"] if not pictures else []), *(["read_labels"] if data.labels else [])]
        names += ["read_pictures"] if pictures else []
        told = {
            **_shared(run, data, model),
            **_rebuilding(options, phases, several=len(phases) > 1),
            "objective": objective_call(objective),
            "straight": straight.__name__ if straight else "",
            "topics": problem.name == "topics",
            "anomaly": problem.name == "anomaly",
            "clustering": problem.name == "clustering",
            "labels": data.labels,
            "clean": problem.name == "anomaly" and problem.coding["options"]["clean"] == "yes",
            "data_import": import_line("data", sorted([*names, "read_table"])),
            "layers_import": import_line("layers", _names([*own, *([straight] if straight else [])])),
            "learnt": learnt,
            "learnt_name": problem.name if learnt else "",
            "target": schema.target.name if data.labels else "",
            "custom": custom,
        }
        files = {"model.py": _asking_for(backend, network), "data.py": reading}
        files["layers.py"] = definitions_source(
            [*custom, *own, *([straight] if straight else [])], "Layers and losses that Keras does not have."
        )
        files["train.py"] = render("rebuild.py.j2", told)
        path.mkdir(parents=True)
        if learnt is not None:
            files |= learnt.files(problem, data)
            _write_state(learnt.state(problem), path / f"{problem.name}.npz")
        return _folder(run, path, files | data.document_files(), told, model)

    def _write_captions(self, run: Run, path: Path) -> Path:
        """The same of a network that writes about pictures, which learns in phases from texts."""
        import keras

        schema, design = Schema.from_json(run.need("schema")), run.need("design")
        model, backend = load_network(run.path / "model.keras"), keras.backend.backend()
        data = PictureCode(schema, run.need("problem"), run.need("run").get("source") or {}, ["pictures"])
        network, custom = model_source(model, data.sizes, _inner(run), {"writer": ""})
        member = zoo.load(design["network"])
        options = member.Options(**design["options"])
        own: list[Any] = [CaptionObjective, OwnObjective, RowLoss, *_own_parts([vars(options)])]
        told = {
            **_shared(run, data, model),
            **_rebuilding(options, member.phases(options), several=True),
            "layers_import": import_line("layers", _names(own)),
            "target": schema.target.name,
            "custom": custom,
        }
        files = {
            "model.py": _asking_for(backend, network),
            "data.py": data.source(),
            "train.py": render("captions.py.j2", told),
            "layers.py": definitions_source([*custom, *own], "Layers and losses that Keras does not have."),
            "likeness.py": definitions_source([likeness.facts], "How like texts are to those of people."),
        }
        return _folder(run, path, files, told, model)

    def load(self, run: Run, path: Path) -> Predict:
        problem = load_problem(run)
        classes = problem.coding.get("classes")

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
                named = {"prediction": pl.String} if isinstance(problem, Appraised) else {}
                found = pl.read_csv(out, infer_schema_length=None, new_columns=names, schema_overrides=named)
            if isinstance(problem, Appraised):
                return problem.figures_of(found.with_columns(pl.col(pl.Int64).cast(pl.Float64)))
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
            "batch_size": design.get("batch_size") or options["batch_size"] or 64,
            "schedule": schedule,
            "optimizer": f"{_called(optimizer)}({', '.join(arguments)})",
            "loss": loss,
            "one_hot": one_hot,
            "mixes": bool(options.get("mixup") or options.get("cutmix")),
            "rehearsed": bool(design.get("pretrain") or options.get("pretraining")),
            "balanced": options["class_weight"] == "balanced" and bool(data.classes),
            "adapts": any(hasattr(layer, "adapt") for layer in model.layers),
            "solves": any(hasattr(layer, "solve") for layer in model.layers),
            "metric": "log_loss" if data.classes else "mae" if data.median else "rmse",
        }


def _shared(run: Run, data: DataCode | PictureCode, model: Any) -> dict[str, Any]:
    """What the files of all runs are written from."""
    import keras

    design, problem, backend = run.need("design"), run.need("problem")["name"], keras.backend.backend()
    kept = "parts" in (run.read_arrays("split") or {})
    return {
        **data.about,
        "pictures": isinstance(data, PictureCode) and not isinstance(data, SeriesCode),
        "seed": design.get("seed", 0),
        "batch_size": design.get("batch_size") or design["options"].get("batch_size") or 64,
        "at_once": _at_once(model),
        "network": design["network"],
        "does": DOES.get(problem, ""),
        "gives": GIVES.get(problem, ""),
        "captions": problem == "captioning",
        "learnt": None,
        "learnt_name": "",
        "columns": data.columns,
        "carried_over": bool(_inner(run)),
        "mixes": False,
        "rehearsed": False,
        "kept_split": kept,
        "split_note": _split_note(run, kept),
        "backend": backend,
        "backend_line": _backend_line(backend) if backend != "tensorflow" else "",
    }


CODE_WIDTHS = {
    **dict.fromkeys(("code", "code_straight", "code_bent", "features"), "CODE"),
    **dict.fromkeys(("decoded", "decoded_straight", "decoded_bent", "rebuilt", "given", "machine"), ""),
}
"""By the names of the layers of a network that rebuilds, what its code calls their widths."""

GIVES = {
    "embedding": "`code_1`, `code_2` and so on",
    "anomaly": "`prediction` (yes or no), `score`, `p_value` and `reasons`",
    "clustering": "`prediction`, the number of the cluster, and `probability_<cluster>`",
    "topics": "`prediction`, the topic by its leading words, `probability_<topic>`, and `code_1`, `code_2` and so on",
    "captioning": "`prediction`, the text, and `log_probability`",
}
DOES = {
    "embedding": "a short code for each row",
    "anomaly": "the rows that are unlike the others",
    "clustering": "the rows that belong together",
    "topics": "what documents are about",
    "captioning": "what is in a picture, in words",
}
"""Of the problems that judge for themselves: what the answers are, and what the network is for."""


def _at_once(model: Any) -> int:
    return min(AT_ONCE.get(tensor.name, 1024) for tensor in model.inputs)


def _own_parts(settings: list[dict[str, Any]]) -> list[type]:
    """The schedules and optimisers of trainings that Keras does not have."""
    return [cls for name, cls in OWN.items() if any(name in (one["schedule"], one["optimizer"]) for one in settings)]


def _asking_for(backend: str, source: str) -> str:
    """Code that asks for the backend before it imports Keras, where that is not the usual one."""
    if backend == "tensorflow":
        return source
    return source.replace("\n\nimport keras\n", f"\n\nimport os\n\n{_backend_line(backend)}\n\nimport keras\n", 1)


def _rebuilding(options: Any, phases: list[Any], several: bool) -> dict[str, Any]:
    """What the train.py of a network with an objective of its own is written from.

    Args:
        several: whether its phases are written as a loop.
    """
    schedule = SCHEDULES.get(options.schedule)
    rate = "rate" if schedule or several else "LEARNING_RATE"
    decay = "decay" if several else "WEIGHT_DECAY"
    name, arguments = _optimizer(vars(options), rate, decay, "LONGEST_GRADIENT")
    return {
        "options": options,
        "schedule": schedule,
        "phases": phase_lines(phases) if several else [],
        "optimizer": f"{_called(name)}({', '.join(arguments)})",
    }


def _anomaly_files(problem: Targetless, data: DataCode | PictureCode) -> dict[str, str]:
    """The files of what is made of the outputs of a network to tell odd rows."""
    members = [(f"{one['detector']}_of_{one['view']}", one) for one in problem.coding["panel"]]
    panel = [(title, type(detectors.load(one["detector"])), one["view"]) for title, one in members]
    used: list[Any] = [*dict.fromkeys(cls for _, cls, _ in panel), Detector, Index, halved, fitted_detector, *ODDNESS]
    source = definitions_source(used, "What tells odd rows from usual ones, and what their scores are worth.")
    told = [(title, cls.__name__, view) for title, cls, view in panel]
    text, more = anomaly_source(problem.coding, problem.layout, told, "axes" in problem.arrays, _names(used))
    data.columns |= more
    return {"detectors.py": source, "anomaly.py": text}


ODDNESS = (
    oddness.Surprise,
    oddness.alarming,
    oddness.combined,
    oddness.p_values,
    oddness.reasons,
    oddness.shares_of,
)


def _anomaly_state(problem: Targetless) -> dict[str, np.ndarray]:
    arrays = {
        f"{one['detector']}_of_{one['view']}/logarithmic": np.array(one["logarithmic"])
        for one in problem.coding["panel"]
    }
    return problem.arrays | arrays


def _clustering_files(problem: Targetless, data: DataCode | PictureCode) -> dict[str, str]:
    """The files of what is made of the outputs of a network to group rows."""
    clusterer = type(clusterers.load(problem.coding["grouped"]["method"]))
    used = [clusterer, silhouettes]
    source = definitions_source(used, "What groups rows, and how well groups are apart.")
    text = clustering_source(problem.coding, problem.layout, "axes" in problem.arrays, clusterer.__name__, _names(used))
    return {"clusterers.py": source, "clustering.py": text}


def _clustering_state(problem: Targetless) -> dict[str, np.ndarray]:
    wanted = ("scale", "centre", "axes", "order")
    return {name: array for name, array in problem.arrays.items() if name in wanted or name.startswith("fitted/")}


def _topics_files(problem: Targetless, data: DataCode | PictureCode) -> dict[str, str]:
    """The files of what is made of codes of documents to tell their topics."""
    judging = [topical.precisions] if problem.coding["labels"] else [topical.found_again, topical.halves]
    used = [topical.Mixture, topical.leading, topical.words_of_topics]
    source = definitions_source([*used, *judging], "Topics as directions of codes, and the words that lead them.")
    told = {
        "imports": import_line("mixture", _names(used)),
        "topics": len(problem.coding["names"]),
        "naming": topical.NAMING,
    }
    return {"mixture.py": source, "topics.py": render("topics.py.j2", told)}


def _topics_state(problem: Targetless) -> dict[str, np.ndarray]:
    kept = {name: problem.arrays[name] for name in ("centres", "priors")}
    names = np.array(problem.coding["names"], dtype=np.str_)
    return {**kept, "sharpness": np.array(problem.coding["sharpness"]), "names": names}


@dataclass(frozen=True)
class Learnt:
    """What a problem without a target learns from the outputs of a network, as files.

    Attributes:
        module: the one of the classes and functions that it uses.
        uses: what these are, in words.
        kept: what its arrays hold, in words.
        files: of a problem and the code that reads its rows.
        state: the arrays.
    """

    module: str
    uses: str
    kept: str
    files: Callable[[Any, DataCode | PictureCode], dict[str, str]]
    state: Callable[[Any], dict[str, np.ndarray]]


LEARNT = {
    "anomaly": Learnt(
        "detectors",
        "what tells odd rows from usual ones",
        "what detectors learnt; rows of the first table are in it",
        _anomaly_files,
        _anomaly_state,
    ),
    "clustering": Learnt(
        "clusterers",
        "what groups rows",
        "what rows are grouped by; rows of the first table may be in it",
        _clustering_files,
        _clustering_state,
    ),
    "topics": Learnt(
        "mixture",
        "topics as directions of codes",
        "the directions and the names of the topics",
        _topics_files,
        _topics_state,
    ),
}


def _names(used: Sequence[Any]) -> list[str]:
    """The names of classes and functions as an import has them."""
    return sorted((thing.__name__ for thing in used), key=lambda name: (name[0].islower(), name))


def _write_state(arrays: dict[str, np.ndarray], path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _folder(run: Run, path: Path, files: dict[str, str], told: dict[str, Any], model: Any) -> Path:
    """Writes the files beside those that all folders of code have."""
    split = run.read_arrays("split") or {}
    parts, folds = split.get("parts"), split.get("folds")
    files |= {
        "predict.py": render("predict.py.j2", told),
        "README.md": render("README.md.j2", {**told, "files": files}),
    }
    files |= {
        # Wherever ruff is called from, model.py and its like are this folder's own modules.
        "ruff.toml": f"line-length = {LINE}\n",
        "requirements.txt": _requirements(told["backend"], files),
    }
    if told["columns"]:
        files["columns.json"] = json.dumps(told["columns"], ensure_ascii=False, indent=1) + "\n"
    if parts is not None:
        kept = pl.DataFrame({"part": [PARTS[part] for part in parts]})
        if told.get("groups", 1) > 1:
            kept = kept.with_columns(fold=pl.Series(folds))
        files["split.csv"] = kept.write_csv()
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name).write_text(text, encoding="utf-8")
    model.save_weights(path / "model.weights.h5")
    return path


def _inner(run: Run) -> dict[str, tuple[str, dict[str, Any]]]:
    """What makes the models inside the run's network, by their names."""
    options = run.need("design")["options"]
    if options.get("backbone", "none") == "none":
        return {}
    if "alpha" not in options:
        return {"backbone": (options["backbone"], {})}
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
        alike = (f"{name}_members" in layers) == ("model_1_members" in layers)
        if not alike or shared[place - 1] != shared[0]:
            raise RunError(
                "Code is written for ensembles of networks that are trained alike; this run's differ in members, folds, "
                "label_smoothing or class_weight. Write --to keras."
            )
        rate = repr(options["learning_rate"])
        if options["schedule"] != "constant":
            rate = f"{SCHEDULES[options['schedule']]}({rate}, {options['epochs']} * steps)"
        kind, arguments = _optimizer(options, rate, repr(options["weight_decay"]), repr(options["clip_norm"]))
        lines = call_lines(f'        "{name}": {_called(kind)}(', arguments, "),", 8)
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


PACKAGES = {"PIL": "pillow", "Stemmer": "PyStemmer", "scipy": "scipy", "sklearn": "scikit-learn"}
"""What installs the modules that some code imports."""


def _requirements(backend: str, files: dict[str, str]) -> str:
    code = "\n".join(text for name, text in files.items() if name.endswith(".py"))
    more = [package for name, package in PACKAGES.items() if re.search(rf"^ *(from|import) {name}\b", code, re.M)]
    names = ["keras", backend, "numpy", "polars", "h5py", *more]
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
