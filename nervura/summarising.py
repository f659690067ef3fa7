"""A run as one dict: what its report says, without words of a language."""

from __future__ import annotations

import math
import shlex
import statistics
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from nervura import plots
from nervura.messages import LANGUAGES
from nervura.pictures import as_png
from nervura.problems import problems
from nervura.run import Run, kept_in

MOST = 50
"""Of columns, layers and other long lists, this many are shown and the rest counted."""

MOST_CLASSES = 20

MOST_BOXES = 24

MOST_EPOCHS = 8

SECTIONS = (
    ("verdict", "evaluation"),
    ("scores", "evaluation"),
    ("classes", "evaluation"),
    ("values", "evaluation"),
    ("findings", "explanation"),
    ("importance", "explanation"),
    ("gallery", "explanation"),
    ("inside", "explanation"),
    ("network", "design"),
    ("training", "history"),
    ("problem", "problem"),
    ("data", "schema"),
    ("split", "split"),
    ("made", "run"),
)
"""The sections of the report in their order, and the file of the run that each is made from."""

UNTOLD = ("damaged", "null_words", "regular")
"""Of how data were read: what the notes name, what is so of every file, and what is for programs alone."""


@cache
def higher_is_better() -> frozenset[str]:
    """The metrics of which more is better, as the problems say that have them."""
    return frozenset(name for problem in problems for name, one in problem.metrics.items() if one.greater_is_better)


def summarise(run: Run) -> dict[str, Any]:
    """All that the report says, in no language: a dict with one entry per section, None where its file is missing."""
    files = {name: run.read(name) for _, name in SECTIONS if name != "history"}
    history = run.history()
    made = files["run"] or {}
    evaluation = files["evaluation"]
    diagnostics = (evaluation or {}).get("diagnostics") or {}
    summary: dict[str, Any] = {
        "format": 1,
        "name": made.get("name") or run.path.name,
        # The report is the last step: whoever reads it has a run that is done.
        "status": "done" if made.get("status") == "reporting" else made.get("status"),
        "target": _target(files["schema"]) if _predicts(files["problem"]) else None,
        "verdict": _verdict(evaluation, recommended(run)),
        "champion": (evaluation or {}).get("champion"),
        "scores": _scores(evaluation, files["design"]),
        "classes": _classes(evaluation, files["problem"], (files["design"] or {}).get("network")),
        "values": _values(diagnostics),
        "findings": _findings(run, files["explanation"]),
        "importance": _importance(files["explanation"]),
        "gallery": _gallery(run, files["explanation"]),
        "inside": _inside(run, files["explanation"]),
        "network": _network(files["design"]),
        "training": _training(history),
        "problem": _problem(files["problem"]),
        "data": _data(files["schema"], made.get("source") or {}),
        "split": files["split"],
        "made": _made(made),
    }
    # Weights that are computed have a history without epochs.
    told = (run.path / "history.csv").exists()
    there = {name for name, found in files.items() if found is not None} | ({"history"} if told else set())
    summary["missing"] = [
        {"section": section, "file": "history.csv" if file == "history" else f"{file}.json"}
        for section, file in SECTIONS
        if file not in there and section not in ("values", "findings", "gallery", "inside")
    ]
    return summary


def _first(items: Sequence[Any], most: int = MOST) -> tuple[list[Any], int]:
    return list(items[:most]), max(0, len(items) - most)


def _target(schema: dict[str, Any] | None) -> str | None:
    return next((c["name"] for c in (schema or {}).get("columns", []) if c.get("role") == "target"), None)


def _of_pictures(columns: Sequence[dict[str, Any]]) -> bool:
    return any(column.get("role") == "input" and column.get("kind") == "image" for column in columns)


def recommended(run: Run) -> list[dict[str, str]]:
    """The models that the verdict prefers to the run's network: ``name``, and the ``command`` that predicts with it."""
    verdict, design = (run.read("evaluation") or {}).get("verdict") or {}, run.read("design") or {}
    found: dict[str, str] = {}
    new = "new_pictures" if _of_pictures((run.read("schema") or {}).get("columns", [])) else "new.csv"
    for use in ("simplest", "best") if verdict.get("choice_holds", True) else ("best",):
        name = verdict.get(use)
        if name and name != design.get("network") and (run.path / kept_in(name)).is_dir():
            found.setdefault(name, shlex.join(["nervura", "predict", run.path.name, new, "--use", use]))
    return [{"name": name, "command": command} for name, command in found.items()]


