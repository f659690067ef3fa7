"""The reading of a table, of pictures or of series, its encoding and the target's coding, as the Python that does the same."""

from __future__ import annotations

import json
import re
from typing import Any

from nervura import texts, words
from nervura.code_text import assignment, call_lines, collection_lines, inline, quoted, raw, render
from nervura.encoding import (
    LIMIT,
    TERMS,
    TOKENS,
    WORDS,
    channels,
    document_columns,
    image_column,
    series_column,
    text_encoding,
)
from nervura.parsing import MISSING_WORDS, number_pattern
from nervura.schema import Column, Schema

LONG = 40
"""More entries than this stand in ``columns.json`` instead of ``data.py``."""

PERIODS = {"time of day": "DAY", "day of week": "7 * DAY", "day of year": "365.2425 * DAY"}


def _about(subject: str, one: str, where: str, like: str = "") -> dict[str, str]:
    return {"subject": subject, "one": one, "where": where, "like": like}


ABOUT = {
    "table": _about("a table", "row of a table", "a CSV or Parquet file"),
    "texts": _about("texts", "text", "a folder of texts, or a CSV or Parquet file"),
    "pictures": _about("pictures", "picture", "a folder of pictures, or a CSV or Parquet file"),
    "series": _about("series", "series", "a CSV, Parquet or .npz file"),
}
"""What a network is trained on, what it predicts one of, where these are read from, and how that is like the first file."""


