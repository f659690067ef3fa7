"""Series as numbers: gaps, ends, units, and what plain models see of them."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura import series
from nervura.dataset import Dataset
from nervura.errors import SchemaError

CELLS = st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=0, max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=8), st.lists(CELLS, min_size=0, max_size=5))
def test_any_lists_become_series_with_nothing_missing_but_beyond_their_ends(
    seen: list[list[float | None]], unseen: list[list[float | None]]
) -> None:
    def values(rows: list[list[float | None]]) -> np.ndarray:
        frame = pl.DataFrame({"s": pl.Series(rows, dtype=pl.List(pl.Float64))})
        return series.gathered(frame, [["s"]])

    form = json.loads(json.dumps(series.measure(values(seen)), allow_nan=False))
    for rows in (seen, unseen):
        given_values = values(rows)
        made = series.encoded(given_values, form)
        assert made.shape == (len(rows), form["length"], 1) and made.dtype == np.float32
        known = ~np.isnan(made[..., 0])
        assert not np.isinf(made).any()
        lengths = series.lengths_of(given_values[:, : form["length"]])
        assert np.array_equal(known, np.arange(form["length"]) < lengths[:, None])
        plain = series.small(made)
        assert np.isfinite(plain).all() and plain.shape[1] == len(series.small_names(made.shape[1:]))


def test_gaps_lie_on_the_line_between_their_neighbours() -> None:
    values = np.array([1.0, np.nan, np.nan, 4.0, 6.0, np.nan])[None, :, None]
    form = {"length": 6, "channels": 1, "mean_of": 1, "origin": [0.0], "unit": [1.0]}
    assert series.encoded(values, form)[0, :5, 0].tolist() == [1, 2, 3, 4, 6]
    assert np.isnan(series.encoded(values, form)[0, 5, 0])
    halved = series.encoded(values, {**form, "length": 3, "mean_of": 2})
    assert halved[0, :, 0].tolist() == [1.5, 3.5, 6]


def waves(rows: int = 60, length: int = 30) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    y = np.arange(rows) % 2
    return np.sin((1 + y[:, None]) * np.arange(length) / 4 + draw.uniform(0, 6, (rows, 1))), y


def test_neighbours_that_are_alike_make_columns_of_an_array_a_series() -> None:
    x, y = waves()
    assert series.are_moments(x)
    assert not series.are_moments(x[:, np.random.default_rng(1).permutation(x.shape[1])])
    schema = Dataset.open((x, y)).schema
    assert [(column.name, column.kind) for column in schema.inputs] == [("series", "series")]
    named = Dataset.open((x, y), kinds={"x*": "number"}).schema
    assert {column.kind for column in named.inputs} == {"number"}


def test_columns_of_a_table_are_channels_by_their_names() -> None:
    x, y = waves()
    left = pl.DataFrame(x, schema=[f"left_{i}" for i in range(30)])
    right = pl.DataFrame(-x[:, :20], schema=[f"right_{i}" for i in range(20)])
    table = pl.concat([left, right, pl.DataFrame({"y": y})], how="horizontal")
    dataset = Dataset.open(table, "y", kinds={"left_*": "series", "right_*": "series"})
    rows = dataset.arrays("train")[0]["series"]
    assert rows.shape[1:] == (30, 2)
    assert np.isnan(rows).sum() == 0, "a channel that ends early stands still"
    with pytest.raises(SchemaError, match="must mean columns of the table"):
        Dataset.open(table, "y", kinds={"middle_*": "series"})
    with pytest.raises(SchemaError, match="moments of a series are numbers"):
        Dataset.open(table.with_columns(left_3=pl.lit("red")), "y", kinds={"left_*": "series"})


def test_lists_in_a_table_are_series_of_their_own_lengths() -> None:
    x, y = waves()
    table = pl.DataFrame({"id": range(60), "pulse": [row[: 10 + i % 20].tolist() for i, row in enumerate(x)], "y": y})
    dataset = Dataset.open(table, "y")
    assert [column.kind for column in dataset.schema.inputs] == ["series"]
    lengths = (~np.isnan(dataset.arrays("train")[0]["series"])).sum(1).ravel()
    assert lengths.min() >= 10 and lengths.max() <= 29 and len(set(lengths)) > 5
