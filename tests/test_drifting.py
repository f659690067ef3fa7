"""Histograms keep no rows, and tell rows that have moved from those that have not."""

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nervura import drifting
from nervura.drifting import Counts, Histogram, stability
from nervura.problems.binary import Binary
from nervura.schema import Column, Schema

SCHEMA = Schema(
    [
        Column("length", "number", encoding={"origin": 0.0, "unit": 1.0}),
        Column("ripe", "boolean", dtype="Boolean"),
        Column("colour", "category", encoding={"levels": ["red", "green"]}),
        Column("y", "boolean", role="target"),
    ]
)


def frame(rows: int, seed: int = 0, moved: float = 0.0) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    length = [None if draw.random() < 0.1 else value for value in draw.normal(moved, 1, rows).tolist()]
    return pl.DataFrame(
        {"length": length, "ripe": draw.random(rows) < 0.97, "colour": draw.choice(["red", "green", "blue"], rows)}
    )


def counted(rows: pl.DataFrame) -> dict[str, np.ndarray]:
    return {
        "length": rows["length"].fill_null(math.nan).to_numpy(),
        "ripe": rows["ripe"].cast(pl.Float64).to_numpy(),
        "colour": rows["colour"].to_numpy().astype(object),
    }


def told_of(rows: pl.DataFrame) -> dict[str, object]:
    shares = np.random.default_rng(1).dirichlet([2, 2], 80)
    told = drifting.histograms(SCHEMA, rows, Binary({"classes": ["no", "yes"]}), shares)
    return json.loads(json.dumps(told))


def test_histograms_count_every_row_and_hold_no_value_of_one() -> None:
    rows = frame(500)
    told = told_of(rows)
    for one in told["columns"].values():  # type: ignore[attr-defined]
        assert sum(one["counts"]) == 500
    length = told["columns"]["length"]  # type: ignore[index]
    assert length["counts"][-1] == rows["length"].null_count() and len(length["edges"]) == 9
    assert not set(length["edges"]) & set(rows["length"].drop_nulls())
    # What nearly all rows share has a bin of its own.
    ripe = told["columns"]["ripe"]  # type: ignore[index]
    assert max(ripe["counts"]) == rows["ripe"].sum()
    colour = told["columns"]["colour"]  # type: ignore[index]
    assert dict(zip(colour["levels"], colour["counts"], strict=False)) == dict(
        rows["colour"].value_counts().iter_rows()
    )


def test_counts_are_those_of_the_histograms() -> None:
    rows = frame(500)
    told = told_of(rows)
    counts = Counts(told)  # type: ignore[arg-type]
    answers = {"prediction": np.array(["yes"] * 500, dtype=object), "probability": np.full(500, 0.7)}
    places = counts.places(counted(rows), answers)
    found = np.bincount(places, minlength=counts.size)
    # One row after the other gives the same.
    each = [
        counts.places(*({n: v[i : i + 1] for n, v in part.items()} for part in (counted(rows), answers)))
        for i in range(60)
    ]
    some = counts.places(*({n: v[:60] for n, v in part.items()} for part in (counted(rows), answers)))
    assert sorted(place for one in each for place in one) == sorted(some)
    for name, one in told["columns"].items():  # type: ignore[attr-defined]
        start = counts.starts["inputs", name]
        assert found[start : start + len(one["counts"])].tolist() == one["counts"]
    sheet = counts.sheet(found)
    assert {one["psi"] for one in sheet["inputs"]} == {0.0}
    assert [one["status"] for one in sheet["answers"]] == ["drifted", "drifted"]


@given(
    edges=st.lists(st.floats(-1e6, 1e6), max_size=9, unique=True).map(sorted),
    values=st.lists(st.floats(allow_nan=True), min_size=1, max_size=20),
)
def test_every_number_has_one_bin(edges: list[float], values: list[float]) -> None:
    histogram = Histogram.of({"edges": edges})
    bins = histogram.bins(np.array(values))
    for value, place in zip(values, bins.tolist(), strict=True):
        expected = histogram.size - 1 if math.isnan(value) else sum(value > edge for edge in edges)
        assert place == expected


def test_the_index_is_that_of_the_textbook() -> None:
    expected, observed = np.array([100_000, 300_000, 600_000]), np.array([200_000, 300_000, 500_000])
    by_hand = (0.2 - 0.1) * math.log(2) + (0.5 - 0.6) * math.log(5 / 6)
    assert stability(expected, observed)["psi"] == pytest.approx(by_hand, abs=1e-4)
    assert stability(expected, expected)["status"] == "stable"
    assert stability(expected, np.zeros(3))["status"] == "no rows"


def test_rows_that_have_not_moved_are_above_chance_once_in_a_hundred_times() -> None:
    draw, shares = np.random.default_rng(0), np.full(10, 0.1)
    above = [
        one["psi"] > one["chance"]
        for one in (stability(draw.multinomial(400, shares), draw.multinomial(100, shares)) for _ in range(2000))
    ]
    assert 0.003 < np.mean(above) < 0.02


def test_rows_that_have_moved_are_told() -> None:
    counts = Counts(told_of(frame(2000)))  # type: ignore[arg-type]
    moved = counted(frame(2000, seed=1, moved=1.0))
    answers = {"prediction": np.array(["yes"] * 2000, dtype=object), "probability": np.full(2000, 0.7)}
    sheet = counts.sheet(np.bincount(counts.places(moved, answers), minlength=counts.size))
    assert [one["column"] for one in sheet["inputs"]][0] == "length"
    assert {one["column"]: one["status"] for one in sheet["inputs"]} == {
        **{"length": "drifted", "colour": "stable", "ripe": "stable"}
    }