class DataCode:
    """Stage one of the encoding, the target's coding and the reading of the table, as code.

    Attributes:
        about: as of ``ABOUT``, and how files are like the first one.
        text: whether the first table was a file of strings, whose meaning was found out.
        columns: what ``columns.json`` holds; empty when all of it is short.
        sizes: the number of codes of each category.
    """

    def __init__(self, schema: Schema, problem: dict[str, Any], source: dict[str, Any], tensors: list[str]):
        self.schema, self.tensors = schema, tensors
        self.problem, coding = problem["name"], problem["coding"]
        self.predicts: bool = problem.get("needs_target", True)
        self.odd: list[str] = coding.get("odd", [])
        self.labels: list[str] = self.odd or coding.get("labels", [])
        self.classes: list[str] | None = coding.get("classes")
        self.coding = coding
        self.temperature = coding.get("temperature", 1.0) if self.classes else 1.0
        self.rule: dict[str, Any] = coding.get("rule") or {}
        self.median = coding.get("metric") == "mae"
        self.bound: float | None = (coding.get("conformal") or {}).get("bound")
        self.reading = source.get("reading") or {}
        self.text: bool = self.reading.get("format") == "csv" or any(c.parsing is not None for c in schema.inputs)
        self.helpers: set[str] = set()
        self.patterns: list[str] = []
        self.columns: dict[str, Any] = {}
        self.numbers = {c.name: _spread(c) for c in schema.inputs if "origin" in (c.encoding or {})}
        self.levels = {c.name: c.encoding["levels"] for c in schema.inputs if c.kind == "category" and c.encoding}
        self.words = {c.name: c.encoding["words"] for c in schema.inputs if c.kind == "text" and c.encoding}
        self.sizes = [len(levels) + 2 for levels in self.levels.values()] if "categories" in tensors else []
        self.documents = document_columns(schema)
        self.of_folder = self.reading.get("format") == "documents"
        like = {"like": " (written as the first one was)"} if self.text else {}
        self.about = ABOUT["texts" if self.of_folder else "table"] | like

    def source(self) -> str:
        """The text of ``data.py``."""
        typed = self._typed()
        tensors = self._tensors()
        target, target_words = self._target() if self.target is not None else ("", "")
        constants = self._constants()
        reading = self._reading()
        imports = ["from pathlib import Path"] if self.columns else []
        imports = [
            *(["import csv"] if reading.get("irregular") else []),
            *(["import itertools"] if reading.get("repeated_names") else []),
            *(["import json"] if self.columns else []),
            *(["import math"] if "circle" in self.helpers else []),
            *(["from pathlib import Path"] if self.of_folder else imports),
        ]
        helpers = self._document_imports()
        text = render(
            "data.py.j2",
            {
                "imports": [
                    *imports,
                    *([""] if imports else []),
                    "import numpy as np",
                    "import polars as pl",
                    *([""] if helpers else []),
                    *helpers,
                ],
                "constants": constants,
                "reading": reading,
                "folder": self.of_folder,
                "stacks": bool(set(self.tensors) - set(DOCUMENT_CODE)),
                "target_name": quoted(self.target.name) if self.target is not None else "",
                "helpers": self.helpers,
                "typed": typed,
                "tensors": tensors,
                "target": target,
                "target_words": target_words,
                "classes": self.classes,
                "tempered": self.temperature != 1.0,
                "bounded": self.bound is not None,
                "ruled": next(iter(self.rule), ""),
                "problem": self.problem,
                "predicts": self.predicts,
                "odd": self.odd,
                "labels": self.labels,
            },
        )
        return text.rstrip() + "\n"

    @property
    def target(self) -> Column | None:
        """The column of answers, or of the labels that rows are judged by; None where no code reads it."""
        return self.schema.target if self.predicts or self.labels else None

    # --- Columns as values of their kind ---

    def _value(self, column: Column) -> tuple[str, list[str]]:
        """The helper that reads a column, and its arguments beside the name."""
        parsing = column.parsing
        if parsing is None:
            if column.kind == "number":
                return ("seconds_long" if column.dtype.startswith("Duration") else "number"), []
            if column.kind == "boolean":
                return ("", [""]) if column.dtype == "Boolean" else ("", [".cast(pl.Float64, strict=False) > 0"])
            if column.kind == "datetime":
                return "", ['.cast(pl.Datetime("us"), strict=False)']
            return ("numbered_name" if column.dtype.startswith("Float") else "name"), []
        if parsing["as"] == "boolean":
            words = dict.fromkeys(parsing["true"], True) | dict.fromkeys(parsing["false"], False)
            return "yes_no", [inline(words)]
        if parsing["as"] == "datetime":
            return "moment", [quoted(parsing["format"])]
        decimal, thousands, unit = parsing["decimal"], parsing["thousands"], parsing.get("unit") or ""
        if decimal == "." and not thousands and not unit:
            return "number", []
        marks = r"[ \u00a0\u202f\u2009]" if thousands == " " else re.escape(thousands)
        pattern = number_pattern(decimal, thousands).replace("\u00a0", r"\u00a0")
        if pattern not in self.patterns:
            self.patterns.append(pattern)
        arguments = [self._pattern_name(pattern), raw(marks), quoted(decimal)]
        return "marked_number", [*arguments, *([quoted(unit)] if unit else [])]

    def _pattern_name(self, pattern: str) -> str:
        place = self.patterns.index(pattern)
        return f"NUMBER_{place + 1}" if place else "NUMBER"

    def _expression(self, column: Column) -> str:
        helper, arguments = self._value(column)
        if not helper:
            return f"pl.col({quoted(column.name)}){arguments[0]}"
        self.helpers.add(helper)
        return f"{helper}({', '.join([quoted(column.name), *arguments])})"

    def _typed(self) -> str:
        """All columns; those that are read alike and stand in one list of constants are taken from it."""
        expressions, seen = [], set()
        for column in self.schema.inputs:
            helper, arguments = self._value(column)
            group = self._list_of(column)
            members = [c for c in self.schema.inputs if self._list_of(c) == group]
            if group and helper and len(members) > 1 and all(self._value(c) == (helper, arguments) for c in members):
                if group not in seen:
                    seen.add(group)
                    self.helpers.add(helper)
                    expressions.append(f"*({helper}({', '.join(['column', *arguments])}) for column in {group})")
            else:
                expressions.append(self._expression(column))
        if len(expressions) == 1 and expressions[0].startswith("*("):
            expressions = [expressions[0][2:-1]]
        return "\n".join(call_lines("    return rows.select(", expressions, ")", 4))

    def _list_of(self, column: Column) -> str:
        kinds = {"number": "NUMBERS", "category": "LEVELS"}
        # The list of numbers holds the lengths of texts and the moments too; it serves where it holds numbers alone.
        if column.kind == "number" and any(self.schema[name].kind != "number" for name in self.numbers):
            return ""
        return kinds.get(column.kind, "")

    # --- Tensors ---

    def _tensors(self) -> str:
        made = {"numbers": self._number_lines, "flags": self._flag_lines, "categories": self._category_lines}
        lines: list[str] = []
        stacked = []
        for name in self.tensors:
            if name in DOCUMENT_CODE:
                call = DOCUMENT_CODE[name]
                each = [f"{call}(values[{quoted(column.name)}])" for column in self.documents]
                whole = each[0] if len(each) == 1 else f"np.hstack([{', '.join(each)}])"
                stacked.append(f"{quoted(name)}: {whole}")
                continue
            lines += made[name]()
            kind = "int32" if name == "categories" else "float32"
            stacked.append(f"{quoted(name)}: stack(values, {name}, np.{kind})")
        lines += collection_lines("    return {", stacked, "}", 4)
        return "\n".join(lines)

    def _number_lines(self) -> list[str]:
        self.helpers.add("scaled")
        if all(self.schema[name].kind == "number" for name in self.numbers):
            return ["    numbers = [scaled(pl.col(column), *spread) for column, spread in NUMBERS.items()]"]
        items = []
        for column in self.schema.inputs:
            name = quoted(column.name)
            if column.kind == "number":
                items.append(f"scaled(pl.col({name}), *NUMBERS[{name}])")
            elif column.kind == "text":
                items.append(f"scaled(pl.col({name}).str.len_chars().cast(pl.Float64), *NUMBERS[{name}])")
            elif column.kind == "datetime":
                self.helpers.add("seconds")
                items.append(f"scaled(seconds({name}), *NUMBERS[{name}])")
                for period in (column.encoding or {})["periods"]:
                    self.helpers.add("circle")
                    items.append(f"*circle({name}, {PERIODS[period]})")
        return collection_lines("    numbers = [", items, "]", 4)

    def _flag_lines(self) -> list[str]:
        items = []
        for column in self.schema.inputs:
            name = quoted(column.name)
            if column.kind == "boolean":
                items.append(f"pl.col({name}).cast(pl.Float64).fill_null(0.5)")
            if self.words.get(column.name):
                self.helpers.add("words_in")
                items.append(f"*words_in({name})")
            if (column.encoding or {}).get("indicator"):
                self.helpers.add("missing")
                items.append(f"missing({name})")
        return collection_lines("    flags = [", items, "]", 4)

    def _category_lines(self) -> list[str]:
        self.helpers.add("code")
        return ["    categories = [code(column) for column in LEVELS]"]

    # --- Documents ---

    def _document_imports(self) -> list[str]:
        calls = {name: call for name, call in DOCUMENT_CODE.items() if name in self.tensors}
        of_texts = sorted(call for name, call in calls.items() if name != WORDS)
        return [
            *([f"from documents import {calls[WORDS]}"] if WORDS in calls else []),
            *([f"from texts import {', '.join(of_texts)}"] if of_texts else []),
        ]

    def document_files(self) -> dict[str, str]:
        """The modules that take documents apart, and what they know of them; none of a table without documents."""
        files = {}
        if WORDS in self.tensors:
            topics = self.problem == "topics"
            known = {column.name: _known_words(column.encoding or {}, topics) for column in self.documents}
            stemmed = any(one["stemmer"] for one in known.values())
            files["documents.py"] = render("documents.py.j2", {"stemmed": stemmed})
            files["documents.json"] = as_json(known)
        if {TOKENS, TERMS} & set(self.tensors):
            told = text_encoding(self.schema) or {}
            asked = {"tokens": TOKENS in self.tensors, "terms": TERMS in self.tensors}
            sizes = {name: told[name] for name in ("length", "most")}
            constants = {"scripts": texts.WITHOUT_SPACES, "unlisted": texts.UNLISTED}
            files["texts.py"] = render("texts.py.j2", {**asked, **sizes, **constants})
            known = {"vocabulary": told["vocabulary"]} if asked["tokens"] else {}
            if asked["terms"]:
                known["terms"] = dict(zip(told["terms"], told["rare"], strict=True))
            files["texts.json"] = as_json(known)
        return files

    # --- Constants and target ---

    def _constants(self) -> list[str]:
        lines = coding_lines(self)
        entries = {
            "NUMBERS": (self.numbers if "numbers" in self.tensors else {}, "dict[str, tuple[float, float]]"),
            "LEVELS": (self.levels if self.levels else {}, "dict[str, list[str]]"),
            "WORDS": (self.words if "words_in" in self.helpers else {}, "dict[str, list[str]]"),
        }
        remarks = {
            "NUMBERS": "# Median and spread of each number among the training rows.",
            "LEVELS": "# The names that each category may have, the most frequent first.",
            "WORDS": "# The words looked for in each text.",
        }
        long = {name: _entries(value) > LONG for name, (value, _) in entries.items()}
        self.columns = {name.lower(): value for name, (value, _) in entries.items() if value and long[name]}
        if self.columns:
            lines += ['COLUMNS = json.loads(Path(__file__).with_name("columns.json").read_text(encoding="utf-8"))']
        for name, (value, kind) in entries.items():
            if not value:
                continue
            lines.append(remarks[name])
            if long[name]:
                lines.append(f'{name}: {kind} = COLUMNS["{name.lower()}"]')
            else:
                annotated = f"{name}: {kind}" if any(not item for item in value.values()) else name
                lines += assignment(annotated, value)
        if self.sizes:
            lines += ["# How many codes each category has: one for each name, one for other names, one for missing."]
            lines.append("SIZES = [len(names) + 2 for names in LEVELS.values()]")
        if "circle" in self.helpers:
            lines += ["# In seconds; 1970 began on a Thursday.", "DAY = 86_400.0", "MONDAY = 4 * DAY"]
        if self.patterns:
            lines.append("# A number as it is written in the table.")
            lines += [f"{self._pattern_name(pattern)} = {raw(pattern)}" for pattern in self.patterns]
        lines += self._reading_constants()
        return lines

    def _target(self) -> tuple[str, str]:
        target = self.schema.target
        expression = self._expression(target)
        if self.labels:
            return expression, target.kind
        if self.classes is None:
            return expression, ""
        if target.kind == "boolean":
            return expression, "boolean"
        whole = all(re.fullmatch(r"-?\d+", name) for name in self.classes)
        return expression, "whole" if target.kind == "number" and whole else "words"

    # --- The table ---

    def _reading_constants(self) -> list[str]:
        if self.of_folder:
            labels = self.target is not None
            return [
                "# The column of texts, and how the files of a folder end that are read.",
                f"DOCUMENT = {quoted(self.documents[0].name)}",
                'ENDINGS = (".txt", ".text", ".md", ".markdown", ".rst", ".tex")',
                *(["# Folders of these names are the split, and no labels.", f"PARTS = {PARTS}"] if labels else []),
            ]
        if not self.text:
            strings = self._string_columns()
            return (
                ["# Columns of names, which may be written in digits.", *assignment("TEXTS", strings)]
                if strings
                else []
            )
        lines = ["# Words that mean a missing value."]
        lines += assignment("MISSING_WORDS", self.reading.get("null_words") or list(MISSING_WORDS))
        special = self._special_words()
        if special:
            lines += ["# Columns in which other words do.", *assignment("MISSING_WORDS_OF", special)]
        return lines

    def _special_words(self) -> dict[str, list[str]]:
        words = self.reading.get("null_words") or list(MISSING_WORDS)
        more, kept = self.reading.get("null_words_in") or {}, self.reading.get("null_words_kept") or {}
        used = [c.name for c in self._read_columns() if c.name in more or c.name in kept]
        return {name: [w for w in (*words, *more.get(name, ())) if w not in kept.get(name, ())] for name in used}

    def _string_columns(self) -> list[str]:
        return [c.name for c in self._read_columns() if c.dtype in ("String", "Categorical", "Enum")]

    def _read_columns(self) -> list[Column]:
        return [*self.schema.inputs, *([self.target] if self.target is not None else [])]

    def _repeated_names(self) -> bool:
        """Whether a column may have been renamed because another is called alike, as ``unique_names`` does it."""
        names = {column.name for column in self.schema.columns}
        return any(re.sub(r"_\d+$", "", name) in names - {name} for name in names)

    def _reading(self) -> dict[str, Any]:
        reading = self.reading
        if self.of_folder:
            return {"text": False}
        if not self.text:
            return {"text": False, "strings": bool(self._string_columns())}
        separator = quoted(reading.get("separator") or ",")
        quote = reading.get("quote", '"')
        header = reading.get("has_header", True)
        options = ["has_header=False", "infer_schema=False"]
        if separator != '","':
            options.append(f"separator={separator}")
        if quote != '"':
            options.append(f"quote_char={quoted(quote) if quote else None}")
        if reading.get("skip_lines"):
            options.append(f"skip_lines={reading['skip_lines']}")
        encoding = reading.get("encoding") or "utf-8"
        if encoding != "utf-8":
            options.append(f"encoding={quoted(encoding)}")
        dialect = [f"delimiter={separator}"]
        if quote is None:
            dialect.append("quoting=csv.QUOTE_NONE")
        elif quote != '"':
            dialect.append(f"quotechar={quoted(quote)}")
        # Polars decompresses by itself; what is irregular and compressed is left to it too.
        irregular = reading.get("regular") is False and not reading.get("compression")
        return {
            "text": True,
            "options": ", ".join(options),
            "irregular": irregular,
            "encoding": quoted("utf-8-sig" if encoding == "utf-8" else encoding),
            "dialect": ", ".join([*dialect, *(["skipinitialspace=True"] if quote is not None else [])]),
            "skip_lines": reading.get("skip_lines") or 0,
            "has_header": header,
            "repeated_names": header and self._repeated_names(),
            "special": bool(self._special_words()),
        }


