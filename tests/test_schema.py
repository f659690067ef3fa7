"""The vocabulary of all steps: columns and their roles, as objects, as JSON and as tables for people."""

import json

import pytest

from nervura.errors import SchemaError
from nervura.schema import Column, Schema, html_table, text_table

SCHEMA = Schema(
    [
        Column("id", "category", "aside", reason="it names the rows"),
        Column(
            "length", "number", missing=5, distinct=90, examples=["1.5", "2", "3", "4"], warnings=["2 are infinite"]
        ),
        Column("colour", "category", encoding={"levels": ["red", "green"]}),
        Column("y", "boolean", "target", parsing={"as": "boolean", "true": ["yes"], "false": ["no"]}),
    ],
    rows=100,
)


def test_columns_by_name_and_role() -> None:
    assert SCHEMA["length"].kind == "number"
    assert [column.name for column in SCHEMA.inputs] == ["length", "colour"]
    assert [column.name for column in SCHEMA.aside] == ["id"]
    assert SCHEMA.target.name == "y"
    assert SCHEMA.warnings == ["length: 2 are infinite"]


def test_a_mistyped_column_gets_the_close_name() -> None:
    with pytest.raises(SchemaError, match="no column 'lenght'. Did you mean 'length'"):
        SCHEMA["lenght"]


def test_a_schema_without_a_target_says_what_to_write() -> None:
    with pytest.raises(SchemaError, match="--target COLUMN"):
        _ = Schema(SCHEMA.inputs).target


def test_json_and_back_is_the_same_schema() -> None:
    assert Schema.from_json(json.loads(json.dumps(SCHEMA.to_json()))) == SCHEMA


def test_people_see_shares_examples_and_remarks() -> None:
    rows = {row["column"]: row for row in SCHEMA.to_rows()}
    assert rows["length"]["missing"] == "5.0%" and rows["colour"]["missing"] == ""
    assert rows["length"]["examples"] == "1.5, 2, 3"
    assert rows["id"]["remark"] == "it names the rows" and rows["length"]["remark"] == "2 are infinite"
    assert all(name in str(SCHEMA) for name in SCHEMA.names)


def test_text_tables_align_numbers_to_the_right_and_cut_long_cells() -> None:
    rows = [{"name": "a\nb", "count": 7}, {"name": "x" * 60, "count": 1_234_567}]
    lines = text_table(rows, width=10).splitlines()
    assert lines == [
        "name            count",
        "----------  ---------",
        "a b                 7",
        "xxxxxxxxx…  1,234,567",
    ]
    assert text_table([]) == ""


def test_what_is_not_known_is_an_empty_cell_and_keeps_numbers_to_the_right() -> None:
    lines = text_table([{"name": "a", "n": None}, {"name": "b", "n": 12_345}]).splitlines()
    assert lines[2:] == ["a", "b     12,345"]


def test_html_tables_execute_nothing() -> None:
    made = html_table([{"<b>": "<script>alert(1)</script>"}])
    assert "<script>" not in made and "<b>" not in made
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in made
    assert html_table([]) == "<table></table>"
