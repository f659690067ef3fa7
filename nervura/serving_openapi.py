"""The description of a server in the form of OpenAPI, made from the run's columns: kinds, levels, units, made examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nervura import __version__
from nervura.bodies.base import Body
from nervura.serving_fields import LARGEST, Field, Fields

MOST_LEVELS = 20
NULL = {"type": "null"}
OF_ANSWERS = {"$ref": "#/components/schemas/Answers"}
OF_PROBLEMS = {"$ref": "#/components/schemas/Problem"}


def described(about: dict[str, Any], fields: Fields, bodies: Sequence[Body]) -> dict[str, Any]:
    """The description.

    Args:
        about: as ``Served.about`` gives it.
        bodies: the forms that rows may come in.
    """
    contents = {}
    for body in bodies:
        for media in body.media:
            example = body.example(fields)
            contents[media] = {"schema": body.schema(fields)} | ({} if example is None else {"example": example})
    answers = {"application/json": {"schema": OF_ANSWERS}, "text/csv": {"schema": {"type": "string"}}}
    predict = {
        "operationId": "predict",
        "summary": f"Predicts {about['target']} for each row",
        "requestBody": {"required": True, "content": contents},
        "responses": {
            "200": {"description": "One answer for each row, in their order", "content": answers},
            **_problems(),
        },
    }
    page = {"200": {"description": "A page for people", "content": {"text/html": {"schema": {"type": "string"}}}}}
    text = {"text/plain": {"schema": {"type": "string"}}}
    schemas = {"Answers": _answers(about), "Problem": _problem()}
    if not fields.of_pictures:
        schemas["Row"] = _row(fields)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": about["run"],
            "summary": f"Predicts {about['target']}",
            "description": f"The model '{about['model']}' of a run of nervura, for the problem {about['problem']}.",
            "version": __version__,
        },
        "paths": {
            "/predict": {"post": predict},
            "/": {
                "get": {"operationId": "page", "summary": "A form for one row", "responses": {**page, **_problems()}}
            },
            "/health": _get("health", "Whether the process lives"),
            "/ready": _get("ready", "Whether the model answers"),
            "/schema": _get("schema", "The columns, and what is predicted"),
            "/drift": _get("drift", "How far rows have moved away from those of training"),
            "/metrics": _get("metrics", "Figures for Prometheus", text),
            "/openapi.json": _get("openapi", "This description"),
        },
        "components": {"schemas": schemas},
    }


def _get(name: str, summary: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    content = content or {"application/json": {"schema": {"type": "object"}}}
    good = {"200": {"description": summary, "content": content}}
    return {"get": {"operationId": name, "summary": summary, "responses": {**good, **_problems()}}}


def _problems() -> dict[str, Any]:
    """Whatever goes wrong has one form."""
    content = {"application/problem+json": {"schema": OF_PROBLEMS}}
    return {"default": {"description": "What is wrong, and where", "content": content}}


def _problem() -> dict[str, Any]:
    error = {
        "type": "object",
        "required": ["column", "message"],
        "properties": {
            "row": {"type": "integer", "minimum": 0, "description": "Counted from 0"},
            "column": {"type": "string"},
            "message": {"type": "string"},
        },
    }
    return {
        "description": "The form of RFC 9457",
        "type": "object",
        "required": ["title", "status", "detail"],
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": error},
        },
    }


def _answers(about: dict[str, Any]) -> dict[str, Any]:
    classes, level = about.get("classes"), about.get("level")
    value: dict[str, Any] = {"type": "string", "enum": classes} if classes else {"type": "number"}
    properties: dict[str, Any] = {"prediction": value}
    if about.get("unit"):
        properties["prediction"] = {**value, "description": f"In {about['unit']}"}
    if "abstain_above" in about:
        properties["prediction"] = {"anyOf": [properties["prediction"], NULL]}
        properties["abstained"] = {"type": "boolean", "description": "Whether no answer is given, as it is too unsure"}
    if classes:
        shares = {"type": "number", "minimum": 0, "maximum": 1}
        properties["probabilities"] = {
            "type": "object", "required": classes, "properties": dict.fromkeys(classes, shares),
        }  # fmt: skip
    if level is not None and classes:
        told = f"In {level:.0%} of new rows the truth is among these"
        properties["set"] = {"type": "array", "items": value, "description": told}
    if level is not None and not classes:
        for bound in ("low", "high"):
            told = f"A bound of the interval that holds the truth of {level:.0%} of new rows"
            properties[bound] = {"type": "number", "description": told}
    answer = {"type": "object", "required": list(properties), "properties": properties}
    notes = {"type": "array", "items": {"type": "string"}, "description": "What is odd about the rows, in words"}
    return {
        "type": "object",
        "required": ["answers", "notes"],
        "properties": {"answers": {"type": "array", "items": answer}, "notes": notes},
    }


def _row(fields: Fields) -> dict[str, Any]:
    passed_over = {name: {"description": "Not read"} for name in sorted(fields.passed_over)}
    return {
        "type": "object",
        "required": [field.name for field in fields],
        "properties": {**{field.name: _column(field) for field in fields}, **passed_over},
        "additionalProperties": False,
        "examples": [fields.example()],
    }


def _column(field: Field) -> dict[str, Any]:
    example = field.as_json(field.typical)
    told: dict[str, Any] = {} if example is None else {"examples": [example]}
    notes = [f"In {field.unit}"] if field.unit else []
    if field.usual is not None:
        low, high = (field.as_json(bound) for bound in field.usual)
        notes.append(f"Usually {low} to {high}")
    kinds: list[dict[str, Any]]
    if field.kind == "number":
        kinds = [{"type": "number", "minimum": -LARGEST, "maximum": LARGEST}]
    elif field.kind == "datetime":
        kinds = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    elif field.kind == "boolean":
        kinds = [{"type": "boolean"}]
        kinds += [{"enum": list(field.words)}] if field.words else []
        kinds += [{"enum": [0, 1]}] if field.counts else []
    else:
        kinds = [{"type": ["string", "number"] if field.numbered else "string"}]
        shown = ", ".join(f"'{level}'" for level in field.levels[:MOST_LEVELS])
        more = f" and {len(field.levels) - MOST_LEVELS:,} more, see /schema" if field.levels[MOST_LEVELS:] else ""
        notes.append(f"Known are {shown}{more}; others are read as any other level")
    described = {"description": ". ".join(notes)} if notes else {}
    return {"anyOf": [*kinds, NULL], **described, **told}