class PictureCode:
    """The reading of pictures and the target's coding, as code; like ``DataCode`` for tables."""

    about = ABOUT["pictures"]

    def document_files(self) -> dict[str, str]:
        return {}

    def __init__(self, schema: Schema, problem: dict[str, Any], source: dict[str, Any], tensors: list[str]):
        self.schema, self.problem, self.coding = schema, problem["name"], problem["coding"]
        self.reading = source.get("reading") or {}
        self.predicts: bool = problem.get("needs_target", True)
        self.odd: list[str] = self.coding.get("odd", [])
        self.labels: list[str] = self.odd or self.coding.get("labels", [])
        self.classes: list[str] | None = self.coding.get("classes")
        self.temperature = self.coding.get("temperature", 1.0) if self.classes else 1.0
        self.bound: float | None = (self.coding.get("conformal") or {}).get("bound")
        self.rule: dict[str, Any] = self.coding.get("rule") or {}
        self.median = self.coding.get("metric") == "mae"
        self.sizes: list[int] = []
        self.captions: bool = self.problem == "captioning"
        self.columns: dict[str, Any] = {"words": self.coding["words"]} if self.captions else {}

    def source(self) -> str:
        """The text of ``data.py``."""
        column = image_column(self.schema)
        assert column is not None and column.encoding is not None
        form = {name: column.encoding[name] for name in ("height", "width", "channels", "ceiling")}
        told = {
            **form,
            "captions": self.coding["captions"] if self.captions else 0,
            "length": self.coding["length"] if self.captions else 0,
            "picture": quoted(column.name),
            "column": quoted(self.reading.get("pictures") or column.name),
            "target": quoted(self.schema.target.name) if self.predicts or self.labels else "",
            "predicts": self.predicts,
            "odd": self.odd,
            "labels": self.labels,
            "constants": coding_lines(self),
            "classes": self.classes,
            "tempered": self.temperature != 1.0,
            "bounded": self.bound is not None,
            "ruled": next(iter(self.rule), ""),
            "problem": self.problem,
        }
        return render("pictures.py.j2", told).rstrip() + "\n"


