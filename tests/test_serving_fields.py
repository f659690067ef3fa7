"""Values of requests are read as the run reads those of its tables."""

import math
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nervura import contracts
from nervura.bodies import bodies
from nervura.parsing import parse, parse_one
from nervura.schema import Column, Schema
from nervura.serving_fields import BadRequest, Fields

PARSINGS: list[dict[str, Any]] = [
    {"as": "number", "decimal": ".", "thousands": ""},
    {"as": "number", "decimal": ",", "thousands": "."},
    {"as": "number", "decimal": ".", "thousands": ","},
    {"as": "number", "decimal": ",", "thousands": " "},
    {"as": "number", "decimal": ".", "thousands": "'", "unit": "€"},
    {"as": "number", "decimal": ".", "thousands": "", "unit": "%"},
    {"as": "boolean", "true": ["yes", "y"], "false": ["no", "n"]},
    {"as": "datetime", "format": "%Y-%m-%d"},
    {"as": "datetime", "format": "%d/%m/%Y %H:%M"},
    {"as": "datetime", "format": "%Y-%m-%dT%H:%M:%S%.f%#z"},
    {"as": "datetime", "format": "%d %B %Y"},
]
NUMBERS = st.from_regex(
    r"[ +\-−]{0,2}[€%]?[0-9]{1,4}([., '][0-9]{3}){0,2}([.,][0-9]{0,4})?(e-?[0-9]{1,2})?[€%]? ?", fullmatch=True
)
DATES = st.datetimes(datetime(1600, 1, 1), datetime(2200, 1, 1)).flatmap(
    lambda moment: st.sampled_from(
        [
            f"{moment:%Y-%m-%d}", f"{moment:%d/%m/%Y %H:%M}", f"{moment:%Y-%m-%dT%H:%M:%S}.25Z", f"{moment:%d %B %Y}",
            f"{moment:%d %b %Y}", f"{moment:%Y-%m-%dT%H:%M:%S}+02:00", f"{moment:%Y-%m-%dT%H:%M:%S}.123456789-03:30",
        ]
    )
)  # fmt: skip
WORDS = st.sampled_from(["yes", "NO", " y ", "maybe", "", "n", "YES "])


@given(text=st.one_of(NUMBERS, DATES, WORDS, st.text(max_size=8)), parsing=st.sampled_from(PARSINGS))
def test_one_text_is_read_as_polars_reads_a_column(text: str, parsing: dict[str, Any]) -> None:
    expected = pl.select(parse(pl.lit(text, dtype=pl.String), parsing)).item()
    found = parse_one(text, parsing)
    if isinstance(expected, float) and found is not None:
        assert found == pytest.approx(expected, rel=1e-15)
    else:
        assert found == expected


def fields(lang: str = "en") -> Fields:
    columns = [
        Column("length", "number", parsing=PARSINGS[1], encoding={"origin": 2.5, "unit": 1.0}),
        Column("colour", "category", encoding={"levels": ["red", "NA", "3"]}),
        Column("ripe", "boolean", parsing={"as": "boolean", "true": ["sim"], "false": ["não"]}),
        Column("sold", "boolean", dtype="Int64"),
        Column(
            "day", "datetime", parsing=PARSINGS[8], encoding={"origin": 1.7e9, "unit": 1.0, "periods": ["time of day"]}
        ),
        Column("plant", "text", role="aside"),
    ]
    holds = {"length": "float64", "colour": "string", "ripe": "string", "sold": "float64", "day": "int64"}
    return Fields(Schema(columns), {name: {"column": name, "holds": kind} for name, kind in holds.items()}, lang=lang)


MOMENT = datetime(2024, 3, 1, 12, 30)
MILLISECONDS = 1000 * (MOMENT - datetime(1970, 1, 1)).total_seconds()


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("length", 3, 3.0),
        ("length", None, math.nan),
        ("length", timedelta(minutes=1), 60.0),
        ("colour", " red ", "red"),
        ("colour", 3, "3"),
        ("colour", 3.0, "3"),
        ("colour", None, ""),
        ("ripe", True, 1.0),
        ("ripe", "Não", 0.0),
        ("ripe", None, math.nan),
        ("sold", 1, 1.0),
        ("sold", False, 0.0),
        ("day", "2024-03-01T12:30", MILLISECONDS),
        ("day", "2024-03-01T14:30:00+02:00", MILLISECONDS),
        ("day", date(2024, 3, 1), MILLISECONDS - 12.5 * 3_600_000),
        ("day", None, math.nan),
    ],
)
def test_typed_values_are_read(name: str, given: Any, expected: Any) -> None:
    found = fields()[name].value(given)
    assert found == expected or (math.isnan(expected) and math.isnan(found))


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("length", "1.234,5", 1234.5),
        ("length", "n/a", math.nan),
        ("length", "-", math.nan),
        ("colour", "NA", "NA"),
        ("colour", "?", ""),
        ("ripe", "SIM", 1.0),
        ("sold", "0", 0.0),
        ("day", "01/03/2024 12:30", MILLISECONDS),
        ("day", "2024-03-01 12:30", MILLISECONDS),
        ("day", "", math.nan),
    ],
)
def test_values_that_are_written_as_text_are_read_as_in_the_training_table(name: str, cell: str, expected: Any) -> None:
    found = fields()[name].read(cell)
    assert found == expected or (math.isnan(expected) and math.isnan(found))


def test_a_graph_gets_what_it_takes() -> None:
    columns = {
        "length": [2.5, None],
        "colour": ["red", None],
        "ripe": [True, None],
        "sold": [1, None],
        "day": [MOMENT, None],
    }
    given = fields()
    made = given.feeds(given.read(columns, as_text=False))
    assert {name: array.shape for name, array in made.items()} == dict.fromkeys(columns, (2, 1))
    assert made["colour"].tolist() == [["red"], [""]] and made["ripe"].tolist() == [["sim"], [""]]
    assert made["day"].dtype == np.int64 and made["day"].tolist() == [[MILLISECONDS], [np.iinfo(np.int64).min]]


def test_mistakes_are_told_in_portuguese_too() -> None:
    columns = {"length": ["2"], "colour": [[]], "ripe": ["?"], "sold": [2], "day": ["x"]}
    with pytest.raises(BadRequest) as told:
        fields("pt").read(columns, as_text=False)
    assert [one["column"] for one in told.value.mistakes] == list(columns)
    assert "contém números" in told.value.mistakes[0]["message"]


@pytest.mark.parametrize("name", bodies.names())
def test_bodies_keep_their_contract(name: str) -> None:
    body = bodies.load(name)
    if not body.of_pictures:
        contracts.check_body(body, fields())
