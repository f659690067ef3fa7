"""The dict of a report as HTML that opens offline and as Markdown, in a language."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache, partial
from importlib import resources
from itertools import zip_longest
from typing import Any

from nervura import plots
from nervura.messages import MESSAGES, localised, number, percent, short_number, text, told
from nervura.summarising import higher_is_better


def render_html(summary: dict[str, Any], lang: str = "en") -> str:
    """The summary as one HTML page that needs nothing else."""
    page = _template("report.html.j2", lang, escaping=True)
    return page.render(summary=summary, lang=lang, charts=_charts(summary, lang), css=_file("style.css"))


def render_markdown(summary: dict[str, Any], lang: str = "en") -> str:
    """The summary as Markdown, without the pictures."""
    rendered = _template("report.md.j2", lang, escaping=False).render(summary=summary, lang=lang)
    return re.sub(r"\n{3,}", "\n\n", rendered).strip() + "\n"


def _file(name: str) -> str:
    return (resources.files("nervura") / "report" / name).read_text(encoding="utf-8")


@cache
def _template(name: str, lang: str, escaping: bool) -> Any:
    """Compiled once in a process: that takes longer than filling it."""
    return _environment(lang, escaping).from_string(_file(name))


def _environment(lang: str, escaping: bool) -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=escaping, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    say = partial(text, lang=lang)
    figure = partial(number, lang=lang)
    environment.globals |= {
        "t": say,
        "named": partial(_named, lang=lang),
        "metric": partial(_metric, lang=lang),
        "told": lambda sentence: told(str(sentence), lang),
        "question": partial(_question, lang=lang),
        "told_of_rule": partial(told_of_rule, lang=lang),
        "told_of_imbalance": partial(told_of_imbalance, lang=lang),
        "told_of_champion": partial(told_of_champion, lang=lang),
        "told_of_pretraining": partial(told_of_pretraining, lang=lang),
        "direction": lambda name: say("direction.high" if name in higher_is_better() else "direction.low"),
        "known_metric": lambda name: f"metric.{name}" in MESSAGES,
        "depth": partial(_depth, lang=lang),
        "shape": _shape,
        "shorten": plots.shorten,
        "sentences": _sentences,
    }
    environment.filters |= {
        "number": figure,
        "short": partial(short_number, lang=lang),
        "percent": lambda share, places=1: percent(share, lang, places),
        "cell": _markdown_cell,
        "code": _markdown_code,
        "scored": partial(_scored, lang=lang),
        "bounds": partial(_bounds, lang=lang),
        "setting": partial(_setting, lang=lang),
        "said": partial(_cell, lang=lang),
        "told": partial(_told, lang=lang, marked=escaping),
    }
    return environment


def _sentences(said: str) -> tuple[str, str]:
    """The first sentence and the rest."""
    first, _, rest = said.partition(". ")
    return (f"{first}." if rest else first), rest


def _told(sentence: Any, lang: str, marked: bool) -> str:
    """What a step said in English, in a language; where it is not known, ``marked`` says so to screen readers."""
    from markupsafe import Markup

    said = told(str(sentence), lang)
    if marked and lang != "en" and said == sentence and " " in said:
        return Markup('<span lang="en">{}</span>').format(said)
    return said


def _named(group: str, name: Any, lang: str) -> str:
    """The name of a kind, role, part or problem in a language; itself where the catalogue has none."""
    key = f"{group}.{name}"
    return text(key, lang) if key in MESSAGES else str(name)


def _metric(name: str, lang: str) -> str:
    return _named("metric", name, lang)


def _depth(count: str, lang: str) -> str:
    key = {"0": "scores.depth_none", "1": "scores.depth_one"}.get(str(count), "scores.depth")
    return text(key, lang, count=count)


def _shape(sizes: Sequence[int | None] | None) -> str:
    """The shape that leaves a layer, without the rows of the batch: ``64`` or ``28 × 28 × 3``."""
    if not sizes:
        return "–"
    return " × ".join("?" if size is None else f"{size}" for size in _one_row(sizes)) or "1"


def _one_row(sizes: Sequence[int | None]) -> list[int | None]:
    """A shape without the axis of the batch: the first unknown one, since groups of members stand before it."""
    batch = list(sizes).index(None) if None in sizes else 0
    return [size for axis, size in enumerate(sizes) if axis != batch]


def _bounds(score: dict[str, Any] | None, lang: str) -> str:
    """The interval of a score in words: ``0.29 to 0.33``."""
    if not score or score.get("low") is None or score.get("high") is None:
        return ""
    return f"{number(score['low'], lang)} – {number(score['high'], lang)}"


def _scored(score: dict[str, Any] | None, lang: str) -> str:
    """A score with its interval in brackets, on one line."""
    score = score or {}
    bounds = _bounds(score, lang)
    return number(score.get("value"), lang) + (f" ({bounds})" if bounds else "")


def _setting(value: Any, lang: str) -> str:
    """The value of an option or setting, as people write it."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_setting(item, lang)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_setting(item, lang) for item in value) or "–"
    if isinstance(value, float):
        return short_number(value, lang)
    return "–" if value is None or value == "" else str(value)