class SeriesCode(PictureCode):
    """The reading of series and the target's coding, as code."""

    about = ABOUT["series"]

    def __init__(self, schema: Schema, problem: dict[str, Any], source: dict[str, Any], tensors: list[str]):
        super().__init__(schema, problem, source, tensors)
        column = series_column(schema)
        assert column is not None and column.encoding is not None
        self.encoding, self.channels = column.encoding, channels(column)
        if sum(map(len, self.channels)) > LONG:
            self.columns = {"channels": self.channels}

    def source(self) -> str:
        target = self.schema.target
        whole = all(re.fullmatch(r"-?\d+", name) for name in self.classes or ())
        told = {
            **{name: self.encoding[name] for name in ("length", "mean_of", "origin", "unit")},
            "limit": LIMIT,
            "columns": self.columns,
            "channels": assignment("CHANNELS", self.channels),
            "target": quoted(target.name),
            "constants": coding_lines(self),
            "classes": self.classes,
            "numbered": target.kind == "number" and whole,
            "tempered": self.temperature != 1.0,
            "bounded": self.bound is not None,
            "ruled": next(iter(self.rule), ""),
            "problem": self.problem,
        }
        return render("series.py.j2", told)


PARTS = '("train", "training", "validation", "valid", "val", "dev", "test", "testing")'
DOCUMENT_CODE = {WORDS: "stem_counts", TOKENS: "in_order", TERMS: "weighted"}
"""The functions of exported code that make the tensors of documents."""


