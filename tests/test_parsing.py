"""What strings mean: numbers, dates and yes/no."""

import json
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura.parsing import infer_parsing, missing_words, parse


def infer(*values, **options):
    return infer_parsing(pl.Series(values, dtype=pl.String), **options)


def parsed(values, parsing):
    return pl.DataFrame({"x": pl.Series(values, dtype=pl.String)}).select(parse(pl.col("x"), parsing))["x"].to_list()


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["1e5", "-3", "+4", ".5", "5."], [1e5, -3, 4, 0.5, 5]),
        (["1,234.5", "7"], [1234.5, 7]),
        (["1.234,5", "7"], [1234.5, 7]),
        (["1,5", "2,25"], [1.5, 2.25]),
        (["0,123", "0,456"], [0.123, 0.456]),
        (["1 234,5", "12"], [1234.5, 12]),
        (["1'234.5"], [1234.5]),
        (["12 %", "5%"], [12, 5]),
        (["$ 1,200", "-$3.50"], [1200, -3.5]),
        (["R$ 1.234,50", "R$ 7,00"], [1234.5, 7]),
        (["12 €", "-1,50 €"], [12, -1.5]),
        (["−3", "4"], [-3, 4]),
    ],
)
def test_numbers(values, numbers):
    assert parsed(values, infer(*values)) == numbers


@pytest.mark.parametrize(
    "values",
    [
        ["007", "7"],
        ["00123", "1"],
        ["1234567890123456"],
        ["192.168.0.1", "10.0.0.1"],
        ["$5", "€5"],
        ["a", "b"],
        ["inf", "nan"],
        ["12:30", "13:40"],
        ["12e4", "ab3f"],
        [],
        ["yes"],
        ["yes", "no", "maybe"],
    ],
)
def test_words_stay_words(values):
    assert infer(*values) is None


def test_three_digits_after_a_mark_may_be_thousands():
    assert infer("1,234", "900") == {"as": "number", "decimal": ".", "thousands": ",", "ambiguous": True}
    assert infer("1,234", "5,678", decimal=",") == {"as": "number", "decimal": ",", "thousands": "", "ambiguous": True}
    assert infer("1.234", "5.678") == {"as": "number", "decimal": ".", "thousands": ""}
    assert infer("1.234", "5.678", decimal=",") == {"as": "number", "decimal": ",", "thousands": ".", "ambiguous": True}


def test_a_few_values_that_are_no_numbers():
    values = pl.Series(["1", "2", "three"])
    assert infer_parsing(values) is None
    found = infer_parsing(values, counts=pl.Series([60, 39, 1]))
    assert found == {"as": "number", "decimal": ".", "thousands": "", "unparsed": ["three"], "share": 0.01}
    assert json.loads(json.dumps(found)) == found
    assert parsed(["2", "three", None], found) == [2, None, None]


def test_what_does_not_fit_is_null():
    assert parsed(["1,5", "nan", "inf", "1e999"], {"as": "number", "decimal": ".", "thousands": ","}) == [None] * 4


@pytest.mark.parametrize(
    ("values", "form", "first"),
    [
        (["2024-01-02", "1999-12-31"], "%Y-%m-%d", datetime(2024, 1, 2)),
        (["02/01/2024", "13/01/2024"], "%d/%m/%Y", datetime(2024, 1, 2)),
        (["1/2/2024", "1/13/2024"], "%m/%d/%Y", datetime(2024, 1, 2)),
        (["02.01.24 7:05", "31.12.23 10:15"], "%d.%m.%y %H:%M", datetime(2024, 1, 2, 7, 5)),
        (["13/1/24 1:05 PM"], "%d/%m/%y %I:%M %p", datetime(2024, 1, 13, 13, 5)),
        (["2024-01-02T10:00:00+02:00", "2024-01-02T10:00:00Z"], "%Y-%m-%dT%H:%M:%S%#z", datetime(2024, 1, 2, 8)),
        (
            ["2024-01-02 10:00:00.5", "2024-01-02 10:00:00"],
            "%Y-%m-%d %H:%M:%S%.f",
            datetime(2024, 1, 2, 10, 0, 0, 500000),
        ),
        (["2 Jan 2024", "5 February 2020"], "%d %B %Y", datetime(2024, 1, 2)),
        (["20240102", "20240103", "20231231"], "%Y%m%d", datetime(2024, 1, 2)),
        (["2024-01", "2023-12"], "%Y-%m", datetime(2024, 1, 1)),
    ],
)
def test_dates(values, form, first):
    found = infer(*values)
    assert found == {"as": "datetime", "format": form}
    assert parsed(values, found)[0] == first


def test_days_and_months_that_may_be_exchanged():
    assert infer("01/02/2024", "03/04/2024") == {"as": "datetime", "format": "%d/%m/%Y", "ambiguous": True}


@pytest.mark.parametrize(("yes", "no"), [("Yes", "NO"), ("true", "False"), ("T", "F"), ("sim", "Não"), ("on", "off")])
def test_yes_and_no(yes, no):
    assert parsed([no, yes, "?", None], infer(yes, no, yes.upper())) == [False, True, None, None]


def test_words_for_missing():
    assert missing_words(pl.Series(["None", "1", "2", "NA"])) == ["NA", "None"]
    assert missing_words(pl.Series(["None", "Some", "NA"])) == ["NA"]


@settings(max_examples=150, deadline=None)
@given(
    numbers=st.lists(st.floats(-1e9, 1e9).map(lambda number: round(number, 2)), min_size=1, max_size=10),
    decimal=st.sampled_from(".,"),
    grouped=st.booleans(),
)
def test_numbers_come_back(numbers, decimal, grouped):
    other = "," if decimal == "." else "."
    text = [
        f"{n:{',' if grouped else ''}.2f}".replace(",", "_").replace(".", decimal).replace("_", other) for n in numbers
    ]
    assert parsed(text, infer_parsing(pl.Series(text).unique())) == numbers


@settings(max_examples=100, deadline=None)
@given(
    times=st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2068, 1, 1)), min_size=1, max_size=8),
    form=st.sampled_from(
        ["%Y-%m-%d", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d %B %Y", "%d-%m-%y"]
    ),
)
def test_dates_come_back(times, form):
    times = [*times, datetime(2024, 12, 31, 13, 59)]  # shows which is the day
    text = [time.strftime(form) for time in times]
    found = infer_parsing(pl.Series(text).unique())
    assert found == {"as": "datetime", "format": form}
    assert parsed(text, found) == [datetime.strptime(value, form) for value in text]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=10), max_size=10))
def test_any_strings_are_taken(values):
    found = infer_parsing(pl.Series(values, dtype=pl.String).unique())
    if found is not None:
        assert len(parsed(values, found)) == len(values)
        json.dumps(found)
