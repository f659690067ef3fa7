"""Columns as numbers, flags and codes: finite and of the declared shapes whatever the table holds."""

import datetime
import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura import encoding
from nervura.encoding import FIRST_LEVEL, LIMIT, MISSING, UNLISTED, encode, learn, origins, tensors
from nervura.schema import Column, Schema

WORDS = st.text(max_size=12) | st.sampled_from(["", " ", "é", "é", "漢字 かな", "\0", "1.0", "NaN", "-inf", "a b c"])
DTYPES: dict[str, tuple[str, pl.DataType, st.SearchStrategy[Any]]] = {
    "number": ("number", pl.Float64(), st.floats(allow_nan=True, allow_infinity=True)),
    "whole": ("number", pl.Int64(), st.integers(-(2**63), 2**63 - 1)),
    "small": ("number", pl.Float32(), st.floats(width=32)),
    "flag": ("boolean", pl.Boolean(), st.booleans()),
    "zero one": ("boolean", pl.Int8(), st.integers(0, 1)),
    "name": ("category", pl.String(), WORDS),
    "code": ("category", pl.Float64(), st.floats()),
    "moment": ("datetime", pl.Datetime("us"), st.datetimes()),
    "day": ("datetime", pl.Date(), st.dates()),
    "text": ("text", pl.String(), st.text(max_size=60)),
}


@st.composite
def tables(draw: st.DrawFn, rows: int = 30) -> tuple[Schema, pl.DataFrame, pl.DataFrame]:
    """A schema of odd columns, rows to learn it from, and other rows of the same types."""
    chosen = draw(st.lists(st.sampled_from(sorted(DTYPES)), min_size=1, max_size=4))
    seen, unseen = {}, {}
    columns = []
    heights = draw(st.integers(1, rows)), draw(st.integers(0, rows))
    for i, key in enumerate(chosen):
        kind, dtype, values = DTYPES[key]
        name = f"{key} {i}"
        for data, height in zip((seen, unseen), heights, strict=True):
            cells = draw(st.lists(st.none() | values, min_size=height, max_size=height))
            data[name] = pl.Series(name, cells, dtype=dtype)
        columns.append(Column(name, kind, dtype=str(dtype)))
    return Schema(columns), pl.DataFrame(seen), pl.DataFrame(unseen)


@settings(max_examples=120, deadline=None)
@given(tables())
def test_any_table_becomes_finite_arrays_of_the_declared_form(
    made: tuple[Schema, pl.DataFrame, pl.DataFrame],
) -> None:
    schema, seen, unseen = made
    learn(schema, seen)
    told = Schema.from_json(json.loads(json.dumps(schema.to_json(), allow_nan=False)))
    declared = {tensor.name: tensor for tensor in tensors(schema)}
    assert set(origins(schema)) == set(declared)
    assert sum(tensor.attributes for tensor in declared.values()) == len(schema.inputs)
    for frame in (seen, unseen):
        arrays, again = encode(schema, frame), encode(told, frame)
        assert set(arrays) == set(declared)
        for name, tensor in declared.items():
            array = arrays[name]
            assert array.shape == (frame.height, tensor.width) and array.dtype == tensor.dtype
            assert array.flags.c_contiguous and np.isfinite(array).all()
            np.testing.assert_array_equal(array, again[name])
            if name == "categories":
                assert (array >= 0).all() and (array < np.array(tensor.sizes)).all()
            else:
                assert (np.abs(array) <= LIMIT).all()


def learnt(kind: str, values: Any, **more: Any) -> tuple[Schema, pl.DataFrame]:
    frame = pl.DataFrame({"x": values})
    schema = Schema([Column("x", kind, dtype=str(frame["x"].dtype), **more)])
    learn(schema, frame)
    return schema, frame


def test_numbers_are_in_units_of_their_own_spread_around_their_median() -> None:
    values = np.random.default_rng(0).normal(1e12, 3.0, 4_001)
    schema, frame = learnt("number", values)
    numbers = encode(schema, frame)["numbers"][:, 0]
    assert np.median(numbers) == 0
    assert numbers.std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("values", [[7.0] * 20, [7.0] * 19 + [1e308], [0.0] * 15 + [1.0] * 5, [None, 3.0]])
def test_a_column_without_a_spread_still_has_a_unit(values: list[float | None]) -> None:
    schema, frame = learnt("number", values)
    unit = (schema["x"].encoding or {})["unit"]
    assert unit > 0 and math.isfinite(unit)
    assert np.isfinite(encode(schema, frame)["numbers"]).all()


def test_missing_and_infinite_numbers_lie_at_the_median_and_raise_a_flag() -> None:
    schema, frame = learnt("number", [1.0, 2.0, 3.0, None, math.inf, math.nan])
    arrays = encode(schema, frame)
    np.testing.assert_array_equal(arrays["numbers"][3:], 0)
    np.testing.assert_array_equal(arrays["flags"][:, 0], [0, 0, 0, 1, 1, 1])
    assert "flags" not in encode(*learnt("number", [1.0, 2.0, 3.0])), "what is never missing needs no flag"


