"""Sets runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nervura.errors import RunError
from nervura.run import Run


def compare(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One dict per run: what it answered, with which network, at what cost, and its scores on its test rows.

    Scores stand side by side fairly only where the test rows are the same; ``same test rows as first`` says so.

    Raises:
        RunError: they answer different kinds of problem, or one has no evaluation.
    """
    problems = {run.need("problem")["name"] for run in runs}
    if len(problems) > 1:
        raise RunError(f"Runs of one kind of problem can be compared; these are {', '.join(sorted(problems))}.")
    first = _test_rows(runs[0])
    rows = []
    for run in runs:
        evaluation, design = run.need("evaluation"), run.need("design")
        scores = {name: score["value"] for name, score in evaluation["test"].items()}
        rows.append(
            {
                "run": run.path.name,
                "network": design["network"],
                "parameters": design["parameters"],
                "seconds": run.need("run").get("seconds", ""),
                **{name: float(f"{value:.4g}") if value is not None else "" for name, value in scores.items()},
                "same test rows as first": "yes" if _test_rows(run) == first else "no",
            }
        )
    return rows


def _test_rows(run: Run) -> tuple[Any, ...]:
    split = run.read_arrays("split")
    parts = split["parts"].tobytes() if split else b""
    return run.need("run")["source"]["origin"], run.need("run")["asked"]["test"], parts
