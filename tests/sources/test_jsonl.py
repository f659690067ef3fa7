"""JSON lines and lists of records."""

import json

import pytest

from nervura.errors import SourceError
from nervura.sources import read


def write(folder, content, name="rows.jsonl"):
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


def test_lines_with_keys_that_come_late(tmp_path):
    records = [{"a": number, "b": "x"} for number in range(500)] + [{"a": 1.5, "c": True}]
    found = read(write(tmp_path, "\n".join(map(json.dumps, records))))
    frame = found.frame.collect()
    assert not found.in_memory
    assert frame.columns == ["a", "b", "c"]
    assert frame.row(500) == (1.5, None, True)


def test_a_list_of_records_and_one_below_a_key(tmp_path):
    records = [{"a": 1, "b": "x"}, {"a": 2.5, "c": None}]
    found = read(write(tmp_path, json.dumps(records), "rows.json"))
    assert found.frame.collect().rows() == [(1.0, "x", None), (2.5, None, None)]
    below = read(write(tmp_path, json.dumps({"count": 2, "data": records}), "below.json"))
    assert below.frame.collect().height == 2 and "'data'" in below.notes[0]
    assert read(write(tmp_path, '{"a": 1}\n{"a": 2}\n', "lines.json")).frame.collect().height == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.jsonl", '{"a": 1}\n{"a": 2\n{"a": 3}\n', "line 2"),
        ("rows.json", '[{"a": 1}', "JSON is whole"),
        ("rows.json", "[1, 2]", "a list with a int"),
        ("rows.json", "[]", "has none"),
        ("rows.jsonl", "", "empty"),
    ],
)
def test_mistakes(tmp_path, name, content, words):
    with pytest.raises(SourceError, match=words):
        read(write(tmp_path, content, name))


def test_brackets_in_a_name_are_letters(tmp_path):
    assert read(write(tmp_path, '{"a": 1}\n', "part[1].jsonl")).frame.collect().rows() == [(1,)]
