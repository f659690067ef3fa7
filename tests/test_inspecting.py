"""What the columns of a table are taken for."""

import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nervura import inspecting
from nervura.encoding import encode, learn, tensors, values
from nervura.errors import SchemaError
from nervura.inspecting import infer_schema
from nervura.sources import read
from nervura.sources.base import Table

ROWS = 200
DRAW = np.random.default_rng(0)


def table(data, **reading):
    return Table(pl.DataFrame(data).lazy(), "table", "memory", reading)


def schema_of(data, target=None, reading=None, **options):
    return infer_schema(table(data, **(reading or {})), target, **options)


def noise(rows=ROWS):
    return DRAW.normal(size=rows).tolist()


def test_strings_are_read_as_what_they_say():
    schema = schema_of(
        {
            "price": [f"{i % 37},5" for i in range(ROWS)],
            "day": [f"2024-01-{i % 28 + 1:02d}" for i in range(ROWS)],
            "paid": ["yes", "no"] * (ROWS // 2),
            "flag": ["0", "1"] * (ROWS // 2),
            "town": [["Ulm", "Bonn", "Rio"][i % 3] for i in range(ROWS)],
            "said": [f"the number {i} is what I said" for i in range(ROWS)],
        }
    )
    kinds = {column.name: column.kind for column in schema.columns}
    assert kinds == {
        "price": "number",
        "day": "datetime",
        "paid": "boolean",
        "flag": "boolean",
        "town": "category",
        "said": "text",
    }
    assert schema["price"].parsing["decimal"] == ","
    assert schema["town"].distinct == 3
    assert schema["town"].examples == ["Ulm", "Bonn", "Rio"]


def test_typed_columns_keep_their_type():
    start = datetime.datetime(2024, 1, 1)
    schema = schema_of(
        {
            "moment": [start + datetime.timedelta(hours=7 * i) for i in range(ROWS)],
            "date": [start.date() + datetime.timedelta(days=i % 50) for i in range(ROWS)],
            "took": [datetime.timedelta(minutes=i % 60) for i in range(ROWS)],
            "whole": [i % 7 for i in range(ROWS)],
            "zero_one": [i % 5 == 0 for i in range(ROWS)],
            "level": pl.Series(["low", "high"] * (ROWS // 2), dtype=pl.Categorical),
        }
    )
    assert [c.kind for c in schema.columns] == ["datetime", "datetime", "number", "number", "boolean", "category"]


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ([None] * ROWS, "missing"),
        ([""] * ROWS, "missing"),
        (["same"] * ROWS, "same value in every row (same)"),
        ([f"k{i:05d}" for i in range(ROWS)], "names the rows"),
        (list(range(1, ROWS + 1)), "numbers the rows"),
        ([str(i) for i in range(ROWS)], "numbers the rows"),
        ([[1, 2]] * ROWS, "list values"),
        ([{"a": 1}] * ROWS, "struct values"),
        ([b"x"] * ROWS, "binary values"),
    ],
)
def test_columns_that_teach_nothing_are_set_aside_with_a_reason(column, reason):
    schema = schema_of({"odd": column, "x": noise()})
    assert schema["odd"].role == "aside"
    assert reason in schema["odd"].reason


def test_a_column_whose_name_says_id_is_set_aside_when_every_value_differs():
    numbers = (np.arange(ROWS) * 17 + 3).tolist()
    schema = schema_of({"customerID": numbers, "income": numbers[::-1], "x": noise()})
    assert schema["customerID"].role == "aside"
    assert schema["income"].role == "input"


def test_repeated_ids_and_codes_are_categories():
    schema = schema_of(
        {"shop_id": [i % 20 for i in range(ROWS)], "ZipCode": [f"{10001 + i % 20}" for i in range(ROWS)]}
    )
    assert schema["shop_id"].kind == "category"
    assert schema["ZipCode"].kind == "category"


def test_many_names_that_repeat_stay_a_category():
    schema = schema_of({"city": [f"city{i // 2}" for i in range(ROWS)]})
    assert (schema["city"].kind, schema["city"].role) == ("category", "input")


def test_one_known_value_among_missing_ones_is_kept():
    schema = schema_of({"pool": ["yes"] * 20 + [None] * (ROWS - 20)})
    assert schema["pool"].role == "input"
    assert any("90% of the values are missing" in text for text in schema["pool"].warnings)


def test_columns_with_identical_values_are_named():
    x = noise()
    schema = schema_of({"a": x, "b": x, "c": [str(v) for v in x], "d": x[::-1]})
    assert schema["a"].role == schema["d"].role == "input"
    assert "column 'a'" in schema["b"].reason
    assert "column 'a'" in schema["c"].reason


def test_a_copy_of_the_target_is_set_aside():
    y = [i % 2 for i in range(ROWS)]
    schema = schema_of({"copy": y, "x": noise(), "y": y}, "y")
    assert "target 'y'" in schema["copy"].reason


@pytest.mark.parametrize("kind", ["number", "string", "regression", "multiclass"])
def test_a_column_that_gives_the_target_away_is_named(kind):
    signal = DRAW.normal(size=1000)
    y = {
        "number": (signal > 0.3).astype(int),
        "string": np.where(signal > 0.3, "good", "bad"),
        "regression": signal * 3 + 1,
        "multiclass": np.digitize(signal, [-0.5, 0.5]),
    }[kind]
    schema = schema_of({"leak": signal, "honest": signal + DRAW.normal(size=1000), "y": y}, "y")
    assert any("gives the target away" in text for text in schema["leak"].warnings)
    assert not schema["honest"].warnings


def test_names_that_give_the_target_away_are_named():
    y = DRAW.integers(0, 2, 1000)
    schema = schema_of({"status": np.where(y == 1, "closed", "open"), "x": noise(1000), "y": y}, "y")
    assert any("gives the target away" in text for text in schema["status"].warnings)


def test_nothing_gives_pure_chance_away():
    data = {f"x{i}": noise(60) for i in range(50)} | {"y": DRAW.integers(0, 2, 60)}
    assert not schema_of(data, "y").warnings


def test_what_is_doubtful_is_said():
    schema = schema_of(
        {
            "mixed": ["oops"] * 4 + [f"{i % 90}.5" for i in range(ROWS - 4)],
            "endless": [float("inf")] * 3 + noise(ROWS - 3),
            "dates": [f"0{i % 9 + 1}/0{i % 8 + 1}/2020" for i in range(ROWS)],
        }
    )
    assert "2.0% of the values are not numbers ('oops')" in schema["mixed"].warnings[0]
    assert schema["mixed"].missing == 4
    assert "3 infinite values" in schema["endless"].warnings[0]
    assert "day first" in schema["dates"].warnings[0]


def test_the_file_decides_between_decimals_and_thousands():
    data = {"a": [f"{i % 9 + 1},{i * 37 % 1000:03d}" for i in range(ROWS)], "b": ["1,5", "2,5"] * (ROWS // 2)}
    assert schema_of(data)["a"].parsing["thousands"] == ","
    assert schema_of(data, reading={"decimal": ","})["a"].parsing["decimal"] == ","


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ([0, 1], "number"),
        ([0.0, 1.0], "number"),
        (["0", "1"], "number"),
        (["yes", "no"], "category"),
        ([True, False], "boolean"),
        (["1", "U"], "category"),
        (["a longer answer in words", "another one"], "category"),
    ],
)
def test_targets(target, kind):
    schema = schema_of({"x": noise(), "y": target * (ROWS // 2)}, "y")
    assert schema.target.kind == kind
    read = pl.DataFrame({"y": target * (ROWS // 2)}).select(values(schema.target)).to_series()
    assert read.n_unique() == 2
    assert read.null_count() == 0


def test_classes_named_by_numbers_and_words_stay_classes():
    schema = schema_of({"x": noise(), "y": ["1", "2", "3", "5"] * 48 + ["U"] * 8}, "y")
    assert (schema.target.kind, schema.target.missing) == ("category", 0)


def test_the_user_knows_better():
    data = {
        "id": [f"{i:05d}" for i in range(ROWS)],
        "grade": [i % 5 for i in range(ROWS)],
        "word": ["up", "down"] * (ROWS // 2),
        "odd": ["1", "2", "x", "y"] * (ROWS // 4) + [],
        "x": noise(),
    }
    kinds = {"id": "number", "grade": "category", "word": "boolean", "odd": "text"}
    schema = schema_of(data, kinds=kinds, drop=["x"])
    assert {name: schema[name].kind for name in kinds} == kinds
    assert schema["id"].role == "input"
    assert schema["x"].reason == "dropped by you"
    assert schema["word"].parsing == {"as": "boolean", "true": ["up"], "false": ["down"]}


def test_roles_of_group_and_time():
    data = {"g": [i % 9 for i in range(ROWS)], "t": list(range(ROWS)), "x": noise(), "y": noise()}
    schema = schema_of(data, "y", group="g", time="t")
    assert [c.role for c in schema.columns] == ["group", "time", "input", "target"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"target": "prise"}, "Did you mean 'price'"),
        ({"drop": ["prise"]}, "Did you mean 'price'"),
        ({"group": "prise"}, "Did you mean 'price'"),
        ({"time": "prise"}, "Did you mean 'price'"),
        ({"kinds": {"prise": "number"}}, "Did you mean 'price'"),
        ({"kinds": {"price": "numbr"}}, "Did you mean 'number'"),
        ({"kinds": {"town": "number"}}, "cannot be read as number"),
        ({"kinds": {"town": "datetime"}}, "cannot be read as datetime"),
        ({"kinds": {"price": "datetime"}}, "cannot be read as datetime"),
        ({"kinds": {"pair": "number"}}, "one value per row"),
        ({"target": "pair"}, "one value per row"),
        ({"target": "empty"}, "are missing"),
        ({"target": "price", "drop": ["price"]}, "one role"),
        ({"target": "price", "drop": ["town"]}, "at least one input"),
        ({"target": "price", "time": "town"}, "dates or numbers"),
    ],
)
def test_mistakes_are_told_in_words(options, text):
    data = {
        "price": noise(),
        "town": ["Ulm", "Bonn", "Rio", "Lima"] * (ROWS // 4),
        "pair": [[1, 2]] * ROWS,
        "empty": [None] * ROWS,
    }
    with pytest.raises(SchemaError, match=text):
        schema_of(data, **options)


def test_a_table_without_rows_is_refused():
    with pytest.raises(SchemaError, match="has none"):
        infer_schema(Table(pl.DataFrame({"a": [1.0]}).head(0).lazy(), "table", "memory"))


def test_a_long_table_is_told_from_a_sample(monkeypatch):
    rows = 6_000
    data = pl.DataFrame(
        {
            "number": [f"{i % 1000}.25" for i in range(rows)],
            "twin": [f"{i % 1000}.25" for i in range(rows)],
            "nearly": [f"{i % 1000}.25" for i in range(rows - 1)] + ["7.0"],
            "row": list(range(rows)),
            "town": ["Ulm", "Bonn", None] * (rows // 3),
            "constant": [1.5] * rows,
            "y": [i % 2 for i in range(rows)],
        }
    )
    monkeypatch.setattr(inspecting, "MOST_ROWS", 2_000)
    monkeypatch.setattr(inspecting, "SAMPLE_ROWS", 1_500)
    schema = infer_schema(Table(data.lazy(), "table", "memory"), "y")
    assert schema.rows == rows
    assert [c.role for c in schema.columns] == ["input", "aside", "input", "aside", "input", "aside", "target"]
    assert schema["town"].missing == rows // 3
    assert schema["town"].distinct == 2
    assert 900 <= schema["number"].distinct <= 1100


def test_ten_thousand_columns():
    data = pl.DataFrame(DRAW.normal(size=(50, 10_000))).with_columns(y=pl.Series([0, 1] * 25))
    schema = infer_schema(Table(data.lazy(), "wide", "memory"), "y")
    assert len(schema.inputs) == 10_000
    assert "tested" in schema.target.warnings[0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=12, max_size=12),
            st.lists(st.one_of(st.none(), st.floats()), min_size=12, max_size=12),
            st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=12, max_size=12),
            st.lists(st.one_of(st.none(), st.booleans()), min_size=12, max_size=12),
            st.lists(st.one_of(st.none(), st.dates().map(str)), min_size=12, max_size=12),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_the_columns_hold_the_inputs_can_be_encoded(columns):
    data = pl.DataFrame({f"c{i}": column for i, column in enumerate(columns)} | {"x": [0.5, 2.25, 1.0] * 4})
    schema = infer_schema(Table(data.lazy(), "table", "memory"))
    learn(schema, data)
    encoded = encode(schema, data)
    assert {tensor.name for tensor in tensors(schema)} == set(encoded)
    assert all(np.isfinite(array).all() for array in encoded.values())
    for column in schema.columns:
        assert column.role != "aside" or column.reason


def test_pictures_are_no_target_and_no_category(photos: Path) -> None:
    files = sorted(photos.rglob("*.png"))
    labels = [file.parent.name for file in files]
    frame = pl.DataFrame(
        {"photo": [file.read_bytes() for file in files], "weight": np.random.default_rng(0).normal(size=90)}
    )
    table = read(frame.with_columns(label=pl.Series(labels)))
    for asked in ({"target": "picture"}, {"target": "label", "kinds": {"picture": "category"}}):
        with pytest.raises(SchemaError, match="holds pictures, which are read as such"):
            infer_schema(table, **asked)
    dropped = infer_schema(table, "label", drop=["picture"])
    assert [(c.name, c.reason) for c in dropped.aside] == [("picture", "dropped by you")]
    assert [c.name for c in dropped.inputs] == ["weight"]


def test_a_column_that_holds_no_pictures_cannot_be_read_as_such() -> None:
    frame = pl.DataFrame({"x": ["a", "b", "c"] * 5, "z": range(15), "y": [1, 2, 3] * 5})
    with pytest.raises(SchemaError, match="'x' cannot be read as image"):
        infer_schema(read(frame), "y", {"x": "image"})