def _markdown_cell(value: Any) -> str:
    """Text that Markdown leaves as it is, on one line."""
    line = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~$&!])", r"\\\1", line)


def _markdown_code(value: Any) -> str:
    """Text as a code block that no backtick inside can close."""
    written = str(value)
    longest = max((len(found) for found in re.findall(r"`+", written)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{written}\n{fence}"


def _question(summary: dict[str, Any], lang: str) -> str:
    """What is predicted, and from what."""
    data, target = summary["data"], summary["target"]
    own = f"asks.{(summary['problem'] or {}).get('name')}"
    if own in MESSAGES:
        return text(own, lang, target=target)
    if data["pictures"]:
        return text("page.asks_pictures", lang, target=target)
    if data["inputs"] == 1:
        return text("page.asks_one", lang, target=target)
    return text("page.asks", lang, target=target, inputs=number(data["inputs"], lang))


def told_of_rule(found: dict[str, Any], lang: str = "en") -> str:
    """By what rule the network names classes."""
    metric = _metric(found["metric"], lang)
    if found["threshold"] is not None:
        threshold = number(found["threshold"], lang)
        return text("classes.threshold", lang, name=found["class"], threshold=threshold, metric=metric)
    weights = ", ".join(f"{one['name']} {number(one['weight'], lang)}" for one in found["weights"])
    more = f", {text('page.more', lang, count=number(found['left_out'], lang))}" if found["left_out"] else ""
    return text("classes.weights", lang, metric=metric, weights=weights + more)


def told_of_imbalance(found: dict[str, Any], lang: str = "en") -> str:
    """What class is rare, and which metrics would have it named more often."""
    ways = [
        f"--metric {name}"
        if threshold is None
        else text("classes.way", lang, metric=name, threshold=number(threshold, lang))
        for name, threshold in found["thresholds"].items()
    ]
    return text("classes.rare", lang, name=found["class"], share=percent(found["share"], lang), ways="; ".join(ways))


def told_of_champion(found: dict[str, Any], lang: str = "en") -> list[str]:
    """What came of champion and challenger on new data: the outcome, and how the challenger was trained."""
    metric = found["metric"]
    greater = metric in higher_is_better()
    outcome = text(
        "champion.judged",
        lang,
        what=text(f"champion.{found['verdict']}", lang),
        name=found["name"],
        rows=number(found["rows"], lang),
        metric=_metric(metric, lang),
        direction=text("direction.high" if greater else "direction.low", lang),
        challenger=_scored(found["challenger"].get(metric), lang),
        champion=_scored(found["champion"].get(metric), lang),
        difference=_scored({**found, "value": found["difference"]}, lang),
    )
    starts = found.get("starts")
    if not starts:
        return [outcome]
    scores = {start: number(value, lang) for start, value in starts["validation"].items()}
    key = f"champion.kept_{starts['kept']}" if len(scores) > 1 else "champion.afresh_alone"
    return [outcome, text(key, lang, metric=_metric(metric, lang), name=found["name"], **scores)]


def told_of_pretraining(found: dict[str, Any], lang: str = "en") -> str:
    """What rows without a target gained."""
    greater = found["metric"] in higher_is_better()
    better, worse = (found["low"] > 0, found["high"] < 0) if greater else (found["high"] < 0, found["low"] > 0)
    outcome = "better" if better else "worse" if worse else "even"
    return text(
        "scores.pretraining",
        lang,
        rows=number(found["rows"], lang),
        metric=_metric(found["metric"], lang),
        difference=_scored({**found, "value": found["difference"]}, lang),
        direction=text("direction.high" if greater else "direction.low", lang),
        what=text(f"scores.pretraining_{outcome}", lang),
    )


def _cell(value: Any, lang: str) -> str:
    """A cell of a finding's table: a number, a text, or a text by language."""
    if isinstance(value, dict):
        return localised(value[lang], lang)
    return number(value, lang) if isinstance(value, int | float | None) else str(value)


def _charts(summary: dict[str, Any], lang: str) -> dict[str, Any]:
    """The pictures of the page by name, as markup; empty where the data of one is missing."""
    from markupsafe import Markup

    say, axis = partial(text, lang=lang), partial(short_number, lang=lang)
    names = ("network", "learning", "gradients", "roc", "precision_recall", "reliability", "scatter", "residuals")
    found = dict.fromkeys(names, "")

    def labels(title: str, x: str, y: str) -> dict[str, str]:
        return {"title": title, "x": say(x), "y": say(y)}

    network, training, classes, values = (summary[name] for name in ("network", "training", "classes", "values"))
    if network and network["layers"]:
        found["network"] = plots.network_picture(
            _boxes(network, lang), say("network.picture", count=number(network["count"], lang))
        )
    if training:
        told = labels(say("training.curves"), "column.epoch", "axis.loss")
        told["title"] += ": " + _training_sentence(training, lang)
        found["learning"] = plots.learning_curves(
            "learning", training["loss"], training["validation_loss"], training["best"], told, axis
        )
        if training["layers"]:
            lines = [layer["norms"] for layer in training["layers"]]
            told = labels(say("training.gradients"), "column.epoch", "axis.norm")
            found["gradients"] = plots.ordered_lines("gradients", lines, told, axis)
    if classes:
        curves = [
            (c["roc"]["false_positive_rate"], c["roc"]["true_positive_rate"]) for c in classes["curves"] if c["roc"]
        ]
        if curves:
            told = labels(say("classes.roc"), "axis.false_positive_rate", "axis.true_positive_rate")
            found["roc"] = plots.unit_curves("roc", curves, told, axis)
        curves = [
            (c["precision_recall"]["recall"], c["precision_recall"]["precision"])
            for c in classes["curves"]
            if c["precision_recall"]
        ]
        if curves:
            told = labels(say("classes.precision_recall"), "column.recall", "column.precision")
            found["precision_recall"] = plots.unit_curves("precision_recall", curves, told, axis, diagonal=False)
        if classes["reliability"]:
            bins = classes["reliability"]
            told = labels(say("classes.reliability"), "column.probability", "column.share")
            curve = ([one["mean_probability"] for one in bins], [one["share"] for one in bins])
            found["reliability"] = plots.unit_curves("reliability", [curve], told, axis, dots=True)
    if values:
        told = labels(say("values.scatter"), "axis.true", "axis.predicted")
        points = (values["scatter"]["true"], values["scatter"]["predicted"])
        found["scatter"] = plots.scatter("scatter", points, told, axis)
        if values["residual_histogram"]:
            told = labels(say("values.residuals"), "column.residual", "column.rows")
            bars = values["residual_histogram"]
            found["residuals"] = plots.histogram("residuals", bars["edges"], bars["counts"], told, axis)
    charts: dict[str, Any] = {name: Markup(drawn) for name, drawn in found.items()}
    charts["bar"] = lambda row, extent: Markup(plots.interval_bar(row, extent, _said(row, lang)))
    charts["extent"] = lambda rows: _extent([*rows, {"value": 0.0}])
    charts["extent_of"] = lambda models, metric: _extent([model["scores"].get(metric) for model in models])
    charts["series"] = plots.series_colour
    charts["ramp"] = plots.ramp_colour
    charts["dashed"] = lambda index: index // plots.SERIES % len(plots.DASHES)
    return charts


def _training_sentence(training: dict[str, Any], lang: str) -> str:
    epochs = number(training["epochs"], lang)
    if not training["best"]:
        return text("training.summary_short", lang, epochs=epochs)
    loss = number(training["best_loss"], lang)
    return text("training.summary", lang, epochs=epochs, best=number(training["best"], lang), loss=loss)


def _boxes(network: dict[str, Any], lang: str) -> list[list[dict[str, Any] | None]]:
    """The boxes of the network's picture: a row of inputs, the layers of each below it, those that join them, and how many
    are not drawn."""

    def layer_box(layer: dict[str, Any], role: str) -> dict[str, Any]:
        parts = [layer["type"], _shape(layer.get("output_shape"))]
        if layer.get("parameters"):
            parts.append(text("network.parameters_short", lang, count=number(layer["parameters"], lang)))
        sizes = [size for size in _one_row(layer.get("output_shape") or []) if size]
        return {
            "title": layer["name"],
            "small": " · ".join(parts),
            "size": math.prod(sizes) if sizes else None,
            "role": role,
        }

    inputs = []
    for one in network["inputs"]:
        key = "network.one_input" if one["features"] == 1 else "network.inputs"
        small = text(key, lang, count=number(one["features"], lang))
        inputs.append({"title": one["name"], "small": small, "size": one["features"], "role": "input"})
    picture = network["picture"]
    rows: list[list[dict[str, Any] | None]] = [[*inputs]] if inputs else []
    for lanes in zip_longest(*picture["lanes"]):
        rows.append([layer and layer_box(layer, "hidden") for layer in lanes])
    rows += [[layer_box(layer, "hidden")] for layer in picture["first"]]
    if picture["between"]:
        more = text("page.more", lang, count=number(picture["between"], lang))
        rows.append([{"title": more, "small": "", "size": None, "role": "more"}])
    rows += [[layer_box(layer, "hidden")] for layer in picture["last"]]
    if len(rows) > 1 and (last := rows[-1][0]):
        last["role"] = "output"
    return rows


def _extent(rows: Sequence[dict[str, Any] | None]) -> tuple[float, float]:
    """The ends of the axis on which the rows' values and intervals are drawn."""
    ends = [row[key] for row in rows if row for key in ("value", "low", "high") if row.get(key) is not None]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _said(row: dict[str, Any], lang: str) -> str:
    """A value and its interval for screen readers."""
    value = number(row.get("value"), lang)
    if row.get("low") is None or row.get("high") is None:
        return value
    return text("scores.between", lang, value=value, low=number(row["low"], lang), high=number(row["high"], lang))