def test_codes_of_levels() -> None:
    schema, _ = learnt("category", ["red", "green", "red", "blue", "red", "green"])
    asked = pl.DataFrame({"x": ["red", "green", "blue", "violet", None, " red ", ""]})
    codes = encode(schema, asked)["categories"][:, 0]
    assert codes.tolist() == [
        FIRST_LEVEL,
        FIRST_LEVEL + 1,
        FIRST_LEVEL + 2,
        UNLISTED,
        MISSING,
        FIRST_LEVEL,
        MISSING,
    ]
    assert (UNLISTED, MISSING) == (0, 1)


def test_of_many_levels_those_seen_once_teach_what_an_unseen_one_is_worth() -> None:
    schema, frame = learnt("category", [f"often {i % 20}" for i in range(100)] + ["once", "also once"])
    codes = encode(schema, frame)["categories"][:, 0]
    assert (codes[:100] >= FIRST_LEVEL).all() and (codes[100:] == UNLISTED).all()


@pytest.mark.parametrize("asked", [[1, 2, 3, 9], [1.0, 2.0, 3.0, 9.0], ["1", "2", "3", "9"]])
def test_a_level_is_the_same_whatever_the_file_format(asked: list[Any]) -> None:
    schema, _ = learnt("category", [1, 2, 2, 3, 3, 3])
    frame = pl.DataFrame({"x": asked})
    codes = encode(encoding.adapted(schema, frame), frame)["categories"][:, 0]
    assert codes.tolist() == [FIRST_LEVEL + 2, FIRST_LEVEL + 1, FIRST_LEVEL, UNLISTED]


def test_numbers_that_come_as_strings_are_read_as_numbers() -> None:
    schema, frame = learnt("number", [1.5, 2.5, 3.5, 10.0])
    strings = frame.select(pl.col("x").cast(pl.String))
    np.testing.assert_array_equal(
        encode(encoding.adapted(schema, strings), strings)["numbers"], encode(schema, frame)["numbers"]
    )


def test_strings_that_come_typed_need_no_parsing() -> None:
    parsing = {"as": "number", "decimal": ",", "thousands": ""}
    schema, frame = learnt("number", ["1,5", "2,5", "4,0"], parsing=parsing)
    typed = pl.DataFrame({"x": [1.5, 2.5, 4.0]})
    np.testing.assert_array_equal(
        encode(encoding.adapted(schema, typed), typed)["numbers"], encode(schema, frame)["numbers"]
    )


def test_flags_are_one_zero_or_between_where_missing() -> None:
    schema, frame = learnt("boolean", [True, False, None])
    np.testing.assert_array_equal(encode(schema, frame)["flags"], [[1, 0], [0, 0], [0.5, 1]])


def test_the_circles_of_the_calendar() -> None:
    start = datetime.datetime(2023, 1, 2)  # a Monday
    hours = [start + datetime.timedelta(hours=6 * i) for i in range(4 * 400)]
    schema, frame = learnt("datetime", hours)
    labels = next(tensor for tensor in tensors(schema) if tensor.name == "numbers").features
    assert [label.partition(" › ")[2] for label in labels] == [
        "elapsed",
        *(f"{circle}, {half}" for circle in encoding.PERIODS for half in ("sine", "cosine")),
    ]
    arrays = dict(zip(labels, encode(schema, frame)["numbers"].T, strict=True))
    assert np.all(np.diff(arrays["x › elapsed"]) > 0)
    np.testing.assert_allclose(arrays["x › time of day, sine"][:4], [0, 1, 0, -1], atol=1e-5)
    np.testing.assert_allclose(arrays["x › day of week, cosine"][[0, 28, 56]], 1, atol=1e-5)
    days, _ = learnt("datetime", [start + datetime.timedelta(days=i) for i in range(5)])
    assert tensors(days)[0].width == 1, "five midnights turn no circle"


def test_a_text_is_its_length_and_its_frequent_words() -> None:
    texts = ["the leaf is Green", "a leaf of red", None, "GREEN and blue"] * 10
    schema, frame = learnt("text", texts)
    labels = {tensor.name: tensor.features for tensor in tensors(schema)}
    assert labels["numbers"] == ("x › length",)
    assert {"x › leaf", "x › green", "x › missing"} <= set(labels["flags"])
    assert "x › a" not in labels["flags"], "one letter is no word"
    flags = dict(zip(labels["flags"], encode(schema, frame)["flags"].T, strict=True))
    assert flags["x › green"][:4].tolist() == [1, 0, 0, 1]
    assert flags["x › missing"][:4].tolist() == [0, 0, 1, 0]
