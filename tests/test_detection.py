"""Which problem a target poses, and why the others decline."""

from typing import Any

import polars as pl
import pytest

from nervura.detection import detect_problem
from nervura.errors import OptionError, ProblemError
from nervura.schema import Column


def detected(values: Any, kind: str = "number", asked: str | None = None) -> Any:
    return detect_problem(Column("y", kind, "target"), pl.Series("y", values), asked)


@pytest.mark.parametrize(
    ("distinct", "problem"),
    [
        ([0, 1], "binary"),
        ([0, 1, 2], "multiclass"),
        ([1, 2, 3], "multiclass"),
        ([-1, 0, 1], "multiclass"),
        (range(10), "multiclass"),
        (range(1, 8), "multiclass"),
        ([1, 2, 3, 5, 7], "multiclass"),
        ([3, 4, 5, 6, 7, 8, 9], "regression"),  # points of a jury
        (range(0, 101, 10), "regression"),  # per cent
        (range(15), "regression"),  # a count
        (range(40), "regression"),
        ([0.5, 1.5, 2.5], "regression"),
    ],
)
def test_whole_numbers_are_the_numbers_of_classes_or_a_quantity(distinct: Any, problem: str) -> None:
    found = detected([float(value) for value in distinct] * 20)
    assert found.problem.name == problem
    assert found.reason


@pytest.mark.parametrize(
    ("values", "kind", "problem"),
    [
        (["no", "yes"] * 20, "category", "binary"),
        ([True, False] * 20, "boolean", "binary"),
        ([2.5, 7.5] * 20, "number", "binary"),
        (["red", "green", "blue"] * 20, "category", "multiclass"),
    ],
)
def test_names_and_flags(values: Any, kind: str, problem: str) -> None:
    assert detected(values, kind).problem.name == problem


def test_the_reason_names_classes_as_predictions_do() -> None:
    assert detected([0.0, 1.0] * 20).reason == "the target has two values: 0 and 1"
    assert detected([True, False] * 20, "boolean").reason == "the target has two values: no and yes"
    assert detected([10.0, 9.0] * 20).reason == "the target has two values: 9 and 10"


@pytest.mark.parametrize(("scale", "size"), [(1e300, "large"), (1e-300, "small")])
def test_values_that_cannot_be_squared_are_refused(scale: float, size: str) -> None:
    values = [scale * value for value in range(1, 61)]
    told = f"too {size} to be squared, up to 6e.*: give them in another unit"
    with pytest.raises(ProblemError, match=f"regression: the target's values are {told}"):
        detected(values)
    with pytest.raises(ProblemError, match=f"those of 'y' are {told}"):
        detected(values, asked="regression")


def test_whoever_declines_says_why() -> None:
    found = detected(["red", "green", "blue"] * 20, "category")
    assert set(found.declined) == {"binary", "captioning", "regression"}
    assert "3 different values" in found.declined["binary"]
    assert "3 different names" in found.reason


def test_the_user_knows_better() -> None:
    found = detected([float(value) for value in range(10)] * 20, asked="regression")
    assert found.problem.name == "regression" and "regression" not in found.declined
    assert detected([float(value) for value in range(40)] * 20, asked="multiclass").problem.name == "multiclass"


@pytest.mark.parametrize(
    ("values", "kind", "asked", "says"),
    [
        (["a"] * 30, "category", None, "two or more different values; 'y' has 1 in 30 rows. Name another"),
        ([], "category", None, "'y' has 0 in 0 rows"),
        ([f"name {i}" for i in range(200)], "category", None, "200 different values in 200 rows, too many.*--problem"),
        (["a", "b", "c"] * 20, "category", "binary", "exactly two values; 'y' has 3. Write --problem multiclass"),
        (["a"] * 30, "category", "multiclass", "two or more values; 'y' has 1"),
        (["a", "b", "c"] * 20, "category", "regression", "'y'"),
        ([f"name {i}" for i in range(200)], "category", "multiclass", "several rows each"),
    ],
)
def test_a_question_that_cannot_be_asked_is_told(values: Any, kind: str, asked: str | None, says: str) -> None:
    with pytest.raises(ProblemError, match=says):
        detected(pl.Series(values, dtype=pl.String), kind, asked)


def test_an_unknown_problem_gets_the_close_name() -> None:
    with pytest.raises(OptionError, match="no problem called 'regresion'. Did you mean 'regression'"):
        detected([1.0, 2.0] * 20, asked="regresion")
