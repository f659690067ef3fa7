"""Which problem a target poses: every problem of the shelf is asked, and the reasons of those that decline are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nervura.errors import OptionError, ProblemError, did_you_mean
from nervura.problems import problems
from nervura.problems.base import Declined, Problem, Targetless

if TYPE_CHECKING:
    import polars as pl

    from nervura.schema import Column, Schema


@dataclass
class Detection:
    """The problem that was found, why, and why the others were not.

    Attributes:
        possible: where neither target nor problem is named, all that can be done with the rows, by name of the problem.
    """

    problem: Problem
    reason: str
    declined: dict[str, str]
    possible: dict[str, str] = field(default_factory=dict)


def detect_problem(target: Column, values: pl.Series, asked: str | None = None) -> Detection:
    """The problem that suits a target, or the one that is ``asked`` for by name.

    Args:
        target: the target's column.
        values: its known values, as ``encoding.values`` reads them.

    Raises:
        ProblemError: no problem suits, or the one asked for cannot be asked of this target.
        OptionError: there is no problem of the name asked for.
    """
    chosen: tuple[Problem, str] | None = None
    declined = {}
    for problem in (one for one in problems if one.needs_target and not one.windowed):
        try:
            if target.kind not in problem.targets:
                raise Declined(f"the target is of the kind {target.kind}")
            reason = problem.fits(target, values)
        except Declined as why:
            declined[problem.name] = str(why)
        else:
            chosen = chosen or (problem, reason)
    if asked is not None:
        named = problems.load(asked)
        if target.kind not in named.targets:
            others = " or ".join(one.name for one in problems if one.needs_target and target.kind in one.targets)
            raise ProblemError(
                f"The problem {asked} has a target of the kind {' or '.join(sorted(named.targets))}; '{target.name}' is of "
                f"the kind {target.kind}. Write --problem {others}, or name another target."
            )
        named.insist(target, values)
        declined.pop(asked, None)
        return Detection(named, "asked for by name", declined)
    if chosen is None:
        if values.n_unique() < 2:
            raise ProblemError(
                f"A target needs two or more different values; '{target.name}' has {values.n_unique()} in "
                f"{values.len():,} rows. Name another target."
            )
        reasons = "; ".join(f"{name}: {why}" for name, why in declined.items())
        raise ProblemError(
            f"No problem suits the target '{target.name}' ({reasons}). Name another target, or write --problem NAME."
        )
    return Detection(*chosen, declined)


def detect_without_target(schema: Schema, asked: str | None = None) -> Detection:
    """The problem that rows without a target pose, or the one that is ``asked`` for by name.

    Raises:
        ProblemError: nothing can be learnt from such columns without a target.
    """
    fitting: list[tuple[Targetless, str]] = []
    declined = {}
    for problem in problems:
        if not isinstance(problem, Targetless):
            continue
        try:
            fitting.append((problem, problem.fits_rows(schema)))
        except Declined as why:
            declined[problem.name] = str(why)
    possible = {problem.name: reason for problem, reason in fitting}
    if asked is not None:
        if asked in declined:
            raise ProblemError(f"The problem {asked} does not suit these columns: {declined[asked]}.")
        return Detection(problems.load(asked), "asked for by name", declined)
    if not fitting:
        reasons = "; ".join(f"{name}: {why}" for name, why in declined.items())
        raise ProblemError(
            f"Nothing can be learnt from these columns without a target ({reasons}). Write --target COLUMN."
        )
    chosen = min((problem for problem, _ in fitting), key=lambda problem: problem.rank)
    return Detection(chosen, "no target was named", declined, possible)


def check_metric(problem: Problem, metric: str | None) -> None:
    """Whether a problem can be judged by a metric.

    Raises:
        OptionError: it has no metric of that name; the text says which problem has.
    """
    if metric is None or metric in problem.metrics:
        return
    # Whoever predicts a target is not helped by a problem that has none.
    asked = [other for other in problems if other.needs_target or not problem.needs_target]
    others = [other.name for other in asked if metric in other.metrics]
    own = ", ".join(problem.metrics)
    if others:
        raise OptionError(
            f"'{metric}' is a metric of {' and '.join(others)} problems, and this problem is {problem.name}, with {own}. "
            f"Write --metric {problem.metric}, or --problem {others[0]} where the target allows it."
        )
    raise OptionError(
        f"There is no metric '{metric}' for a {problem.name} problem. {did_you_mean(metric, list(problem.metrics))}"
    )
