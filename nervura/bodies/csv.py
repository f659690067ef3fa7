"""CSV: a header with the names of the columns, and a line for each row."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from nervura.bodies.base import Body, Given
from nervura.serving_fields import BadRequest, Fields

MOST_DESCRIBED = 100
SEPARATORS = (",", ";", "\t", "|")


class CsvBody(Body):
    """Values are read as those of the training table were: with its decimal mark, units, dates and words for yes and no."""

    name = "csv"
    summary = "CSV: a header and a line for each row, in UTF-8"
    media = ("text/csv",)

    def read(self, content: bytes, content_type: str, fields: Fields, most_rows: int) -> Given:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadRequest(400, fields.say("no_utf_8", place=error.start)) from None
        try:
            header, separator = _header(text, fields)
            lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if line][1:]
        except csv.Error as error:
            raise BadRequest(400, fields.say("no_csv", reason=str(error))) from None
        fields.check_names([(header, None)])
        fields.check_count(len(lines), most_rows)
        for number, line in enumerate(lines):
            if len(line) != len(header):
                raise BadRequest(400, fields.say("cells", row=number, cells=len(line), names=len(header)))
        columns = dict(zip(header, zip(*lines, strict=True), strict=True))
        return Given({name: list(columns[name]) for name in fields.names}, as_text=True)

    def example(self, fields: Fields) -> Any:
        file, row = io.StringIO(), fields.example()
        writer = csv.writer(file)
        writer.writerow(row)
        writer.writerow([fields[name].written(value) for name, value in row.items()])
        return file.getvalue()

    def schema(self, fields: Fields) -> dict[str, Any]:
        """A text is told by its pattern; tables of very many columns have none that anybody would read."""
        told = {
            "type": "string",
            "description": "Also with another separator, other columns beside these, quotes, empty cells",
        }
        if len(fields.names) > MOST_DESCRIBED:
            return told
        header = ",".join(_literal(name) for name in fields.names)
        row = ",".join(field.pattern for field in fields)
        return {**told, "pattern": f"^{header}\\n({row}\\n){{1,3}}$"}


def _literal(name: str) -> str:
    """A name as a cell of CSV, as a regular expression."""
    if any(mark in name for mark in ',"\r\n'):
        name = '"' + name.replace('"', '""') + '"'
    return re.sub(r"([\\^$.|?*+()\[\]{}/])", r"\\\1", name)


def _header(text: str, fields: Fields) -> tuple[list[str], str]:
    """The names of the columns, and the separator by which they are those that are needed."""
    best: tuple[list[str], str] = [], ","
    for separator in SEPARATORS:
        first = next((line for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if line), [])
        header = [name.strip() for name in first]
        if fields.names <= set(header):
            return header, separator
        if len(header) > len(best[0]):
            best = header, separator
    return best
