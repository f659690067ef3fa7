"""The vocabulary of all steps: a column, what it means, and the schema that holds the columns of a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from nervura.errors import SchemaError, did_you_mean

KINDS = ("number", "category", "boolean", "datetime", "text", "document", "image", "captions", "series")
"""What a column can mean: a quantity, one of a few names, yes or no, a moment, a short text of several words, a long text, a
picture, one or several texts that say what is in a picture, a series of values."""

ROLES = ("input", "target", "group", "time", "key", "known", "aside")
"""What a column is for. Of series in time keys name the series, and what is known is told beforehand. A column set aside is read by nothing; its ``reason`` says why."""


NAMES_PICTURES, NAMES_DOCUMENTS = "it names the pictures", "it names the documents"
NAMES_PARTS = "it says to which part of the split a row belongs"
"""Reasons to set a column aside that are no news to anybody."""


@dataclass
class Column:
    """One column of a table.

    ``parsing`` says how its strings become values (see ``parsing.parse``); None where the format is typed.
    ``encoding`` is learnt from the training rows alone (see ``encoding.learn``) and is None until then.
    """

    name: str
    kind: str
    role: str = "input"
    reason: str = ""
    dtype: str = ""
    parsing: dict[str, Any] | None = None
    missing: int = 0
    distinct: int = 0
    examples: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    encoding: dict[str, Any] | None = None


@dataclass
class Schema:
    """The columns of a table in their order, and the number of rows they were inferred from."""

    columns: list[Column]
    rows: int = 0

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise SchemaError(f"There is no column '{name}'. {did_you_mean(name, self.names)}")

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def inputs(self) -> list[Column]:
        """The columns a network sees, in the table's order."""
        return [column for column in self.columns if column.role == "input"]

    @property
    def aside(self) -> list[Column]:
        return [column for column in self.columns if column.role == "aside"]

    @property
    def target(self) -> Column:
        """The column to predict.

        Raises:
            SchemaError: the schema has none.
        """
        if self.labels is None:
            raise SchemaError("A target column is needed and none was named. Write --target COLUMN.")
        return self.labels

    @property
    def labels(self) -> Column | None:
        """The target, by which a problem that predicts nothing is at least judged; None where there is none."""
        return next((column for column in self.columns if column.role == "target"), None)

    @property
    def warnings(self) -> list[str]:
        """The warnings of all columns, each naming its column."""
        return [f"{column.name}: {text}" for column in self.columns for text in column.warnings]

    def to_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Schema:
        return cls([Column(**column) for column in data["columns"]], data["rows"])

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict per column for people: name, kind, role, missing, distinct, examples, remark."""
        return [
            {
                "column": column.name,
                "kind": column.kind,
                "role": column.role,
                "missing": f"{column.missing / self.rows:.1%}" if self.rows and column.missing else "",
                "distinct": column.distinct,
                "examples": ", ".join(column.examples[:3]),
                "remark": "; ".join([*([column.reason] if column.role == "aside" else []), *column.warnings]),
            }
            for column in self.columns
        ]

    def __str__(self) -> str:
        return text_table(self.to_rows())

    def _repr_html_(self) -> str:
        return html_table(self.to_rows())


def text_table(rows: list[dict[str, Any]], width: int = 44) -> str:
    """Rows of equal keys as aligned plain text; numbers to the right, long cells cut at ``width`` characters."""
    if not rows:
        return ""
    names = list(rows[0])
    cells = [[_cell(row[name], width) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    right = [all(isinstance(row[name], int | float | None) for row in rows) for name in names]

    def line(values: list[str]) -> str:
        return "  ".join(
            v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)
        ).rstrip()

    return "\n".join([line(names), line(["-" * w for w in widths]), *(line(values) for values in cells)])


def html_table(rows: list[dict[str, Any]]) -> str:
    """Rows of equal keys as an HTML table, escaped."""
    if not rows:
        return "<table></table>"
    head = "".join(f"<th scope='col'>{escape(str(name))}</th>" for name in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value, 200))}</td>" for value in row.values()) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any, width: int) -> str:
    if value is None:  # such as the ROC area of rows of one class
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"