def _known_words(encoding: dict[str, Any], shown: bool) -> dict[str, Any]:
    """What exported code knows of a column of documents.

    Args:
        shown: whether the words that stand for stems where people read are told too.
    """
    languages = encoding["languages"]
    empty = sorted(frozenset[str]().union(*(words.empty_words(language) for language in languages)))
    return {
        "stemmer": words.STEMMERS[languages[0]] if languages else "",
        "empty_words": empty,
        "stems": encoding["stems"],
    } | ({"words": encoding["words"]} if shown else {})


def as_json(value: Any) -> str:
    """A file of JSON for people to read too."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def coding_lines(code: DataCode | PictureCode) -> list[str]:
    """The constants of the target's coding, or of the labels that anomalies are told by."""
    lines = []
    if code.problem == "captioning":
        return []
    if not code.predicts:
        return ["# The labels that mean an anomaly.", *assignment("ODD", code.odd)] if code.odd else []
    if code.classes is not None:
        lines += ["# The answers, in the order of the network's outputs.", *assignment("CLASSES", code.classes)]
    else:
        lines += ["# The target's mean and deviation among the training rows."]
        lines += [f"MEAN = {code.coding['mean']!r}", f"DEVIATION = {code.coding['deviation']!r}"]
    if code.temperature != 1.0:
        lines += [
            "# Divides the logits, so that probabilities mean what they say.",
            f"TEMPERATURE = {code.temperature!r}",
        ]
    if "threshold" in code.rule:
        lines += [
            f"# The second class is named where its probability is above this: best for {code.coding['metric']}.",
            f"THRESHOLD = {code.rule['threshold']!r}",
        ]
    elif code.rule:
        lines += ["# The class is named whose probability times its weight is largest; in the order of CLASSES,"]
        lines += [f"# and best for {code.coding['metric']}.", *assignment("CLASS_WEIGHTS", code.rule["weights"])]
    if code.bound is not None:
        level = code.coding["conformal"]["level"]
        what = "one minus the truth's probability" if code.classes else "the distance from the truth"
        lines += [f"# In {level:.0%} of rows {what} stays within this.", f"BOUND = {code.bound!r}"]
    return lines


def _spread(column: Column) -> tuple[float, float]:
    encoding = column.encoding or {}
    return (encoding["origin"], encoding["unit"])


def _entries(value: dict[str, Any]) -> int:
    return sum(len(item) if isinstance(item, list) else 1 for item in value.values())