def _verdict(evaluation: dict[str, Any] | None, others: list[dict[str, str]]) -> dict[str, Any] | None:
    found = (evaluation or {}).get("verdict")
    if not found:
        return None
    metric = found.get("metric") or (evaluation or {}).get("metric")
    return {
        "text": {"en": found.get("text") or "", "pt": found.get("text_pt") or found.get("text") or ""},
        "choice": found.get("choice"),
        "best": found.get("best"),
        "others": others,
        "deep_warranted": found.get("deep_warranted"),
        "metric": metric,
        "score": ((evaluation or {}).get("test") or {}).get(metric),
        "differences": [
            {"name": name, "value": one.get("difference"), "low": one.get("low"), "high": one.get("high")}
            for name, one in (found.get("differences") or {}).items()
        ],
    }


def _scores(evaluation: dict[str, Any] | None, design: dict[str, Any] | None) -> dict[str, Any] | None:
    if not evaluation or not evaluation.get("test"):
        return None
    seconds = evaluation.get("seconds") or {}
    network = (design or {}).get("network")
    baselines = evaluation.get("baselines") or {}
    models = [{"name": network, "network": True, "scores": evaluation["test"], "seconds": seconds.get(network)}]
    models += [
        {"name": name, "network": False, "scores": scores, "seconds": seconds.get(name)}
        for name, scores in baselines.items()
    ]
    metric = evaluation.get("metric") or next(iter(evaluation["test"]))

    def place(model: dict[str, Any]) -> tuple[bool, float]:
        value = (model["scores"].get(metric) or {}).get("value")
        return value is None, 0.0 if value is None else -value if metric in higher_is_better() else value

    return {
        "metric": metric,
        "metrics": sorted(evaluation["test"], key=lambda name: name != metric),
        "rows": (evaluation.get("rows") or {}).get("test"),
        "models": sorted(models, key=place),
        "depths": [{"hidden": count, "scores": scores} for count, scores in (evaluation.get("depths") or {}).items()],
        "coverage": evaluation.get("coverage"),
        "pretraining": evaluation.get("pretraining"),
        "curve": [{"rows": one["rows"], "scores": {metric: one}} for one in evaluation.get("learning_curve") or []],
    }


def _classes(
    evaluation: dict[str, Any] | None, problem: dict[str, Any] | None, network: str | None
) -> dict[str, Any] | None:
    diagnostics, test = ((evaluation or {}).get(key) or {} for key in ("diagnostics", "test"))
    confusion = diagnostics.get("confusion")
    if not confusion:
        return None
    counts = confusion["counts"]
    names = [str(name) for name in confusion["classes"]]
    columns = [sum(row) for row in zip(*counts, strict=True)]
    right, whole = sum(row[i] for i, row in enumerate(counts)), sum(map(sum, counts))
    shown, left_out = _first(names, MOST_CLASSES)
    rows = [
        {
            "name": name,
            "counts": counts[i][:MOST_CLASSES],
            "rows": sum(counts[i]),
            "recall": _ratio(counts[i][i], sum(counts[i])),
            "precision": _ratio(counts[i][i], columns[i]),
        }
        for i, name in enumerate(shown)
    ]
    roc, precision_recall = diagnostics.get("roc") or {}, diagnostics.get("precision_recall") or {}
    curves = []
    for name in list(dict.fromkeys([*roc, *precision_recall]))[:MOST]:
        here, there = roc.get(name), precision_recall.get(name)
        curves.append(
            {
                "name": name,
                "roc": here,
                "precision_recall": there,
                "area": _area(here["false_positive_rate"], here["true_positive_rate"]) if here else None,
                "average_precision": _average_precision(there["recall"], there["precision"]) if there else None,
            }
        )
    if len(curves) == 1:
        # The one curve of two classes is that of the score: the curve here is thinned, the score is exact.
        for key, metric in (("area", "roc_auc"), ("average_precision", "average_precision")):
            curves[0][key] = (test.get(metric) or {}).get("value", curves[0][key])
    return {
        "names": shown,
        "left_out": left_out,
        "confusion": rows,
        "right": right,
        "rows": whole,
        "share": _ratio(right, whole),
        "curves": curves,
        "reliability": [one for one in diagnostics.get("reliability") or [] if one.get("rows")],
        "expected_calibration_error": diagnostics.get("expected_calibration_error"),
        "trust": [{"name": name, **found} for name, found in (diagnostics.get("trust") or {}).items()],
        "rule": _rule(problem, network, names),
        "imbalance": (evaluation or {}).get("imbalance"),
    }


