"""Parquet files, folders and patterns."""

import polars as pl
import pytest

from nervura.errors import SourceError
from nervura.sources import read

FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None]})


def test_a_file_is_scanned_lazily(tmp_path):
    FRAME.write_parquet(tmp_path / "rows.parquet")
    found = read(tmp_path / "rows.parquet")
    assert isinstance(found.frame, pl.LazyFrame) and not found.in_memory
    assert found.frame.collect().equals(FRAME)
    assert (found.name, found.reading["format"]) == ("rows", "parquet")


def test_folders_and_patterns(tmp_path):
    for part in range(3):
        (tmp_path / "sales" / f"year={part}").mkdir(parents=True)
        FRAME.write_parquet(tmp_path / "sales" / f"year={part}" / "part.parquet")
    (tmp_path / "sales" / "_SUCCESS").touch()
    whole = read(str(tmp_path / "sales"))
    assert whole.frame.collect().shape == (6, 3)
    assert (whole.name, whole.reading["files"]) == ("sales", 3)
    assert read(str(tmp_path / "sales" / "*" / "*.parquet")).frame.collect().height == 6


def test_mistakes(tmp_path):
    (tmp_path / "bad.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path / "bad.parquet")
    with pytest.raises(SourceError, match="Did you mean 'bad.parquet'"):
        read(tmp_path / "bed.parquet")
    with pytest.raises(SourceError, match="no file is like"):
        read(str(tmp_path / "x*.parquet"))
    with pytest.raises(SourceError, match="holds bad.parquet|cannot be read"):
        read(tmp_path)
