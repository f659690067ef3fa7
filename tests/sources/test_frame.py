"""Data frames in memory."""

import polars as pl
import pytest

from nervura.errors import SourceError
from nervura.sources import read


def test_polars_frames_stay_lazy():
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert read(frame).in_memory and read(frame).frame.collect().equals(frame)
    assert not read(frame.lazy()).in_memory


def test_pandas_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({0: [1.0, None], "when": pandas.to_datetime(["2024-01-01", None]), "mixed": [1, "a"]})
    frame["kind"] = pandas.Categorical(["x", None])
    found = read(frame.rename_axis("row"))
    assert found.frame.collect_schema().names() == ["0", "when", "mixed", "kind"]
    assert found.frame.collect().null_count().row(0) == (1, 1, 0, 1)
    assert found.frame.collect()["mixed"].to_list() == ["1", "a"]
    assert len(found.notes) == 2
    twice = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    assert read(twice).frame.collect_schema().names() == ["a", "a_2"]
    levels = pandas.DataFrame([[1, 2]], columns=pandas.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    assert read(levels).frame.collect_schema().names() == ["a_x", "a_y"]


def test_arrow_tables():
    arrow = pytest.importorskip("pyarrow")
    assert read(arrow.table({"a": [1, 2]})).frame.collect()["a"].to_list() == [1, 2]


def test_mistakes():
    with pytest.raises(SourceError, match="has columns"):
        read(pl.DataFrame())
    with pytest.raises(SourceError, match="has rows"):
        read(pl.DataFrame({"a": []}))
