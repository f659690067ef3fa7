"""Whether pictures may be mirrored from left to right in training: told by the training pictures themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_PICTURES = 2_000
SIDE = 16
"""Pictures are compared at about this many pixels a side."""

NEIGHBOURS = 5
FARTHER = 1.08
"""Mirrored pictures that lie farther than this many times the usual distance from all others are of another kind."""

LOST = 0.1
"""The share of the neighbours' skill that may be lost, beside two standard errors."""

FEWEST = 20


def mirroring(pictures: np.ndarray, target: np.ndarray, classes: bool) -> dict[str, Any]:
    """Whether mirrored training pictures look like training pictures, and like those of their own answer.

    Each picture is answered by its five nearest others, as it is and mirrored. Mirroring is allowed where mirrored
    pictures are no farther from the others than pictures usually are, and their neighbours answer no worse. Mirrored
    digits are far from all digits; mirrored arrows look like arrows, but are named wrongly.

    Args:
        pictures: of the training rows, (rows, height, width, channels), or a sample of them.
        target: class codes or values of these rows.
        classes: whether the target is classes.

    Returns:
        ``alike`` (the decision), ``pictures`` (how many were compared), ``distance`` (mirrored beside as they are), and
        ``skill`` and ``skill_mirrored``: how far the neighbours' answers are above a guess, 1 at most.
    """
    step = max(1, -(-len(target) // MOST_PICTURES))
    pictures, target = pictures[::step], np.asarray(target)[::step]
    if len(target) < FEWEST:
        return {"alike": False, "pictures": len(target), "distance": None, "skill": None, "skill_mirrored": None}
    small = _shrunk(pictures)
    rows, mirrored = small.reshape(len(small), -1), small[:, :, ::-1].reshape(len(small), -1)
    usual, near = _neighbours(rows, rows)
    other, near_mirrored = _neighbours(mirrored, rows)
    distance = float(other / usual) if usual > 0 else 1.0
    skills, error = zip(*(_skill(target[found], target, classes) for found in (near, near_mirrored)), strict=True)
    lost = skills[0] - skills[1]
    alike = distance <= FARTHER and lost <= LOST * max(skills[0], 0.0) + 2 * max(error)
    return {
        "alike": bool(alike),
        "pictures": len(target),
        "distance": distance,
        "skill": float(skills[0]),
        "skill_mirrored": float(skills[1]),
    }


def _shrunk(pictures: np.ndarray) -> np.ndarray:
    """Means over square cells, edges continued, at most about SIDE a side."""
    height, width = pictures.shape[1:3]
    cell = max(1, -(-max(height, width) // SIDE))
    wide = np.pad(pictures, ((0, 0), (0, -height % cell), (0, -width % cell), (0, 0)), "symmetric").astype("float32")
    rows, columns = wide.shape[1] // cell, wide.shape[2] // cell
    return wide.reshape(len(wide), rows, cell, columns, cell, -1).mean((2, 4))


def _neighbours(asked: np.ndarray, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """The median distance to the nearest row and the nearest rows of each, its own left out."""
    squares = np.square(asked).sum(1)[:, None] - 2 * asked @ rows.T + np.square(rows).sum(1)
    np.fill_diagonal(squares, np.inf)
    found = np.argpartition(squares, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return float(np.sqrt(np.median(np.maximum(squares.min(1), 0.0)))), found


def _skill(answers: np.ndarray, target: np.ndarray, classes: bool) -> tuple[float, float]:
    """How far the answers of neighbours (rows, neighbours) are above a guess, and the standard error of that."""
    if classes:
        codes = target.astype(int)
        votes = (answers.astype(int)[:, :, None] == np.arange(codes.max() + 1)).sum(1)
        right = votes.argmax(1) == codes
        guess = np.bincount(codes).max() / len(codes)
        room = max(1.0 - guess, 1e-9)
        return (right.mean() - guess) / room, np.sqrt(max(right.mean() * (1 - right.mean()), 1e-9) / len(codes)) / room
    errors = np.square(answers.mean(1) - target)
    spread = max(float(target.var()), 1e-12)
    return 1 - errors.mean() / spread, errors.std() / np.sqrt(len(target)) / spread
