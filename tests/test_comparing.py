"""Runs side by side, without training any."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nervura.comparing import compare
from nervura.errors import RunError
from nervura.run import Run


def made(path: Path, problem: str = "binary", parts: Any = (0, 1, 2), origin: str = "t.csv", test: Any = None) -> Run:
    run = Run.create(path, source={"origin": origin}, asked={"test": test}, seconds=12.5)
    run.write("problem", {"name": problem})
    run.write("design", {"network": "feed_forward", "parameters": 65})
    run.write("evaluation", {"test": {"log_loss": {"value": 0.123456}, "f1": {"value": None}}})
    run.write_arrays("split", {"parts": np.array(parts, dtype="int8")})
    return run


def test_one_row_for_each_run_in_the_order_given(tmp_path: Path) -> None:
    rows = compare([made(tmp_path / "b"), made(tmp_path / "a")])
    assert rows[0] == {
        "run": "b",
        "network": "feed_forward",
        "parameters": 65,
        "seconds": 12.5,
        "log_loss": 0.1235,
        "f1": "",
        "same test rows as first": "yes",
    }
    assert [row["run"] for row in rows] == ["b", "a"]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, "yes"),
        ({"parts": (2, 1, 0)}, "no"),
        ({"origin": "other.csv"}, "no"),
        ({"test": "test.csv"}, "no"),
    ],
)
def test_whether_the_test_rows_are_the_same_is_said(tmp_path: Path, other: dict[str, Any], same: str) -> None:
    rows = compare([made(tmp_path / "a"), made(tmp_path / "b", **other)])
    assert [row["same test rows as first"] for row in rows] == ["yes", same]


def test_runs_of_different_problems_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="one kind of problem can be compared; these are binary, regression"):
        compare([made(tmp_path / "a"), made(tmp_path / "b", problem="regression")])


def test_a_run_without_an_evaluation_says_how_to_go_on(tmp_path: Path) -> None:
    run = made(tmp_path / "a")
    (run.path / "evaluation.json").unlink()
    with pytest.raises(RunError, match="no evaluation.json.*nervura resume"):
        compare([run])
