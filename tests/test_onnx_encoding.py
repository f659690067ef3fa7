"""The encoding as an ONNX graph gives the tensors of ``nervura.encoding``, bit by bit."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura import encoding
from nervura.errors import RunError
from nervura.onnx_encoding import encoded, feeds, input_names
from nervura.onnx_graph import Graph
from nervura.schema import Column, Schema

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def session_of(schema: Schema) -> Any:
    graph = Graph()
    told = {"numbers": np.float32, "flags": np.float32, "categories": np.int32}
    for name, value in encoded(graph, schema).items():
        graph.output(f"/{name}", value, told[name], ["rows", None])
    return onnxruntime.InferenceSession(graph.model({}, "").SerializeToString())


def assert_encoded_alike(schema: Schema, session: Any, rows: pl.DataFrame) -> None:
    expected = encoding.encode(schema, rows)
    found = dict(
        zip((one.name[1:] for one in session.get_outputs()), session.run(None, feeds(schema, rows)), strict=True)
    )
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == values.dtype
        # The sines of two libraries may differ in their last bit.
        np.testing.assert_allclose(found[name], values, rtol=3e-7, atol=1e-9, err_msg=name)


def learnt(columns: list[Column], rows: pl.DataFrame) -> Schema:
    schema = Schema(columns, rows.height)
    encoding.learn(schema, rows)
    return schema


def test_every_kind_of_column_and_what_is_missing() -> None:
    draw = np.random.default_rng(0)
    moments = [datetime(2019, 12, 30) + timedelta(minutes=int(step)) for step in draw.integers(0, 900_000, 60)]
    rows = pl.DataFrame(
        {
            "typed": [None, float("inf"), *draw.normal(5, 2, 58)],
            "written": ["1.234,50", None, "unreadable", *[f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in draw.uniform(0, 9e5, 57)]],
            "count": draw.integers(0, 9, 60),
            "words": ["YES", "No", None, " yes ", "maybe", *draw.choice(["yes", "no"], 55)],
            "truth": [None, *draw.choice([True, False], 59)],
            "when": [None, *moments[1:]],
            "day": [None, *[f"{moment:%d/%m/%Y}" for moment in moments[1:]]],
            "town": [None, " Porto ", "", *draw.choice(["Porto", "Braga"], 57)],
            "zip": [None, *draw.integers(1, 4, 59)],
            "size": [None, *draw.choice([1.0, 2.5], 59)],
        }
    )  # fmt: skip
    columns = [
        Column("typed", "number", dtype="Float64"),
        Column("written", "number", dtype="String", parsing={"as": "number", "decimal": ",", "thousands": "."}),
        Column("count", "number", dtype="Int64"),
        Column("words", "boolean", dtype="String", parsing={"as": "boolean", "true": ["yes"], "false": ["no"]}),
        Column("truth", "boolean", dtype="Boolean"),
        Column("when", "datetime", dtype="Datetime"),
        Column("day", "datetime", dtype="String", parsing={"as": "datetime", "format": "%d/%m/%Y"}),
        Column("town", "category", dtype="String"),
        Column("zip", "category", dtype="Int64"),
        Column("size", "category", dtype="Float64"),
    ]
    schema = learnt(columns, rows)
    session = session_of(schema)
    assert_encoded_alike(schema, session, rows)
    assert_encoded_alike(schema, session, rows[:1])
    unseen = rows.with_columns(town=pl.lit("Évora"), zip=pl.lit(77), typed=pl.lit(-1e300))
    assert_encoded_alike(schema, session, unseen)


WORDS = ["Porto", "São Tomé", "a\tb", "naïve 😀", "1.5", "-", "NULL", "a|b", "'\"", "日本", "é", "é"]
ODD = learnt([Column("word", "category", dtype="String")], pl.DataFrame({"word": WORDS}))
NUMBERS = learnt(
    [Column("x", "number", dtype="Float64"), Column("day", "datetime", dtype="Datetime")],
    pl.DataFrame(
        {
            "x": [1.0, 2.0, None, 4.5],
            "day": [None, *(datetime(2020, 1, day) + timedelta(hours=day) for day in (1, 9, 30))],
        }
    ),
)


@pytest.fixture(scope="module")
def odd() -> Any:
    return session_of(ODD)


@pytest.fixture(scope="module")
def numbers() -> Any:
    return session_of(NUMBERS)


@settings(deadline=None)
@given(words=st.lists(st.none() | st.sampled_from(WORDS) | st.text(), min_size=1, max_size=20))
def test_odd_strings_have_the_codes_of_the_run(odd: Any, words: list[str | None]) -> None:
    assert_encoded_alike(ODD, odd, pl.DataFrame({"word": words}, schema={"word": pl.String}))


MOMENTS = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(st.none() | st.floats(), st.none() | MOMENTS), min_size=1, max_size=20))
def test_odd_numbers_and_moments_are_encoded_like_the_runs(numbers: Any, rows: list[tuple[Any, Any]]) -> None:
    frame = pl.DataFrame(
        {"x": [row[0] for row in rows], "day": [row[1] for row in rows]},
        schema={"x": pl.Float64, "day": pl.Datetime("us")},
    )
    assert_encoded_alike(NUMBERS, numbers, frame)


def test_a_text_column_is_refused_with_the_reason() -> None:
    schema = Schema([Column("notes", "text", dtype="String", encoding={"words": []})], 3)
    with pytest.raises(RunError, match="text column 'notes'.*--to code.*--drop notes"):
        encoded(Graph(), schema)


def test_inputs_are_called_as_their_columns_where_that_can_be() -> None:
    names = ["a b", "", "/x", "x", "column", "é"]
    schema = Schema([Column(name, "number") for name in names], 3)
    assert input_names(schema) == dict(zip(names, ["a b", "column", "x", "x_", "column_", "é"], strict=True))


def test_long_words_of_a_yes_no_column_are_known_in_their_usual_spellings() -> None:
    yes, no = "completamente satisfeito com tudo", "não"
    column = Column(
        "happy", "boolean", dtype="String", parsing={"as": "boolean", "true": [yes.lower()], "false": [no.lower()]}
    )
    words = [yes, yes.upper(), yes.capitalize(), yes.title(), no, "NÃO", "nÃo", "talvez", None]
    rows = pl.DataFrame({"happy": words})
    schema = learnt([column], rows)
    assert_encoded_alike(schema, session_of(schema), rows)
