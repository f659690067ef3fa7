"""Python code as text, laid out as ruff would, and the templates of exported files."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

LINE = 120
"""The longest line of generated code."""


def call_lines(begin: str, arguments: list[str], end: str, indent: int) -> list[str]:
    """A call on one line; else its arguments on a line of their own; else one line for each."""
    whole = ", ".join(arguments)
    if len(begin + whole + end) <= LINE:
        return [begin + whole + end]
    inner = " " * (indent + 4)
    if len(inner + whole) <= LINE:
        return [begin, inner + whole, " " * indent + end]
    return [begin, *(f"{inner}{argument}," for argument in arguments), " " * indent + end]


def import_line(module: str, names: list[str]) -> str:
    """An import of some names, in brackets where it does not fit on a line."""
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= LINE else f"from {module} import (\n" + "".join(f"    {n},\n" for n in names) + ")"


def quoted(text: str) -> str:
    """A string as code, in double quotes."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f")


def assignment(name: str, value: Any) -> list[str]:
    """``name = value``, laid out over lines where it does not fit on one."""
    return _laid_out(f"{name} = ", value, "", 0)


def _laid_out(before: str, value: Any, after: str, indent: int) -> list[str]:
    line = f"{' ' * indent}{before}{inline(value)}{after}"
    if len(line) <= LINE or not isinstance(value, dict | list):
        return [line]
    lines = [f"{' ' * indent}{before}{'{' if isinstance(value, dict) else '['}"]
    if isinstance(value, dict):
        for key, item in value.items():
            lines += _laid_out(f"{inline(key)}: ", item, ",", indent + 4)
    else:
        for item in value:
            lines += _laid_out("", item, ",", indent + 4)
    return [*lines, f"{' ' * indent}{'}' if isinstance(value, dict) else ']'}{after}"]


def inline(value: Any) -> str:
    """A value as code on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{inline(k)}: {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(inline, value)) + ")"
    return quoted(value) if isinstance(value, str) else repr(value)


def raw(pattern: str) -> str:
    """A regular expression as a raw string, where it can be one."""
    return f'r"{pattern}"' if '"' not in pattern else quoted(pattern)


def collection_lines(begin: str, items: list[str], end: str, indent: int) -> list[str]:
    """A list or dict on one line, else one item to a line."""
    whole = begin + ", ".join(items) + end
    if len(whole) <= LINE:
        return [whole]
    return [begin, *(f"{' ' * (indent + 4)}{item}," for item in items), " " * indent + end]


def render(template: str, told: dict[str, Any]) -> str:
    """A file of exported code, from its template and what it is to hold."""
    return _templates().get_template(template).render(told)


@cache
def _templates() -> Any:
    """Each is compiled once in a process."""
    import jinja2

    # The templates hold code and Markdown: quotes must not become HTML.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
