"""Series in time as windows: what is read, what is cut, and what comes back."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura.dataset import Dataset
from nervura.errors import SchemaError
from nervura.splitting import TEST, TRAIN, VALIDATION
from nervura.windows import Gathered, Windows, find_form, read_panel

FORM = {"time": "t", "target": "y", "keys": ["k"], "wide": [], "known": []}


@settings(max_examples=40, deadline=None)
@given(
    gaps=st.lists(st.sets(st.integers(1, 38), max_size=15), min_size=1, max_size=3),
    seed=st.integers(0, 99),
    first=st.integers(-50, 50),
)
def test_every_value_stands_at_its_step_in_whatever_order_rows_come(
    gaps: list[set[int]], seed: int, first: int
) -> None:
    draw = np.random.default_rng(seed)
    rows = [
        {"k": f"s{number}", "t": first + place, "y": float(draw.normal())}
        for number, missing in enumerate(gaps)
        for place in range(40)
        if place not in missing
    ]
    frame = pl.DataFrame(rows)
    panel = read_panel(frame.sample(fraction=1.0, shuffle=True, seed=seed), FORM, None, 3)
    assert (panel.ends == 40).all() and panel.given.sum() == frame.height
    for row in rows:
        series = panel.names["k"].to_list().index(row["k"])
        at = panel.starts[series] + row["t"] - first
        assert panel.given[at] and panel.values[at] == row["y"]
    # A gap lies on the line between its neighbours.
    for series in range(len(panel)):
        line, known = panel.history(series), panel.given[panel.starts[series] :][:40]
        assert line == pytest.approx(np.interp(np.arange(40), np.flatnonzero(known), line[known]))


def daily(days: int = 120) -> pl.DataFrame:
    moments = pl.date_range(pl.date(2022, 1, 1), pl.date(2022, 1, 1) + pl.duration(days=days - 1), "1d", eager=True)
    values = 100 + np.cumsum(np.random.default_rng(0).normal(size=(2, days)), axis=1)
    parts = [pl.DataFrame({"t": moments, "k": key, "y": line}) for key, line in zip("ab", values, strict=True)]
    return pl.concat(parts)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset.open(daily(), "y", problem="forecasting", options={"window": 14, "horizon": 5})


def test_nothing_that_is_learnt_lies_in_what_judges(dataset: Dataset) -> None:
    ends = {part: dataset.windows.moments()[dataset.split.parts == part] for part in (TRAIN, VALIDATION, TEST)}
    assert ends[TRAIN].max() + 5 <= ends[VALIDATION].min()
    assert ends[VALIDATION].max() + 5 <= ends[TEST].min()
    assert ends[TEST].max() + 5 == dataset.windows.panel.firsts[0] + 120
    # One origin after the other, for both series.
    assert len(ends[TEST]) == 2 * len(np.unique(ends[TEST])) == 2 * (24 - 5 + 1)


@pytest.mark.parametrize("transform", ["none", "log"])
def test_what_is_learnt_leads_back_to_the_truth(dataset: Dataset, transform: str) -> None:
    asked = replace(dataset.windows, encoding={**dataset.windows.encoding, "transform": transform})
    assert asked.values_of(asked.targets()) == pytest.approx(asked.truth(), rel=1e-4)
    past, inputs = asked.past(), asked.inputs()
    level, unit = asked.levels(past)
    assert inputs[:, :14, 0] * unit + level == pytest.approx(past, rel=1e-4)
    assert not inputs[:, 14:, 0].any()  # what is to come is not told


def test_a_larger_or_higher_series_is_told_alike(dataset: Dataset) -> None:
    larger = Dataset.open(
        daily().with_columns(pl.col("y") * 1000),
        "y",
        problem="forecasting",
        options={"window": 14, "horizon": 5, "transform": "none"},
    )
    plain = replace(dataset.windows, encoding={**dataset.windows.encoding, "transform": "none"})
    assert larger.windows.inputs()[:, :14, 0] == pytest.approx(plain.inputs()[:, :14, 0], abs=1e-4)


def test_windows_that_are_cut_when_asked_for_are_the_same(dataset: Dataset) -> None:
    whole = dataset.windows.inputs()
    cut = Gathered(dataset.windows, Windows.inputs)
    assert cut.shape == whole.shape and cut.nbytes == whole.nbytes
    for rows in (slice(3, 9), slice(None, None, 7), np.array([5, 1, 1])):
        assert np.array_equal(cut[rows], whole[rows])
    assert np.array_equal(np.asarray(cut), whole)


def test_wide_tables_hold_a_series_in_each_column() -> None:
    wide = daily().pivot("k", index="t", values="y")
    data = Dataset.open(wide, problem="forecasting", options={"window": 14, "horizon": 5})
    assert data.windows.panel.names["series"].to_list() == ["a", "b"]
    assert len(data.windows) == 2 * (120 - 14 - 5 + 1)


def test_parts_that_the_table_tells_are_kept() -> None:
    parts = ["train"] * 80 + ["validation"] * 20 + ["test"] * 20
    frame = daily().with_columns(split=pl.Series(2 * parts))
    data = Dataset.open(frame, "y", problem="forecasting", options={"window": 14, "horizon": 5})
    counts = data.split.counts()
    assert (counts["train"], counts["validation"], counts["test"]) == (2 * (80 - 18), 2 * 16, 2 * 16)


def test_later_rows_of_their_own_judge() -> None:
    frame = daily()
    last = frame["t"].max() - timedelta(days=29)
    early, late = frame.filter(pl.col("t") < last), frame.filter(pl.col("t") >= last)
    data = Dataset.open(early, "y", problem="forecasting", test=late, options={"window": 14, "horizon": 5})
    assert data.rows("test") == 2 * (30 - 5 + 1)


def test_columns_are_found_out_and_told() -> None:
    form, notes = find_form(daily(), "y", None, [], [])
    assert form == {**FORM, "keys": ["k"]} and any("named by 'k'" in note for note in notes)
    with pytest.raises(SchemaError, match="there are 't', 'u'"):
        find_form(daily().with_columns(u=pl.col("t")), "y", None, [], [])
    with pytest.raises(SchemaError, match="named for two"):
        find_form(daily(), "y", "t", ["y"], [])


def test_what_has_no_meaning_for_series_is_told() -> None:
    with pytest.raises(SchemaError, match="keys=COLUMN"):
        Dataset.open(daily(), "y", problem="forecasting", group="k")
