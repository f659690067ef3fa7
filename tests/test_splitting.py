"""Which rows are learnt from and which judge."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura.errors import ProblemError
from nervura.schema import Column, Schema
from nervura.splitting import LEFT_OUT, TEST, TRAIN, VALIDATION, draw_split


def make(y, x=None, **columns):
    """A frame and its schema with the target ``y``, one input ``x`` and columns for group and time."""
    kind = "category" if isinstance(next(v for v in y if v is not None), str) else "number"
    data = {"x": np.arange(len(y)) * 1.0 if x is None else x, **columns, "y": y}
    frame = pl.DataFrame(data)
    schema = Schema([Column("x", "number", dtype="Float64"), Column("y", kind, "target", dtype=str(frame["y"].dtype))])
    for name in columns:
        dtype = frame[name].dtype
        column_kind = "datetime" if dtype.is_temporal() else "number" if dtype.is_numeric() else "category"
        schema.columns.append(
            Column(name, column_kind, name if name in ("group", "time") else "input", dtype=str(dtype))
        )
    return frame, schema


@settings(max_examples=80, deadline=None)
@given(st.integers(10, 400), st.integers(0, 2**32), st.integers(2, 8), st.booleans())
def test_the_shares_are_kept_and_every_row_has_one_part(rows, seed, classes, stratified):
    y = np.sort(np.random.default_rng(seed).integers(0, classes, rows))
    frame, schema = make(y)
    split = draw_split(frame, schema, stratified, seed)
    counts = split.counts()
    assert sum(counts.values()) == rows == len(split.parts)
    assert split.parts.dtype == np.int8
    slack = 1 + (classes if stratified else 0)
    assert abs(counts["test"] - 0.2 * rows) <= slack
    assert abs(counts["validation"] - 0.16 * rows) <= slack
    again = draw_split(frame.lazy(), schema, stratified, seed)
    assert (again.parts == split.parts).all()


def test_another_seed_is_another_draw():
    frame, schema = make(np.arange(100) % 2)
    first, second = (draw_split(frame, schema, True, seed).parts for seed in (0, 1))
    assert (first != second).any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=15), st.integers(0, 1000))
def test_every_class_is_learnt_and_keeps_its_share(sizes, seed):
    y = np.repeat([f"class {i}" for i in range(len(sizes))], sizes)
    if len(y) < 10 or sum(size - 1 for size in sizes) < 4:
        return
    frame, schema = make(y)
    split = draw_split(frame, schema, True, seed)
    for number, size in enumerate(sizes):
        parts = split.parts[y == f"class {number}"]
        assert (parts == TRAIN).any()
        assert abs((parts == TEST).sum() - 0.2 * size) <= 1
    single = sizes.count(1)
    assert any("one row alone" in note for note in split.notes) == (single > 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 40), st.integers(0, 1000), st.booleans())
def test_groups_are_kept_whole(groups, seed, stratified):
    draw = np.random.default_rng(seed)
    group = np.concatenate([np.arange(groups), draw.integers(0, groups, 200)])
    frame, schema = make(draw.integers(0, 3, len(group)), group=[f"g{number}" for number in group])
    split = draw_split(frame, schema, stratified, seed, group="group")
    for number in range(groups):
        assert len(set(split.parts[group == number])) == 1
    assert set(split.parts) == {TRAIN, VALIDATION, TEST}


def test_a_class_that_lives_in_one_group_is_learnt():
    group = np.repeat(np.arange(20), 10)
    y = np.where(group == 7, 2, np.arange(200) % 2)
    for seed in range(20):
        split = draw_split(*make(y, group=group), True, seed, group="group")
        assert (split.parts[group == 7] == TRAIN).all()


def test_rows_without_a_group_are_each_for_themselves():
    group = [1] * 50 + [2] * 50 + [None] * 100
    split = draw_split(*make(np.arange(200) % 2, group=group), True, 0, group="group")
    assert set(split.parts[100:]) == {TRAIN, VALIDATION, TEST}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=10, max_size=200), st.booleans())
def test_training_comes_before_validation_before_test(time, own_test):
    distinct = len(set(time))
    frame, schema = make(np.arange(len(time)) * 0.5, time=time)
    needed = 2 if own_test else 3
    if distinct < needed:
        with pytest.raises(ProblemError, match="different times"):
            draw_split(frame, schema, False, 0, time="time", test_share=0.0 if own_test else 0.2)
        return
    split = draw_split(frame, schema, False, 0, time="time", test_share=0.0 if own_test else 0.2)
    moments = np.array(time)
    parts = [TRAIN, VALIDATION] + ([] if own_test else [TEST])
    for earlier, later in zip(parts, parts[1:], strict=False):
        assert moments[split.parts == earlier].max() < moments[split.parts == later].min()


def test_classes_that_first_occur_after_the_training_are_left_out():
    y = ["a", "b"] * 45 + ["c"] * 10
    split = draw_split(*make(y, time=np.arange(100)), True, 0, time="time")
    assert (split.parts[90:] == LEFT_OUT).all()
    assert any("left out" in note for note in split.notes)


def test_groups_in_time_stay_whole_and_in_order():
    group = np.arange(300) // 7
    split = draw_split(*make(np.arange(300), group=group, time=np.arange(300)), False, 0, group="group", time="time")
    assert all(len(set(split.parts[group == number])) == 1 for number in set(group))
    assert (np.diff(split.parts) >= 0).all()


def test_identical_rows_stay_on_one_side():
    x = np.repeat(np.arange(100.0), 5)
    for stratified in (True, False):
        split = draw_split(*make(np.arange(500) % 2, x), stratified, 3)
        assert all(len(set(split.parts[x == value])) == 1 for value in range(100))
        assert "500 rows" in split.notes[0]
        counts = split.counts()
        assert abs(counts["test"] - 100) <= 10


def test_many_identical_rows_are_shared_out():
    x = np.concatenate([np.zeros(300), np.arange(1.0, 701.0)])
    split = draw_split(*make(np.arange(1000) % 2, x), True, 0)
    assert abs((split.parts[:300] == TEST).sum() - 60) < 30
    assert "up to 300 rows" in split.notes[0]


def test_rows_without_a_target_are_left_out():
    y = [None if i % 4 == 0 else i * 0.5 for i in range(100)]
    split = draw_split(*make(y), False, 0)
    assert (split.rows(LEFT_OUT) == np.arange(0, 100, 4)).all()
    assert split.counts()["left out"] == 25
    assert "25 rows have no known target" in split.notes[0]


def test_without_a_test_share_there_is_no_test():
    split = draw_split(*make(np.arange(100) % 3), True, 0, test_share=0.0)
    assert split.counts() == {"train": 80, "validation": 20, "test": 0, "left out": 0}


def test_json_tells_all_but_the_rows():
    told = draw_split(*make(np.arange(100) % 2), True, 7).to_json()
    assert told["seed"] == 7
    assert "within each class" in told["method"]
    assert told["rows"]["train"] == 64


@pytest.mark.parametrize(
    ("y", "columns", "text"),
    [
        (np.arange(9) % 2, {}, "At least 10 rows"),
        ([1.0] * 9 + [None] * 50, {}, "has 9"),
        (np.arange(50) % 2, {"group": [1] * 25 + [2] * 25}, "at least 3"),
        ([f"class {i}" for i in range(12)], {}, "leave none"),
    ],
)
def test_too_little_data_is_told_in_words(y, columns, text):
    with pytest.raises(ProblemError, match=text):
        draw_split(*make(y, **columns), True, 0, group="group" if columns else None)


def test_a_million_rows_take_seconds():
    rows = 1_000_000
    split = draw_split(*make(np.arange(rows) % 3), True, 0)
    assert split.counts() == {"train": 640_000, "validation": 160_000, "test": 200_000, "left out": 0}


def test_validation_repeats_rows_where_test_rows_of_ones_own_do():
    x = np.repeat(np.arange(100.0), 5)
    frame, schema = make(np.arange(500) % 2, x)
    for test, apart in ((frame[::10], True), (frame.with_columns(pl.col("x") + 1000.0)[::10], False)):
        split = draw_split(frame, schema, True, 3, test_share=0.0, test=test)
        shared = np.isin(x[split.rows(VALIDATION)], x[split.rows(TRAIN)]).mean()
        assert shared > 0.9 if apart else shared == 0
        assert ("100% of the test rows" in split.notes[0]) == apart


@pytest.mark.parametrize(("copies", "together"), [(4, True), (15, True), (60, False)])
def test_copies_of_a_picture_stay_on_one_side_also_where_pictures_are_few(copies: int, together: bool) -> None:
    frame, schema = make(["a", "b"] * 100)
    alike = np.arange(200)
    alike[: 2 * copies : 2] = 0  # of the first class
    split = draw_split(frame, schema, True, 1, alike=alike)
    assert (len(set(split.parts[: 2 * copies : 2])) == 1) is together
    told = "such pictures stay on one side" if together else "is larger than 10% of the rows and split like other rows"
    assert any(told in note for note in split.notes)
