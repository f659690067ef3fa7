"""The page of a server for people: a form made from the run's columns, and the answer with what it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from typing import Any

import numpy as np

from nervura import __version__
from nervura.messages import number, percent, short_number, text
from nervura.serving_fields import BadRequest, Field, Fields

MOST_LEVELS = 100
"""More levels than this are typed in, with suggestions; fewer are chosen from a list."""

MOST_SUGGESTED, MOST_REASONS, MOST_CLASSES = 1000, 10, 20
SMALLEST = 5e-4
"""A reason that changes a probability, or a value in units of its size, by less than this is none."""


@dataclass
class Page:
    """What a page shows.

    Attributes:
        about: as ``Served.about`` gives it.
        values: the row that was answered, as ``Fields.read`` gives it.
        answer: as ``Served.as_json`` gives it.
        reasons: what each column brings to the answer.
        refused: why there is no answer.
        given: what was filled in, where there is no answer to it.
    """

    lang: str
    about: dict[str, Any]
    fields: Fields
    values: dict[str, np.ndarray] | None = None
    answer: dict[str, Any] | None = None
    reasons: list[tuple[str, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: BadRequest | None = None
    given: dict[str, str] = field(default_factory=dict)


def render(page: Page) -> str:
    """The page as HTML that needs nothing else."""
    template = _template()
    say, figure = partial(text, lang=page.lang), partial(number, lang=page.lang)
    return template.render(
        page=page,
        about=page.about,
        answer=page.answer,
        lang=page.lang,
        t=say,
        number=figure,
        percent=partial(percent, lang=page.lang),
        level=percent(page.about.get("level"), page.lang, places=0),
        controls=[_control(page, one) for one in page.fields],
        shares=_shares(page),
        reasons=_reasons(page),
        version=__version__,
        css=_file("style.css") + _file("serving.css"),
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_file("serving.html.j2"))


@cache
def _file(name: str) -> str:
    return (resources.files("nervura") / "report" / name).read_text(encoding="utf-8")


def _control(page: Page, one: Field) -> dict[str, Any]:
    """A field as an element of the form, with what stands in it."""
    kind = {"number": "number", "boolean": "choice", "datetime": "date", "category": "choice"}.get(one.kind, "file")
    options: list[tuple[str, str]] = []
    if one.kind == "datetime" and one.timed:
        kind = "datetime-local"
    if one.kind == "category":
        options = [(level, level) for level in one.levels]
        if len(options) > MOST_LEVELS:
            kind, options = "text", options[:MOST_SUGGESTED]
    if one.kind == "boolean":
        no, yes = one.words or (text("serve.no", page.lang), text("serve.yes", page.lang))
        options = [("true", yes), ("false", no)]
    value = _in_form(page, one)
    if kind == "choice" and value and value not in [option for option, _ in options]:
        options = [*options, (value, value)]
    usual = ""
    if one.usual is not None:
        low, high = (_shown(one, bound, page.lang) for bound in one.usual)
        usual = text("serve.usual", page.lang, low=low, high=high)
    wrong = (
        [mistake["message"] for mistake in page.refused.mistakes if mistake["column"] == one.name]
        if page.refused
        else []
    )
    hint = ", ".join(part for part in (one.unit, usual) if part)
    return {"name": one.name, "kind": kind, "options": options, "value": value, "hint": hint, "wrong": wrong}


def _in_form(page: Page, one: Field) -> str:
    """What stands in a field: what was filled in, or a typical value."""
    if page.given:
        return page.given.get(one.name, "")
    value = (
        one.as_json(one.typical if page.values is None else page.values[one.name][0]) if one.holds != "uint8" else None
    )
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _shown(one: Field, value: Any, lang: str) -> str:
    """A value for people."""
    told = one.as_json(value)
    if told is None:
        return text("serve.unknown", lang)
    if isinstance(told, bool):
        words = one.words or (text("serve.no", lang), text("serve.yes", lang))
        return words[told]
    return short_number(told, lang) if isinstance(told, float) else str(told)


def _shares(page: Page) -> list[dict[str, Any]]:
    """The likeliest classes first."""
    if page.answer is None or "probabilities" not in page.answer:
        return []
    within = set(page.answer.get("set", ()))
    shares = sorted(page.answer["probabilities"].items(), key=lambda one: -one[1])[:MOST_CLASSES]
    return [{"name": name, "share": share, "within": name in within} for name, share in shares]


def _reasons(page: Page) -> list[dict[str, Any]]:
    if page.answer is None or page.values is None:
        return []
    classes = "probabilities" in page.answer
    told = []
    size = max((abs(change) for _, change in page.reasons), default=0.0)
    for name, change in page.reasons[:MOST_REASONS]:
        if abs(change) < SMALLEST * (1.0 if classes else size) or not math.isfinite(change):
            continue
        one, value = page.fields[name], page.values[name][0]
        shown = number(100 * change if classes else change, page.lang)
        sign = "+" if change > 0 else ""
        points = text("serve.points", page.lang, points=sign + shown) if classes else sign + shown
        told.append(
            {
                "column": name,
                "value": _shown(one, value, page.lang),
                "typical": _shown(one, one.typical, page.lang),
                "change": points,
                "share": abs(change) / size,
                "for": change > 0,
            }
        )
    return told
