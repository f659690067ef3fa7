"""Whole numbers as targets: the numbers of classes, or a quantity."""

import polars as pl
import pytest

from nervura.detection import detect_problem
from nervura.schema import Column


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
def test_whole_numbers(distinct, problem):
    values = pl.Series("y", [float(value) for value in distinct] * 20)
    found = detect_problem(Column("y", "number", "target"), values)
    assert found.problem.name == problem
    assert found.reason