def _rule(problem: dict[str, Any] | None, network: str | None, names: list[str]) -> dict[str, Any] | None:
    """By what rule the network names classes, and for the sake of which metric; None where it is the likeliest."""
    coding = (problem or {}).get("coding") or {}
    rule = coding.get("rule")
    if not rule:
        return None
    weights = list(zip(names, rule.get("weights", ()), strict=False))
    shown, left_out = _first(weights, MOST_CLASSES)
    return {
        "network": network,
        "metric": coding.get("metric"),
        "class": names[-1],
        "threshold": rule.get("threshold"),
        "weights": [{"name": name, "weight": weight} for name, weight in shown],
        "left_out": left_out,
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _area(x: list[float], y: list[float]) -> float:
    return sum((right - left) * (low + high) / 2 for left, right, low, high in zip(x, x[1:], y, y[1:], strict=False))


def _average_precision(recall: list[float], precision: list[float]) -> float:
    pairs = sorted(zip(recall, precision, strict=True))
    return sum((after[0] - before[0]) * after[1] for before, after in zip(pairs, pairs[1:], strict=False))


def _values(diagnostics: dict[str, Any]) -> dict[str, Any] | None:
    points = diagnostics.get("scatter")
    if not points or not points.get("true"):
        return None
    bars = diagnostics.get("residual_histogram") or {}
    fullest = max(range(len(bars["counts"])), key=bars["counts"].__getitem__) if bars.get("counts") else None
    return {
        "scatter": points,
        "extent": {
            "low": min(points["true"]),
            "high": max(points["true"]),
            "from": min(points["predicted"]),
            "to": max(points["predicted"]),
        },
        "residual_histogram": bars if fullest is not None else None,
        "fullest": None
        if fullest is None
        else {
            "low": bars["edges"][fullest],
            "high": bars["edges"][fullest + 1],
            "count": bars["counts"][fullest],
            "rows": sum(bars["counts"]),
        },
        "quantiles": [
            {"share": float(share), "value": value}
            for share, value in (diagnostics.get("residual_quantiles") or {}).items()
        ],
    }


def _predicts(problem: dict[str, Any] | None) -> bool:
    return (problem or {}).get("needs_target", True)


def _findings(run: Run, explanation: dict[str, Any] | None) -> list[dict[str, Any]] | None:
    """What a problem that judges itself found, texts by language and each picture as the text of a PNG file in base 64."""
    found = (explanation or {}).get("findings")
    if not found:
        return None
    arrays = run.read_arrays("findings") or {}

    def both(texts: Any) -> dict[str, str]:
        return dict(zip(LANGUAGES, texts, strict=True))

    def cell(value: Any) -> Any:
        return both(value) if isinstance(value, list) else value

    def png(picture: np.ndarray) -> str:
        return b64encode(as_png(picture, 0)).decode()

    return [
        {
            "title": both(one["title"]),
            "note": both(one["note"]),
            "columns": [both(column) for column in one["columns"]],
            "numeric": [
                all(isinstance(row[i], int | float | None) for row in one["rows"]) for i in range(len(one["columns"]))
            ],
            "rows": [[cell(value) for value in row] for row in one["rows"]],
            "png": png(arrays[one["picture"]]) if one.get("picture") in arrays else None,
            "shown": [
                {"png": png(picture), "lines": [cell(line) for line in lines]}
                for picture, lines in zip(arrays.get(one.get("pictures"), ()), one.get("captions", ()), strict=True)
            ],
        }
        for one in found
    ]


def _importance(explanation: dict[str, Any] | None) -> dict[str, Any] | None:
    if not explanation or not explanation.get("importance"):
        return None
    ordered = sorted(explanation["importance"], key=lambda one: -(one.get("value") or 0.0))
    shown, left_out = _first(ordered)
    return {"metric": explanation.get("metric"), "columns": shown, "left_out": left_out}


def _gallery(run: Run, explanation: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the explanation shows of pictures, each as the text of a PNG file in base 64."""
    kept = run.read_arrays("gallery") if explanation and "examples" in explanation else None
    if explanation is None or kept is None:
        return None

    def shown(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "png": b64encode(as_png(kept["pictures"][one["picture"]])).decode()}

    return {
        "rows": explanation["rows"],
        "wrong": explanation.get("wrong"),
        "examples": [
            {"class": one["class"], "pictures": [shown(picture) for picture in one["pictures"]]}
            for one in explanation["examples"]
        ],
        "mistakes": [shown(one) for one in explanation["mistakes"]],
    }


def _inside(run: Run, explanation: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was seen inside a network of pictures, each picture as the text of a PNG file in base 64."""
    told = (explanation or {}).get("inside")
    kept = run.read_arrays("inside") if told else None
    if not told or kept is None:
        return None

    def png(picture: np.ndarray) -> str:
        return b64encode(as_png(picture, 0)).decode()

    excited = [
        {
            **one,
            "channels": [
                {
                    "channel": channel,
                    "patches": png(plots.mosaic(patches, len(patches))),
                    "dream": png(plots.mosaic(dreams[i : i + 1], 1, 64)) if dreams is not None else None,
                }
                for i, (channel, patches) in enumerate(
                    zip(one["channels"], kept[f"patches/{one['layer']}"], strict=True)
                )
            ],
        }
        for one in told.get("excited", [])
        for dreams in [kept.get(f"dreams/{one['layer']}")]
    ]
    answers = []
    for i, one in enumerate(told["answers"] if "grad_cam" in kept else []):
        picture, lost = kept["shown"][i], np.maximum(kept["occlusion"][i], 0)
        heats = [kept["grad_cam"][i], lost / max(float(lost.max()), 1e-12)]
        tiles = [np.broadcast_to(picture, (*picture.shape[:2], 3)), *(plots.warmed(picture, heat) for heat in heats)]
        answers.append({**one, "png": png(plots.mosaic(np.array(tiles), 3, 96))})
    maps = [
        {"layer": name.removeprefix("maps/"), "png": png(plots.mosaic(found.transpose(2, 0, 1)[..., None], 12))}
        for name, found in kept.items()
        if name.startswith("maps/")
    ]
    return {
        **{key: told.get(key) for key in ("layers", "saved_by_pooling", "shifts", "metric", "left_out")},
        "filters": png(plots.mosaic(kept["filters"], 16, 24)) if "filters" in kept else None,
        "picture": png(plots.mosaic(kept["shown"][:1], 1, 96)),
        "maps": maps,
        "excited": excited,
        "answers": answers,
        "map": png(plots.scattered(kept["mapped"], kept["map"])) if "map" in kept else None,
    }


def _network(design: dict[str, Any] | None) -> dict[str, Any] | None:
    if not design:
        return None
    layers = design.get("layers") or []
    shown, left_out = _first(layers)
    computing = [layer for layer in layers if layer.get("type") != "InputLayer"]
    # The members of an ensemble have branches of their own, too many to draw.
    one_network = len(design.get("inputs") or []) > 1 and not design.get("ensemble")
    branches = (design.get("branches") or {}) if one_network else {}
    apart = {name for names in branches.values() for name in names}
    lanes = [
        [layer for layer in computing if layer["name"] in branches.get(one["name"], ())]
        for one in design.get("inputs") or []
    ]
    computing = [layer for layer in computing if layer["name"] not in apart]
    head, tail = computing, []
    if len(computing) > MOST_BOXES:
        head, tail = computing[: MOST_BOXES - 4], computing[-3:]
    return {
        "name": design.get("network"),
        "summary": design.get("summary"),
        "parameters": design.get("parameters"),
        "count": len(layers),
        "layers": shown,
        "left_out": left_out,
        "inputs": [
            {"name": one["name"], "features": len(one.get("features") or [])} for one in design.get("inputs") or []
        ],
        "picture": {"lanes": lanes, "first": head, "between": len(computing) - len(head) - len(tail), "last": tail},
        "options": dict(_first(list((design.get("options") or {}).items()))[0]),
        "rule": design.get("rule"),
        "members": [
            {key: one.get(key) for key in ("number", "network", "weight", "parameters", "options")}
            for one in design.get("ensemble") or []
        ],
    }


def _training(history: dict[str, list[float]]) -> dict[str, Any] | None:
    loss, validation = _known(history.get("loss")), _known(history.get("val_loss"))
    rates = _known(history.get("learning_rate"))
    epochs = max(len(loss), len(validation))
    if not epochs:
        return None
    judged = [(value, epoch) for epoch, value in enumerate(validation, 1) if value is not None]
    best = min(judged)[1] if judged else None
    steps = min(epochs, MOST_EPOCHS)
    chosen = {round(1 + i * (epochs - 1) / max(1, steps - 1)) for i in range(steps)} | ({best} if best else set())
    names = [name.removeprefix("gradient/") for name in history if name.startswith("gradient/")]
    shown, left_out = _first(names)
    layers = []
    for name in shown:
        norms, change = _known(history[f"gradient/{name}"]), _known(history.get(f"change/{name}"))
        known = [value for value in norms if value is not None]
        layers.append(
            {
                "name": name,
                "norms": norms,
                "first": known[0] if known else None,
                "median": statistics.median(known) if known else None,
                "last": known[-1] if known else None,
                "change": change[-1] if change else None,
            }
        )
    return {
        "epochs": epochs,
        "best": best,
        "best_loss": validation[best - 1] if best else None,
        "loss": loss,
        "validation_loss": validation,
        "figures": [
            {
                "epoch": epoch,
                "loss": loss[epoch - 1] if loss else None,
                "validation_loss": validation[epoch - 1] if validation else None,
                "learning_rate": rates[epoch - 1] if rates else None,
            }
            for epoch in sorted(chosen)
        ],
        "layers": layers,
        "left_out": left_out,
    }


def _known(values: list[float] | None) -> list[float | None]:
    """The values with None in place of those that are not finite, as JSON has it."""
    return [value if math.isfinite(value) else None for value in values or []]


def _problem(problem: dict[str, Any] | None) -> dict[str, Any] | None:
    if not problem:
        return None
    classes = [str(name) for name in (problem.get("coding") or {}).get("classes") or []]
    shown, left_out = _first(classes)
    return {
        "name": problem.get("name"),
        "reason": problem.get("reason"),
        "metric": problem.get("metric"),
        "declined": problem.get("declined") or {},
        "possible": problem.get("possible") or {},
        "predicts": _predicts(problem),
        "classes": shown,
        "left_out": left_out,
    }


def _data(schema: dict[str, Any] | None, source: dict[str, Any]) -> dict[str, Any] | None:
    if not schema:
        return None
    columns = schema["columns"]
    # The target first: it is what a reader looks for, and long tables are cut.
    ordered = sorted(columns, key=lambda column: column.get("role") != "target")
    shown, left_out = _first(ordered)
    return {
        "origin": source.get("origin"),
        "reading": {
            name: value
            for name, value in (source.get("reading") or {}).items()
            if name not in UNTOLD and (value is False or value not in (None, "", 0, [], {}))
        },
        "notes": source.get("notes") or [],
        "rows": schema.get("rows"),
        "count": len(columns),
        "inputs": sum(column.get("role") == "input" for column in columns),
        "pictures": _of_pictures(columns),
        "columns": [
            {
                "name": column["name"],
                "kind": column.get("kind"),
                "role": column.get("role"),
                "missing": _ratio(column.get("missing") or 0, schema.get("rows") or 0),
                "distinct": column.get("distinct"),
                "examples": (column.get("examples") or [])[:3],
                "remark": "; ".join(
                    [*([column["reason"]] if column.get("reason") else []), *(column.get("warnings") or [])]
                ),
            }
            for column in shown
        ],
        "left_out": left_out,
    }


def _made(made: dict[str, Any]) -> dict[str, Any] | None:
    if not made:
        return None
    names = ("command", "seed", "started", "seconds", "backend", "device")
    decisions, left_out = _first(made.get("decisions") or [])
    return {name: made.get(name) for name in names} | {
        "versions": made.get("versions") or {},
        "decisions": decisions,
        "left_out": left_out,
    }
