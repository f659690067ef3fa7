"""The report: every part from fabricated runs, in both languages, whole and broken off."""

from __future__ import annotations

import csv
import json
import re
import string
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from nervura.errors import OptionError
from nervura.messages import LANGUAGES, MESSAGES, text
from nervura.plots import network_picture, shorten
from nervura.rendering import number, percent, short_number, told_of_imbalance, told_of_rule
from nervura.reporting import report
from nervura.run import Run, kept_in
from nervura.schema import Column, Schema
from nervura.summarising import recommended, summarise

CLASSES = {"binary": ["no", "yes"], "multiclass": ["adelie", "chinstrap", "gentoo"], "regression": []}
METRICS = {
    "binary": {
        "log_loss": 0.312,
        "roc_auc": 0.914,
        "average_precision": 0.83,
        "accuracy": 0.87,
        "f1": 0.71,
        "brier": 0.094,
    },
    "multiclass": {"log_loss": 0.121, "roc_auc": 0.993, "accuracy": 0.957, "f1_macro": 0.951, "brier": 0.07},
    "regression": {"rmse": 48211.0, "mae": 31502.0, "r2": 0.823},
}
VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "circle", "line", "path", "use"}


def fabricate(path: Path, problem: str = "binary", **changes: str | int) -> Run:
    """A run as a training leaves it behind. ``changes``: ``name`` hostile in every place, ``columns`` and ``layers``."""
    word = str(changes.get("word", ""))
    generator = np.random.default_rng(3)
    classes, metrics = CLASSES[problem], METRICS[problem]
    classes = [f"{name}{word}" for name in classes]
    run = Run.create(path)
    run.write(
        "run",
        {
            "format": 1,
            "status": "done",
            "name": f"people-deep_feed_forward-1{word}",
            "command": f"nervura train people.csv --target income{word}",
            "source": {
                "origin": f"people.csv{word}",
                "reading": {"separator": ";", "encoding": "utf-8", "header": True},
                "notes": [f"3 rows are repeated.{word}"],
            },
            "seed": 0,
            "started": "2026-11-24T08:00:00+00:00",
            "seconds": 31.2,
            "versions": {"nervura": "0.1.0", "keras": "3.13.1", "python": "3.12.3"},
            "backend": "tensorflow",
            "device": "CPU, 2 cores",
            "decisions": [f"The patience was set to 10 epochs.{word}", {"what": "batch_size", "chosen": 128}],
        },
    )
    kinds = ["number", "category", "boolean", "datetime", "text"]
    columns = [
        Column(
            f"column {i}{word}",
            kinds[i % 5],
            missing=17 * (i % 3),
            distinct=10 + i,
            examples=[f"{i}.5{word}", "2", "3"],
            warnings=["One value makes up 97 % of the rows."] if i == 2 else [],
        )
        for i in range(int(changes.get("columns", 9)))
    ]
    columns.append(Column(f"id{word}", "category", "aside", f"it names each row{word}", distinct=4521))
    columns.append(Column(f"income{word}", "number" if problem == "regression" else "category", "target", distinct=2))
    run.write("schema", Schema(columns, 4521).to_json())
    rows = {"train": 3165, "validation": 678, "test": 678, "left out": 0}
    run.write("split", {"seed": 0, "method": "At random, with equal shares of the classes", "rows": rows, "notes": []})
    run.write(
        "problem",
        {
            "name": problem,
            "reason": f"the target has two values: no and yes{word}",
            "declined": {"regression": f"the target holds names, not numbers{word}"},
            "coding": {"classes": classes} if classes else {"mean": 0.0, "deviation": 1.0},
            "metric": next(iter(metrics)),
        },
    )
    hidden = int(changes.get("layers", 3))
    layers = [layer(f"numbers{word}", "InputLayer", 7, 0), layer("scaling", "Normalization", 7, 0)]
    for i in range(hidden):
        layers.append(layer(f"hidden_{i + 1}{word}", "Dense", max(8, 128 >> i), 1024 + i, "relu, with bias"))
        layers.append(layer(f"dropout_{i + 1}", "Dropout", max(8, 128 >> i), 0, "10% dropped in training"))
    layers.append(layer("head", "Dense", max(1, len(classes)), 33, "sigmoid, with bias"))
    run.write(
        "design",
        {
            "network": "deep_feed_forward",
            "summary": f"a network of several hidden layers{word}",
            "options": {"hidden": [128, 64, 32], "dropout": 0.1, "learning_rate": 0.001, "optimizer": f"adamw{word}"},
            "parameters": 12345,
            "inputs": [{"name": "numbers", "features": ["a"] * 7}, {"name": "categories", "features": ["b"] * 2}],
            "layers": layers,
            "rule": f"Three layers, because 3,165 rows carry no more.{word}",
        },
    )
    epochs = 30
    decay = np.exp(-np.arange(epochs) / 6)
    history: dict[str, np.ndarray] = {
        "epoch": np.arange(epochs),
        "loss": 0.25 + 0.4 * decay,
        "val_loss": 0.31 + 0.36 * decay + 0.003 * np.maximum(0, np.arange(epochs) - 18),
        "learning_rate": np.full(epochs, 0.001),
        "seconds": np.full(epochs, 0.4),
    }
    for i in range(hidden):
        history[f"gradient/hidden_{i + 1}{word}"] = (0.02 + decay) / (1 + i) * generator.uniform(0.9, 1.1, epochs)
        history[f"change/hidden_{i + 1}{word}"] = 0.01 * decay
    with (path / "history.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(history)
        writer.writerows(zip(*history.values(), strict=True))
    run.write("evaluation", evaluation(problem, classes, metrics, word, generator))
    importance = [
        {"column": column.name, "value": 0.2 * 0.6**i, "low": 0.2 * 0.6**i - 0.02, "high": 0.2 * 0.6**i + 0.02}
        for i, column in enumerate(columns[:-2])
    ]
    run.write("explanation", {"importance": importance, "metric": next(iter(metrics))})
    return run


def layer(name: str, kind: str, size: int, parameters: int, note: str = "") -> dict:
    return {"name": name, "type": kind, "output_shape": [None, size], "parameters": parameters, "note": note}


def evaluation(problem: str, classes: list[str], metrics: dict[str, float], word: str, generator) -> dict:
    def worse(share: float) -> dict[str, dict[str, float]]:
        found = {}
        for name, value in metrics.items():
            falls = name not in ("log_loss", "brier", "rmse", "mae")
            moved = value * (1 - share / 2) if falls else value * (1 + share)
            found[name] = {"value": moved, "low": moved * 0.93, "high": moved * (1.01 if falls else 1.07)}
        return found

    metric = next(iter(metrics))
    gap = metrics[metric]
    return {
        "problem": problem,
        "metric": metric,
        "rows": {"train": 3165, "validation": 678, "test": 678},
        "test": worse(0),
        "baselines": {"constant": worse(0.9), f"linear{word}": worse(0.2), "boosted trees": worse(-0.03)},
        "depths": {str(i): worse((3 - i) * 0.06) for i in range(4)},
        "seconds": {"deep_feed_forward": 12.3, "constant": 0.001, f"linear{word}": 0.4, "boosted trees": 1.7},
        "verdict": {
            "text": f"A deep network is not warranted here. Boosted trees do as well in less time.{word}",
            "text_pt": f"Uma rede profunda não se justifica aqui. As árvores fazem o mesmo em menos tempo.{word}",
            "choice": "boosted trees",
            "best": "boosted trees",
            "deep_warranted": "no",
            "differences": {
                "deep_feed_forward": {"difference": 0.03 * gap, "low": -0.01 * gap, "high": 0.06 * gap},
                f"linear{word}": {"difference": 0.2 * gap, "low": 0.15 * gap, "high": 0.27 * gap},
            },
        },
        "diagnostics": of_classes(classes, generator) if classes else of_values(generator),
    }


def of_classes(classes: list[str], generator) -> dict:
    count = len(classes)
    grid = np.linspace(0, 1, 60)
    curves = {name: grid ** (0.15 + 0.1 * i) for i, name in enumerate(classes[1:] if count == 2 else classes)}
    return {
        "confusion": {
            "classes": classes,
            "counts": (np.diag([190] * count) + generator.integers(3, 30, (count, count))).tolist(),
        },
        "reliability": [
            {
                "low": i / 10,
                "high": (i + 1) / 10,
                "mean_probability": i / 10 + 0.05 if i else None,
                "share": min(1, i / 10 + 0.02 + 0.01 * i) if i else None,
                "rows": 20 * i,
            }
            for i in range(10)
        ],
        "expected_calibration_error": 0.0312,
        "roc": {n: {"false_positive_rate": grid.tolist(), "true_positive_rate": y.tolist()} for n, y in curves.items()},
        "precision_recall": {
            n: {"recall": grid[::-1].tolist(), "precision": (1 - grid**4 * 0.7)[::-1].tolist()} for n in curves
        },
    }


def of_values(generator) -> dict:
    true = generator.lognormal(12, 0.5, 400)
    predicted = true * generator.normal(1, 0.15, 400)
    counts, edges = np.histogram(true - predicted, 30)
    return {
        "scatter": {"true": true.tolist(), "predicted": predicted.tolist()},
        "residual_histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "residual_quantiles": {"0.05": -60000.0, "0.5": 120.5, "0.95": 64000.0},
    }


class Checker(HTMLParser):
    """Follows the tags of a page: they close in order, ids are unique, references lead somewhere."""

    def __init__(self, page: str):
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        assert len(values) == len(attrs), f"an attribute stands twice in <{tag}>"
        self.tags.add(tag)
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("href", "src", "xlink:href", "action"):
            if name in values:
                (self.links.add if values[name].startswith("#") else self.addresses.append)(values[name])
        self.links |= {f"#{name}" for name in re.findall(r"url\(#([^)]+)\)", " ".join(map(str, values.values())))}
        if tag == "svg" and values.get("aria-hidden") != "true":
            self.pictures.append(values)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("problem", CLASSES)
def test_page_is_whole_and_needs_nothing_else(tmp_path, problem, lang):
    path = report(fabricate(tmp_path / "run", problem), lang)
    page = path.read_text(encoding="utf-8")
    found = Checker(page)
    assert page.startswith("<!DOCTYPE html>")
    assert f'<html lang="{lang}">' in page
    assert found.addresses == []
    assert "http" not in page and "@import" not in page and "<script" not in page
    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links} <= set(found.ids)
    assert len(found.pictures) > 8
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in found.pictures)
    assert "#2222" not in page and "#1111" not in page and "#3333" not in page
    assert text("section.verdict", lang) in page
    assert ("justifica" if lang == "pt" else "warranted here") in page
    assert len(page) < 700_000


