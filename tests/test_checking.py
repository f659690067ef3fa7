"""What is said of data, question and machine before a training."""

import json

import numpy as np
import polars as pl
import pytest

from nervura.checking import check
from nervura.dataset import Dataset

ROWS = 600


@pytest.fixture
def draw():
    return np.random.default_rng(0)


def checked(data, measure=None, **options):
    return check(Dataset.open(pl.DataFrame(data), "y", **options), measure)


def test_a_plain_question_is_ready(draw):
    x, z = draw.normal(size=(2, ROWS))
    found = checked({"x": x, "z": z, "y": np.where(x + 0.5 * draw.normal(size=ROWS) > 0, "a", "b")})
    assert [section.name for section in found.sections] == [
        "data",
        "objective",
        "computing power",
        "nature",
        "linear separability",
    ]
    assert found.state == "ok"
    assert found.verdict.startswith("Ready to train")
    assert found["objective"].numbers["signal"]
    assert found["linear separability"].numbers["separable"] is False
    assert "log_loss" in str(found) and found.verdict in str(found)
    told = json.loads(json.dumps(found.to_json()))
    assert told["state"] == "ok"
    assert told["sections"][0]["numbers"]["rows"] == {"train": 384, "validation": 96, "test": 120}


def test_noise_is_not_worth_it(draw):
    rows = 3_000
    found = checked({"x": draw.normal(size=rows), "z": draw.normal(size=rows), "y": draw.integers(0, 2, rows)})
    assert found["objective"].state == "fail"
    assert found.verdict.startswith("Not worth training yet")


def test_little_noise_is_left_open(draw):
    found = checked({"x": draw.normal(size=80), "y": draw.normal(size=80)})
    assert found["objective"].state == "warning"
    assert "open" in found.verdict


def test_a_straight_border_needs_no_hidden_layer(draw):
    x, z = draw.normal(size=(2, ROWS))
    gap = np.abs(x + z) > 0.2
    found = checked({"x": x[gap], "z": z[gap], "y": (x + z > 0)[gap]})
    assert found["linear separability"].numbers["separable"] is True
    assert "perceptron" in str(found["linear separability"].findings)


def test_an_exclusive_or_needs_one(draw):
    x, z = draw.normal(size=(2, 2_000))
    found = checked({"x": x, "z": z, "y": x * z > 0})
    assert found["linear separability"].numbers["separable"] is False
    assert "hidden layers can bend it" in str(found["linear separability"].findings)


def test_a_line_needs_no_hidden_layer(draw):
    x, z = draw.normal(size=(2, ROWS))
    found = checked({"x": x, "z": z, "y": 3 * x - z + 0.01 * draw.normal(size=ROWS)})
    assert found["linear separability"].numbers["separable"] is True


def test_more_inputs_than_rows_say_nothing_of_separability(draw):
    found = checked({f"x{i}": draw.normal(size=100) for i in range(120)} | {"y": draw.integers(0, 2, 100)})
    assert found["linear separability"].numbers["separable"] is None
    assert found["data"].state == "warning"


def test_a_leak_and_rare_classes_are_said(draw):
    y = np.zeros(ROWS, dtype=int)
    y[::40] = 1
    found = checked({"leak": y + 0.1 * draw.normal(size=ROWS), "x": draw.normal(size=ROWS), "y": y})
    assert found["data"].state == "warning"
    text = str(found["data"].findings)
    assert "'leak': this column alone gives the target away" in text
    assert "always answering '0' is right in 97.4%" in text


def test_missing_values_are_counted(draw):
    x = [None if i % 2 else float(v) for i, v in enumerate(draw.normal(size=ROWS))]
    found = checked({"x": x, "y": draw.integers(0, 2, ROWS)})
    assert found["data"].numbers["missing"] == 0.5
    assert found["data"].state == "warning"


def test_pixels_and_texts_are_told_from_columns(draw):
    level = draw.integers(0, 2, ROWS)
    pixels = {f"pixel{i}": draw.integers(0, 256, ROWS) for i in range(64)}
    assert "pixels" in str(checked(pixels | {"x": level + 0.5 * draw.normal(size=ROWS), "y": level})["nature"].findings)
    words = [f"this is the {i}th note that someone wrote" for i in range(ROWS)]
    found = checked({"note": words, "x": level + 0.5 * draw.normal(size=ROWS), "y": level})
    assert found["nature"].state == "warning"
    assert "'note'" in str(found["nature"].findings)


@pytest.mark.parametrize(
    ("seconds", "state", "text"),
    [(90.0, "ok", "2 minutes"), (5_000.0, "warning", "83 minutes"), (1e6, "fail", "12 days")],
)
def test_the_measured_time_is_judged(draw, seconds, state, text):
    x = draw.normal(size=ROWS)
    found = checked({"x": x, "z": draw.normal(size=ROWS), "y": x > draw.normal(size=ROWS)}, lambda: seconds)
    assert found["computing power"].state == state
    assert text in str(found["computing power"].findings)


@pytest.mark.parametrize("role", ["group", "time"])
def test_what_hangs_together_is_judged_on_validation_rows(draw, role):
    shop = np.arange(ROWS) // 20
    # Each shop has an answer of its own: rows of known shops can be looked up, rows of others cannot.
    answer = draw.integers(0, 2, ROWS)[shop]
    place = draw.normal(size=ROWS)[shop] + 1e-3 * draw.normal(size=ROWS)
    found = checked({"place": place, "shop": shop, "y": answer}, **{role: "shop"})
    assert not found["objective"].numbers["signal"]


def test_many_classes_and_extreme_values_pass(draw):
    x = draw.normal(size=ROWS)
    classes = checked({"x": x, "z": draw.normal(size=ROWS), "y": [f"k{i}" for i in np.digitize(x, [-1, -0.3, 0.3, 1])]})
    assert classes["objective"].numbers["signal"]
    extremes = checked(
        {"x": x, "z": draw.normal(size=ROWS), "y": np.exp(5 * x + draw.standard_t(1.5, ROWS).clip(-8, 8))}
    )
    assert extremes["objective"].numbers["signal"]
