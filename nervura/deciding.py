"""Learns by what rule classes are named, where the deciding metric rests on the class named and not on probabilities.

The rule is a weight for each class, by which its probability is multiplied before the largest is taken; of two classes
that is a threshold on the probability of the second. The probabilities stay what they are.
"""

from __future__ import annotations

import numpy as np

from nervura.problems.base import Classification, Metric, Problem

FEWEST_ROWS = 30
"""Below so many rows, or two rows of a class, no rule is learnt."""

MOST_ROWS, MOST_WORK, ROWS_PER_CLASS = 20_000, 4_000_000, 10
"""A rule is learnt from at most so many rows, taken evenly, and of many classes from fewer: so many by rows x classes²,
though always some rows per class."""

PASSES = 3
"""How often the weight of each of several classes is looked for again, given those of the others."""

SOFT = 0.8
"""How much the probabilities count as the truth of a row beside the class that it has. Few rows of a rare class say
little of where the best threshold is; probabilities that are calibrated say it with far less noise."""


def with_rule(problem: Problem, truth: np.ndarray, estimates: np.ndarray) -> Problem:
    """A copy of ``problem`` that names classes by the rule under which the deciding metric of these rows is best.

    The rule is kept only if rules learnt from one half of the rows gain on the other half, so that few rows do not
    mislead. A problem whose metric depends on no named class is given back as it is.

    Args:
        truth, estimates: of rows that the model has not learnt from.
    """
    if not (isinstance(problem, Classification) and problem.metrics[problem.metric].of_named):
        return problem
    plain = problem.ruled(None)
    known = truth >= 0
    truth, estimates = truth[known], estimates[known]
    classes = len(plain.classes)
    most = min(MOST_ROWS, max(MOST_WORK // classes**2, ROWS_PER_CLASS * classes))
    step = max(1, -(-len(truth) // most))
    truth, estimates = truth[::step], estimates[::step]
    counts = np.bincount(truth, minlength=classes)
    if len(truth) < FEWEST_ROWS or (counts > 1).sum() < 2:
        return plain
    # Each class is dealt out in turn, so that both halves hold half of it.
    half = np.empty(len(truth), dtype=int)
    half[np.argsort(truth, kind="stable")] = np.arange(len(truth)) % 2
    soft = SOFT * estimates + (1 - SOFT) * np.eye(classes)[truth]
    metric = plain.metrics[plain.metric]
    gain = 0.0
    for learnt, judged in ((half == 0, half == 1), (half == 1, half == 0)):
        ruled = plain.ruled(best_weights(metric, soft[learnt], estimates[learnt]))
        before, after = (_reached(metric, soft[judged], one.named(estimates[judged])) for one in (plain, ruled))
        gain += after - before
    return plain.ruled(best_weights(metric, soft, estimates)) if gain > 0 else plain


RARE_CLASS = 0.1
"""Where the rarest class has a smaller share of the rows, check and report say how it would be named more often."""

RARE_METRICS = ("balanced_accuracy", "f1", "f1_macro")
"""Metrics for whoever wants a rare class to be named."""


def thresholds(problem: Problem, truth: np.ndarray, estimates: np.ndarray) -> dict[str, float | None]:
    """The metrics of a problem that make it name rare classes, each with the threshold that is best for it.

    Args:
        truth, estimates: of rows that the model has not learnt from.

    Returns:
        the threshold on the probability of the second of two classes by metric; None of more classes or too few rows.
    """
    names = [name for name in RARE_METRICS if name in problem.metrics]
    rules = (with_rule(problem.judged_by(name), truth, estimates).coding.get("rule") or {} for name in names)
    return {name: rule.get("threshold") for name, rule in zip(names, rules, strict=True)}


def _reached(metric: Metric, soft: np.ndarray, named: np.ndarray) -> float:
    """A metric where the truth of a row is a share of each class (rows, classes); larger is better."""
    is_named = np.eye(soft.shape[1])[named]
    found = metric.function((is_named * soft).sum(0)[None], is_named.sum(0)[None], soft.sum(0)[None])
    return float(found[0] if metric.greater_is_better else -found[0])


def best_weights(metric: Metric, soft: np.ndarray, estimates: np.ndarray) -> np.ndarray:
    """The weight of each class (classes,), of geometric mean 1, under which a metric of named classes is best.

    Coordinate search: the weight of one class after another is set to its exact best, given the others'.

    Args:
        soft: the truth of each row as a share of each class (rows, classes).
        estimates: the probabilities (rows, classes).
    """
    classes = estimates.shape[1]
    shares = np.maximum(soft.mean(0), 1e-9)
    found: list[tuple[float, np.ndarray]] = []
    for start in (np.ones(classes), 1 / shares) if classes > 2 else (np.ones(classes),):
        weights, reached = start.copy(), -np.inf
        for _ in range(PASSES if classes > 2 else 1):
            before = reached
            for place in range(classes) if classes > 2 else (1,):
                weights[place], reached = _best_weight(metric, soft, estimates, weights, place)
            if reached <= before:
                break
        found.append((reached, weights))
    weights = max(found, key=lambda one: one[0])[1]
    return weights / np.exp(np.log(weights).mean())


def _best_weight(
    metric: Metric, soft: np.ndarray, estimates: np.ndarray, weights: np.ndarray, place: int
) -> tuple[float, float]:
    """The best weight of the class at ``place``, given the others', and what the metric then is (larger is better).

    A larger weight gives the class one row after another. The score after each of them comes from sums along that order.
    """
    rows, classes = estimates.shape
    rivals = estimates * weights
    rivals[:, place] = -1.0
    rival = rivals.argmax(1)
    # The weight from which a row is named so; none is enough for a class that has no chance.
    with np.errstate(divide="ignore"):
        needed = rivals.max(1) / estimates[:, place]
    order = np.argsort(needed, kind="stable")
    needed, rival, soft = needed[order], rival[order], soft[order]
    each = np.arange(rows)
    named = np.zeros((rows + 1, classes))
    hits = np.zeros((rows + 1, classes))
    named[0] = np.bincount(rival, minlength=classes)
    hits[0] = np.bincount(rival, soft[each, rival], minlength=classes)
    named[1 + each, rival], named[1 + each, place] = -1, 1
    hits[1 + each, rival], hits[1 + each, place] = -soft[each, rival], soft[:, place]
    hits, named = hits.cumsum(0), named.cumsum(0)
    scores = metric.function(hits, named, np.broadcast_to(soft.sum(0), hits.shape))
    scores = scores if metric.greater_is_better else -scores
    # What a weight can change: rows before are named so by every weight, rows behind by none.
    first, last = np.searchsorted(needed, 0.0, "right"), np.searchsorted(needed, np.inf)
    needed, scores = needed[first:last], scores[first : last + 1]
    if not len(needed):
        return float(weights[place]), float(scores[0])
    ends = np.concatenate([needed[:1] / 2, needed, needed[-1:] * 2])
    # Rows that need the same weight are named so together.
    scores[np.flatnonzero(needed[:-1] == needed[1:]) + 1] = -np.inf
    best = int(np.argmax(scores))
    return float(np.sqrt(ends[best] * ends[best + 1])), float(scores[best])