def test_order_of_sections(tmp_path):
    page = report(fabricate(tmp_path / "run")).read_text(encoding="utf-8")
    sections = re.findall(r'<section id="(\w+)"', page)
    assert sections == [
        "verdict", "scores", "classes", "importance", "network", "training", "problem", "data", "split", "made",
    ]  # fmt: skip


def test_same_run_same_bytes(tmp_path):
    run = fabricate(tmp_path / "run", "regression")
    assert report(run).read_bytes() == report(run).read_bytes()


@pytest.mark.parametrize(
    "file, sections",
    [
        ("evaluation.json", ["verdict", "scores", "classes"]),
        ("explanation.json", ["importance"]),
        ("design.json", ["network"]),
        ("history.csv", ["training"]),
        ("problem.json", ["problem"]),
        ("schema.json", ["data"]),
        ("split.json", ["split"]),
        ("run.json", ["made"]),
    ],
)
def test_section_without_its_file_is_left_out_and_said(tmp_path, file, sections):
    run = fabricate(tmp_path / "run")
    (run.path / file).unlink()
    page = report(run).read_text(encoding="utf-8")
    markdown = (run.path / "report.md").read_text(encoding="utf-8")
    Checker(page)
    for section in sections:
        assert f'<section id="{section}"' not in page
        assert f'href="#{section}"' not in page or section == "verdict"
        said = text("page.missing", section=text(f"section.{section}"), file=file)
        assert said in unescape(page)
        assert said in markdown.replace("\\", "")


