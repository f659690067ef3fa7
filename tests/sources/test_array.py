"""NumPy arrays."""

import numpy as np
import polars as pl
import pytest

from nervura.errors import SourceError
from nervura.sources import read


def test_arrays_pairs_and_dicts():
    features = np.array([[1.0, np.nan], [3.0, 4.0]])
    assert read(features).frame.collect().to_dict(as_series=False) == {"x0": [1.0, 3.0], "x1": [None, 4.0]}
    pair = read((features, ["a", "b"]))
    assert pair.target == "y" and pair.frame.collect()["y"].to_list() == ["a", "b"]
    named = read(
        {"n": np.arange(2), "s": np.array(["x", "y"]), "o": np.array([None, "z"], dtype=object), "l": [1, None]}
    )
    assert named.frame.collect().rows() == [(0, "x", None, 1), (1, "y", "z", None)]


def test_kinds_of_values():
    found = read(
        {
            "f": np.ones(2, np.float16),
            "t": np.array(["2024-01-01", "2024-01-02"], "datetime64[s]"),
            "b": np.ones(2, bool),
        }
    )
    schema = found.frame.collect_schema()
    assert schema["f"] == pl.Float64 and schema["t"].is_temporal() and schema["b"] == pl.Boolean
    mixed = read(np.array([[1, "a"], [2.5, 3]], dtype=object)).frame.collect()
    assert mixed["x0"].to_list() == [1.0, 2.5] and mixed["x1"].to_list() == ["a", "3"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.zeros((2, 2, 2, 5)), r"given was \(2, 2, 2, 5\)"),
        (np.zeros(3), "reshape"),
        (np.zeros((0, 2)), "rows"),
        ((np.zeros((2, 2)), np.zeros(3)), "same number of rows"),
        ({"a": np.zeros((2, 2))}, "A column is"),
    ],
)
def test_mistakes(source, words):
    with pytest.raises(SourceError, match=words):
        read(source)
