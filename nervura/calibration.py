"""Makes probabilities mean what they say, and puts an interval or a set of classes beside each answer.

What is learnt here are a few numbers in the problem's coding, so that every way of using a run applies them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nervura.deciding import with_rule
from nervura.problems.base import Classification, Problem

LEVEL = 0.9
"""The share of new rows whose truth the interval or set is to hold, unless another is asked for."""

SHARPER_TOGETHER = 0.95
"""The temperature that is best for the mean of several groups, over that which is best for one of them, of which alone
there are answers for rows not learnt from: a mean is less sure than what it is made of. Measured on twelve tables (0.91 to
0.99); docs/calibration.md shows it."""

USUAL_SPREAD = 0.3
"""Before any row is seen the logarithm of a temperature is taken to be about so far from 0, as it was on most tables. Few rows, or
rows that are all answered rightly, then do not lead to a network that is far too sure of itself."""

FEWEST_ROWS = 30
"""Below so many rows a temperature is more noise than help, and none is learnt."""


def calibrate(
    problem: Problem,
    stopping: tuple[np.ndarray, np.ndarray],
    untouched: tuple[np.ndarray, np.ndarray],
    level: float = LEVEL,
    groups: int = 1,
) -> Problem:
    """A copy of ``problem`` whose estimates are calibrated and whose answers come with an interval or set.

    Args:
        stopping: a network's outputs (rows, units) and the encoded target of rows that it has not learnt from, and
            that may have decided when it stopped: the temperature is learnt from them, and the rule by which classes
            are named where the deciding metric rests on that.
        untouched: the same of rows that nothing else used: the interval or set rests on them.
        level: the share of new rows whose truth it is to hold.
        groups: whose mean will answer new rows; the outputs given are those of one group for each row.
    """
    coding: dict[str, Any] = dict(problem.coding)
    if problem.supervised_by == "classifier":
        coding["temperature"] = temperature(problem, *stopping)
    tempered = _ruled(type(problem)(coding), *stopping)
    coding = dict(tempered.coding)
    outputs, encoded = untouched
    known = encoded >= 0 if problem.supervised_by == "classifier" else np.isfinite(encoded)
    truth, estimates = tempered.truth(encoded[known]), tempered.estimates(outputs[known])
    coding["conformal"] = {
        "level": level,
        "rows": len(truth),
        "bound": conformal_bound(problem.strangeness(truth, estimates), level),
    }
    if coding.get("temperature", 1.0) != 1.0 and groups > 1:
        coding["temperature"] *= SHARPER_TOGETHER
    return type(problem)(coding)


def _ruled(problem: Problem, outputs: np.ndarray, encoded: np.ndarray) -> Problem:
    return with_rule(problem, problem.truth(encoded), problem.estimates(outputs))


def temperature(problem: Problem, outputs: np.ndarray, encoded: np.ndarray) -> float:
    """The number by which the logits are divided so that the log loss of these rows is least, held near 1 by few rows.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017; here the most probable temperature and not the
    likeliest, with a normal prior of its logarithm.
    """
    from scipy.optimize import minimize_scalar

    known = encoded >= 0
    if known.sum() < FEWEST_ROWS:
        return 1.0
    truth = problem.truth(encoded[known])

    def loss(log_temperature: float) -> float:
        tempered = type(problem)({**problem.coding, "temperature": math.exp(log_temperature)})
        surprise = float(problem.row_losses(truth, tempered.estimates(outputs[known])).sum())
        return surprise + (log_temperature / USUAL_SPREAD) ** 2 / 2

    found = minimize_scalar(loss, bounds=(math.log(0.2), math.log(5.0)), method="bounded")
    return float(math.exp(found.x)) if found.fun < loss(0.0) else 1.0


def conformal_bound(strangeness: np.ndarray, level: float) -> float | None:
    """The strangeness that at least ``level`` of new rows keep within, whatever their distribution; None of too few rows.

    Source: split conformal prediction, as in Angelopoulos and Bates, A Gentle Introduction to Conformal Prediction, 2021.
    """
    rows = len(strangeness)
    place = math.ceil((rows + 1) * level)
    return float(np.sort(strangeness)[place - 1]) if 0 < place <= rows else None


def coverage(problem: Problem, truth: np.ndarray, estimates: np.ndarray) -> dict[str, Any] | None:
    """How often the intervals or sets hold the truth of rows that played no part in them, and how wide they are.

    Returns:
        ``level`` asked for, ``coverage`` found with its 95 % interval ``low`` and ``high`` (Wilson), ``rows``, and
        ``width`` of the intervals in the target's units or the mean ``size`` of the sets; None where there are none.
    """
    conformal = problem.coding.get("conformal") or {}
    if conformal.get("bound") is None or not len(truth):
        return None
    known = truth >= 0 if problem.supervised_by == "classifier" else np.isfinite(truth)
    truth, estimates = truth[known], estimates[known]
    held = problem.strangeness(truth, estimates) <= conformal["bound"]
    share, rows, z = float(held.mean()), len(truth), 1.959964
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    found = {"level": conformal["level"], "coverage": share, "low": middle - half, "high": middle + half, "rows": rows}
    if isinstance(problem, Classification):
        return {**found, "size": float(problem.answer_sets(estimates).sum(1).mean())}
    return {**found, "width": 2 * conformal["bound"]}