def test_run_that_has_only_started(tmp_path):
    run = Run.create(tmp_path / "run")
    page = report(run, "pt").read_text(encoding="utf-8")
    Checker(page)
    assert text("page.unfinished", "pt", status="started") in page


HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=y>",
    "{{ 7*7 }}{0}",
    "$x_1^2$ \\frac",
    "日本🙂|*_`",
    "_a\n# b",
]


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("problem", ["multiclass", "regression"])
def test_hostile_names_stay_names(tmp_path, problem, word):
    page = report(fabricate(tmp_path / "run", problem, word=word)).read_text(encoding="utf-8")
    found = Checker(page)
    assert not found.tags & {"script", "img"}
    assert word in unescape(page)
    assert "49" not in re.findall(r"column 0(..)", page)
    markdown = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    outside = re.sub(r"```+\n.*?\n```+\n", "", markdown, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<", outside)
    tables = [line for line in outside.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_markdown_tables_are_even(tmp_path):
    for problem in CLASSES:
        run = fabricate(tmp_path / problem, problem)
        report(run)
        lines = (run.path / "report.md").read_text(encoding="utf-8").splitlines()
        for before, line in zip(["", *lines], lines, strict=False):
            if line.startswith("|") and before.startswith("|"):
                bars = [len(re.findall(r"(?<!\\)\|", one)) for one in (before, line)]
                assert bars[0] == bars[1], (before, line)
            elif line.startswith("| ---"):
                raise AssertionError(f"no head above {line}")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("problem", CLASSES)
def test_three_forms_agree_on_the_figures(tmp_path, problem, lang):
    run = fabricate(tmp_path / "run", problem)
    page = re.sub(r"<[^>]+>", " ", report(run, lang).read_text(encoding="utf-8"))
    markdown = (run.path / "report.md").read_text(encoding="utf-8")
    summary = json.loads((run.path / "report.json").read_text(encoding="utf-8"))
    figures = [
        score[key] for model in summary["scores"]["models"] for score in model["scores"].values() for key in score
    ]
    figures += [one["value"] for one in summary["importance"]["columns"]]
    figures += [layer["parameters"] for layer in summary["network"]["layers"]]
    figures += [one[key] for one in summary["training"]["figures"] for key in ("loss", "validation_loss")]
    figures += [one["last"] for one in summary["training"]["layers"]]
    figures += [summary["verdict"]["score"]["value"], summary["data"]["rows"]]
    for figure in figures:
        assert number(figure, lang) in page
        assert number(figure, lang) in markdown


def test_what_steps_said_is_translated_and_what_is_not_known_is_marked_as_english(tmp_path):
    run = fabricate(tmp_path / "run")
    page = report(run, "pt").read_text(encoding="utf-8")
    assert (
        "o alvo tem dois valores: no e yes" in page and "terminada" in page and "10\u00a0% desligados no treino" in page
    )
    assert '<span lang="en">The patience was set to 10 epochs.</span>' in page
    assert "o alvo tem dois valores: no e yes" in (run.path / "report.md").read_text(encoding="utf-8")
    assert '<span lang="en">' not in report(run, "en").read_text(encoding="utf-8")


def test_what_is_so_of_every_file_is_not_told_of_one(tmp_path):
    run = fabricate(tmp_path / "run")
    reading = {"separator": ";", "has_header": False, "null_words": ["NA"], "compression": None, "null_words_in": {}}
    run.update("run", source={"origin": "people.csv", "reading": reading, "notes": []})
    assert summarise(run)["data"]["reading"] == {"separator": ";", "has_header": False}


def test_json_is_the_same_in_every_language(tmp_path):
    run = fabricate(tmp_path / "run")
    report(run, "en")
    english = (run.path / "report.json").read_bytes()
    report(run, "pt")
    assert (run.path / "report.json").read_bytes() == english


def test_long_tables_and_deep_networks_are_cut(tmp_path):
    run = fabricate(tmp_path / "run", columns=3000, layers=400)
    page = report(run).read_text(encoding="utf-8")
    Checker(page)
    assert len(page) < 1_000_000
    assert text("page.more", count="2,952") in page
    assert summarise(run)["network"]["left_out"] == 803 - 50
    assert page.count('class="box ') <= 30


def test_diverged_training_is_drawn(tmp_path):
    run = fabricate(tmp_path / "run")
    header = "epoch,loss,val_loss,learning_rate,seconds,gradient/a,change/a\n"
    (run.path / "history.csv").write_text(header + "0,nan,nan,0.1,1,inf,nan\n", encoding="utf-8")
    page = report(run).read_text(encoding="utf-8")
    assert text("training.summary_short", epochs="1") in page


def test_class_that_is_never_met_or_named(tmp_path):
    run = fabricate(tmp_path / "run")
    found = run.need("evaluation")
    found["diagnostics"]["confusion"]["counts"] = [[5, 0], [0, 0]]
    found["diagnostics"] |= {"roc": {}, "precision_recall": {}, "reliability": [], "expected_calibration_error": None}
    found["test"]["roc_auc"] = {"value": None, "low": None, "high": None}
    run.write("evaluation", found)
    page = report(run).read_text(encoding="utf-8")
    Checker(page)
    assert "–" in page


def test_unknown_language_is_refused(tmp_path):
    with pytest.raises(OptionError, match="'fr' was given"):
        report(Run.create(tmp_path / "run"), "fr")


def test_every_message_is_there_in_both_languages():
    for key, both in MESSAGES.items():
        assert len(both) == len(LANGUAGES), key
        places = [{name for _, name, _, _ in string.Formatter().parse(one) if name} for one in both]
        assert all(both) and places[0] == places[1], key


def test_templates_use_known_messages_only():
    folder = Path(__file__).parents[1] / "nervura" / "report"
    for template in folder.glob("*.j2"):
        for key in re.findall(r"\bt\('([\w. ]+)'[,)]", template.read_text(encoding="utf-8")):
            assert key in MESSAGES, (template.name, key)


@pytest.mark.parametrize(
    "value, english, portuguese",
    [
        (None, "–", "–"),
        (float("nan"), "–", "–"),
        (0.0, "0", "0"),
        (0.31249, "0.312", "0,312"),
        (0.9996, "0.9996", "0,9996"),
        (-12.345, "−12.3", "−12,3"),
        (999.7, "1,000", "1\u00a0000"),
        (123, "123", "123"),
        (1234567, "1,234,567", "1\u00a0234\u00a0567"),
        (0.00001234, "1.23e-05", "1,23e-05"),
        (120.4, "120", "120"),
    ],
)
def test_numbers(value, english, portuguese):
    assert number(value) == english
    assert number(value, "pt") == portuguese


def test_short_numbers_and_percentages():
    assert [short_number(value) for value in (0.001, 0.5, 20.0, 250000.0, 0.00001, 0.0)] == [
        "0.001", "0.5", "20", "250,000", "1e-05", "0",
    ]  # fmt: skip
    assert short_number(1500.0, "pt") == "1\u00a0500"
    assert [short_number(-163500.5), short_number(2.5e8), short_number(None)] == ["−163,500", "2.5e+08", "–"]
    assert percent(0.05, places=0) == "5%"
    assert percent(0.1234) == "12.3%"
    assert percent(0.1234, "pt") == "12,3\u00a0%"
    assert shorten("a\nb " * 20, 8) == "a b a b…"


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_the_rule_by_which_classes_are_named_is_told(lang: str) -> None:
    point = "." if lang == "en" else ","
    rule = {"metric": "f1", "class": "sick", "threshold": 0.1234, "weights": [], "left_out": 0}
    told = told_of_rule(rule, lang)
    assert "sick" in told and f"0{point}123" in told and "F1" in told
    weights = [{"name": "a", "weight": 0.5}, {"name": "b", "weight": 2.25}]
    several = told_of_rule({**rule, "threshold": None, "weights": weights, "left_out": 3}, lang)
    assert f"a 0{point}5" in several and f"b 2{point}25" in several and "3" in several
    found = {"class": "sick", "share": 0.0312, "thresholds": {"balanced_accuracy": 0.031, "f1": None}}
    told = told_of_imbalance(found, lang)
    assert (
        "--metric balanced_accuracy (" in told and f"0{point}031" in told and told.rstrip(".").endswith("--metric f1")
    )


def test_a_run_of_pictures_is_told_to_predict_pictures(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", seed=0)
    run.write("schema", {"columns": [{"name": "picture", "kind": "image", "role": "input"}]})
    run.write("design", {"network": "airbench"})
    run.write("evaluation", {"verdict": {"simplest": "constant"}})
    (run.path / kept_in("constant")).mkdir(parents=True)
    assert [one["command"] for one in recommended(run)] == ["nervura predict run new_pictures --use simplest"]


def test_the_branches_of_a_network_stand_side_by_side() -> None:
    def box(title: str) -> dict:
        return {"title": title, "small": "", "size": 4, "role": "hidden"}

    drawn = network_picture([[box("a"), box("b")], [box("c"), None], [box("d")]], "a network")
    place = {
        title: float(x) for x, title in re.findall(r'<text class="box-title" x="([\d.]+)"[^>]*>(\w)</text>', drawn)
    }
    assert place["a"] == place["c"] < place["d"] < place["b"]
    # Nothing stands below b, so that its wire passes that row straight down.
    assert f"M{place['b']:g} " in "".join(re.findall(r'd="(M[\d.]+ \d+)V\d+"', drawn)) + " "
