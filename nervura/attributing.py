"""Which moments of a series or words of a text an answer rests on: told by hiding them, for any model that answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nervura import texts

SEGMENTS, REPEATS, MOST_ROWS, LONGEST_WINDOW = 16, 3, 400, 8
"""Importance is told of so many segments of the series, each dealt out anew so often among so many rows; what is hidden of
one series is an eighth of it at most."""

WINDOWS = 32

Answer = Callable[[np.ndarray], np.ndarray]
"""Encoded series (rows, length, channels) to estimates (rows, ...)."""


def segments(length: int, most: int = SEGMENTS) -> list[tuple[int, int]]:
    """The first moment of each segment and the one behind its last."""
    borders = np.linspace(0, length, min(most, length) + 1).round().astype(int)
    return [(int(start), int(end)) for start, end in zip(borders[:-1], borders[1:], strict=True)]


def importance(
    series: np.ndarray, loss: Callable[[np.ndarray], float], seed: int, deadline: float | None = None
) -> list[dict[str, Any]]:
    """How much the loss rises when a segment's values are dealt out anew among the rows: ``from``, ``to``, ``value``,
    ``low`` and ``high`` of each, moments counted from 1.

    Args:
        loss: of series (rows, length, channels).
        deadline: segments not reached by then are left out.
    """
    whole, found = loss(series), []
    for number, (start, end) in enumerate(segments(series.shape[1])):
        if deadline is not None and time.monotonic() > deadline:
            break
        draw, losses = np.random.default_rng([seed, number]), []
        for _ in range(REPEATS):
            dealt = series.copy()
            taken = series[draw.permutation(len(series)), start:end]
            # What a series does not have stays unknown, and what it has stays known.
            dealt[:, start:end] = np.where(
                np.isnan(taken) | np.isnan(series[:, start:end]), series[:, start:end], taken
            )
            losses.append(loss(dealt) - whole)
        row = {"from": start + 1, "to": end, "value": float(np.mean(losses)), "low": min(losses), "high": max(losses)}
        found.append(row)
    return found


def hidden_windows(series: np.ndarray, answer: Answer, output: int) -> np.ndarray:
    """How much the estimate of one output falls where moments around a place are hidden, as shares of the largest fall,
    (length,) from 0 to 1.

    A window is hidden by a straight line between its borders. Source: Zeiler and Fergus, Visualizing and Understanding
    Convolutional Networks (ECCV 2014), for pictures.

    Args:
        series: one of them (length, channels).
        output: which class; of values the change counts in either direction.
    """
    length = int((~np.isnan(series).all(1)).sum())
    windows = segments(max(1, length), WINDOWS)
    width = max(1, length // LONGEST_WINDOW // 2)
    versions = np.repeat(series[None], len(windows) + 1, axis=0)
    spans = []
    for number, (start, end) in enumerate(windows, 1):
        first, last = max(0, start - width // 2), min(max(1, length), end + width // 2)
        spans.append((first, last))
        before, behind = series[max(0, first - 1)], series[min(max(1, length) - 1, last)]
        shares = np.linspace(0, 1, last - first + 2)[1:-1, None]
        versions[number, first:last] = before + shares * (behind - before)
    found = answer(versions)
    values = found if found.ndim == 1 else found[:, output]
    fall = values[0] - values[1:]
    fall = np.abs(fall) if found.ndim == 1 else np.maximum(0.0, fall)
    heat, counts = np.zeros(len(series)), np.zeros(len(series))
    for (first, last), value in zip(spans, fall, strict=True):
        heat[first:last] += value
        counts[first:last] += 1
    heat /= np.maximum(1, counts)
    return heat / max(1e-12, float(heat.max()))


MOST_WORDS = 60


def hidden_words(text: np.ndarray, answer: Answer, output: int, encoding: dict[str, Any]) -> dict[str, float]:
    """By how much the estimate of one output falls when a word, or a pair of words, is hidden; of a long text the first or
    heaviest ones.

    Args:
        text: its tokens (length,) or its terms (most, 2).
        output: which class; of values it plays no part.
        encoding: as ``nervura.texts.learn`` gave it.
    """
    numbers = text if text.ndim == 1 else text[:, 0].astype(int)
    there = list(dict.fromkeys(int(number) for number in numbers if number))[:MOST_WORDS]
    versions = np.repeat(text[None], len(there) + 1, axis=0)
    for place, number in enumerate(there, 1):
        versions[place][numbers == number] = 0
    found = answer(versions)
    values = found if found.ndim == 1 else found[:, output]
    falls = values[0] - values[1:]
    words = [texts.word_of(number, text.ndim > 1, encoding) for number in there]
    return {word: float(fall) for word, fall in zip(words, falls, strict=True) if word}
