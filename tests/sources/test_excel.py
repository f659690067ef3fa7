"""Excel sheets."""

import polars as pl
import pytest

from nervura.errors import MissingDependency, SourceError
from nervura.sources import read

pytest.importorskip("fastexcel")
xlsxwriter = pytest.importorskip("xlsxwriter")


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        first = workbook.add_worksheet("People")
        for place, row in enumerate([["name", "", "age"], [" Ana ", "NA", 31], ["Rui", "x", 40.5]]):
            first.write_row(place, 0, row)
        workbook.add_worksheet("Towns").write_column(0, 0, ["town", "Porto"])
        workbook.add_worksheet("Empty")
    return path


def test_the_first_sheet_and_a_named_one(book):
    found = read(book)
    assert found.frame.collect().rows() == [("Ana", None, 31.0), ("Rui", "x", 40.5)]
    assert found.frame.collect_schema()["age"] == pl.Float64
    assert found.frame.collect_schema().names() == ["name", "column_2", "age"]
    assert any("'Towns'" in note for note in found.notes)
    assert read(book, table="Towns").frame.collect()["town"].item() == "Porto"
    assert read(f"{book}::Towns").name == "book-Towns"


def test_mistakes(book, tmp_path):
    with pytest.raises(SourceError, match="no sheet 'Town'. Did you mean 'Towns'"):
        read(book, table="Town")
    with pytest.raises(SourceError, match="the sheet 'Empty'"):
        read(book, table="Empty")
    (tmp_path / "bad.xlsx").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="not"):
        read(tmp_path / "bad.xlsx")


def test_the_reader_is_optional(book, monkeypatch):
    monkeypatch.setattr("nervura.sources.excel.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"nervura\[excel\]"):
        read(book)
