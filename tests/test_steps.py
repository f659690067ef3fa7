"""The even steps of series in time."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura.errors import SchemaError
from nervura.steps import find_step, read_moments


def step_of(values: list[object]) -> tuple[object, np.ndarray]:
    moments, form = read_moments(pl.Series("t", values))
    return find_step([moments], form), moments


@pytest.mark.parametrize(
    ("values", "words", "season", "following"),
    [
        (["1949-01", "1949-02", "1949-04"], "1 month", 12, ["1949-05", "1949-06"]),
        (["1970 Q1", "1970 Q2", "1970 Q3"], "3 months", 4, ["1970 Q4", "1971 Q1"]),
        (["1982 Apr", "1982 May", "1982 Jun"], "1 month", 12, ["1982 Jul", "1982 Aug"]),
        (["2020-01-31", "2020-02-29", "2020-03-31"], "1 month", 12, ["2020-04-30", "2020-05-31"]),
        (["1885", "1886", "1887"], "1", 1, [1888, 1889]),
        ([1991.5, 1991.75, 1992.0], "3 months", 4, [1992.25, 1992.5]),
        ([date(2020, 1, d) for d in (1, 8, 15)], "1 week", 52, [date(2020, 1, 22), date(2020, 1, 29)]),
        (
            [date(2024, 1, 1) + timedelta(days=d) for d in range(14) if d % 7 < 5] + [date(2024, 1, 15)],
            "1 working day",
            5,
            [date(2024, 1, 16), date(2024, 1, 17)],
        ),
        (
            [datetime(2020, 1, 1, 0, m) for m in (0, 30)] + [datetime(2020, 1, 1, 1)],
            "30 minutes",
            48,
            [datetime(2020, 1, 1, 1, 30), datetime(2020, 1, 1, 2)],
        ),
    ],
)
def test_steps_are_found_and_go_on(values: list[object], words: str, season: int, following: list[object]) -> None:
    step, moments = step_of(values)
    assert (step.words[0], step.season) == (words, season)
    places = step.places(moments)
    assert step.written(places, "t").to_list() == ([int(v) for v in values] if words == "1" else values)
    assert step.written(places[-1] + np.arange(1, 3), "t").to_list() == following


@settings(max_examples=40, deadline=None)
@given(
    seconds=st.sampled_from([1, 60, 900, 3600, 21_600, 86_400, 604_800]),
    begins=st.datetimes(datetime(1950, 1, 1), datetime(2050, 1, 1)),
    kept=st.sets(st.integers(0, 30), min_size=12),
)
def test_moments_with_gaps_keep_their_distances(seconds: int, begins: datetime, kept: set[int]) -> None:
    places = np.array(sorted(kept))
    if 1 not in np.diff(places) or np.bincount(np.diff(places)).argmax() != 1:
        return
    step, moments = step_of([begins + timedelta(seconds=int(place) * seconds) for place in places])
    found = step.places(moments)
    if step.unit != "business day":
        assert (found - found[0] == places - places[0]).all()
    assert (step.moments(found) == moments).all()


def test_uneven_steps_and_what_is_no_time_are_told() -> None:
    draw = np.random.default_rng(0)
    with pytest.raises(SchemaError, match="even steps"):
        step_of(sorted(datetime(2020, 1, 1) + timedelta(seconds=int(s)) for s in draw.integers(0, 10**6, 50)))
    with pytest.raises(SchemaError, match="holds such as 'soon'"):
        read_moments(pl.Series("t", ["soon", "later"]))


def test_the_calendar_tells_what_is_longer_than_a_step() -> None:
    hourly, moments = step_of([datetime(2020, 1, 1) + timedelta(hours=h) for h in range(48)])
    rows, names = hourly.calendar(hourly.places(moments))
    assert rows.shape == (48, 6) and names[0] == "sine of time of day"
    assert rows[:24, :2] == pytest.approx(rows[24:, :2], abs=1e-5)
    assert step_of([1, 2, 3])[0].calendar(np.arange(3))[0].shape == (3, 0)
