"""JSON lines (one record a line), read lazily, and JSON files that hold one list of records."""

from __future__ import annotations

import glob
import json
from pathlib import Path
from typing import Any

from nervura.errors import SourceError
from nervura.sources.base import Source, Table, existing_file, has_ending, short_name

_LINES = (".jsonl", ".ndjson")
_LIST = (".json",)


class JsonLinesSource(Source):
    """Records with the same keys; a key that a record lacks is missing there."""

    name = "jsonl"
    summary = "JSON: FILE.jsonl or .ndjson (a record a line), FILE.json (a list of records)"

    def matches(self, source: Any) -> bool:
        return has_ending(source, _LINES + _LIST)

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        path = existing_file(source)
        in_lines = has_ending(path, _LINES) or _is_lines(path)
        notes: tuple[str, ...] = ()
        try:
            if in_lines:
                # The keys and types of all records, not of the first hundred, so that no later one is a surprise.
                frame = pl.scan_ndjson(glob.escape(str(path)), infer_schema_length=None)
                empty = frame.select(pl.len()).collect().item() == 0
            else:
                rows, notes = _records(path)
                frame = pl.DataFrame(rows, infer_schema_length=None, strict=False).lazy()
                empty = not rows
            names = frame.collect_schema().names()
        except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
            raise SourceError(_what_is_wrong(path, error)) from error
        if empty or not names:
            raise SourceError(f"A table has records with keys; '{path}' has none.")
        reading = {"format": "jsonl" if in_lines else "json"}
        return Table(frame, short_name(path), str(path), reading, notes, in_memory=not in_lines)


def _is_lines(path: Path) -> bool:
    """A .json file may hold JSON lines all the same: it begins with a record that ends on its line."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first, second = file.readline(), file.readline()
    if not first.lstrip().startswith("{") or not second.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _records(path: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The records of a list, or of the one list that an object holds beside other things."""
    try:
        held = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise SourceError(
            f"JSON is whole and in UTF-8; '{path}' is not: {error}. Mend or save the file again."
        ) from error
    notes: tuple[str, ...] = ()
    if isinstance(held, dict):
        lists = [key for key, value in held.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
        if len(lists) == 1:
            notes = (f"The records are the list under '{lists[0]}'.",)
            held = held[lists[0]]
    if not isinstance(held, list) or not all(isinstance(record, dict) for record in held):
        raise SourceError(
            f"A JSON table is a list of records, [{{...}}, {{...}}]; '{path}' holds {_shape(held)}. "
            "Write a list of objects, or one object a line in a .jsonl file."
        )
    return held, notes


def _shape(held: Any) -> str:
    if isinstance(held, list):
        other = next(record for record in held if not isinstance(record, dict))
        return f"a list with a {type(other).__name__} in it"
    return "an object" if isinstance(held, dict) else f"a {type(held).__name__}"


def _what_is_wrong(path: Path, error: Exception) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            try:
                if not line.strip() or isinstance(json.loads(line), dict):
                    continue
                reason = "it is no object in braces"
            except ValueError as wrong:
                reason = str(wrong)
            return f"Each line is one whole JSON object; line {number} of '{path}' is not: {reason}. Mend that line."
    first_line = str(error).strip().split("\n")[0].rstrip(".")
    return f"All records have the same keys with the same types; '{path}' cannot be read as one table: {first_line}."
