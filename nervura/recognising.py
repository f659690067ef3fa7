"""Rows that a run has learnt from, known again among new ones by hashes."""

from __future__ import annotations

import hashlib

import numpy as np

HASHED_ROWS = 10_000

CHANCE = 1.25
"""New rows equal those that were learnt from by chance as often as these equal each other, or up to so many times."""


def hashes(x: dict[str, np.ndarray], y: np.ndarray) -> np.ndarray:
    """A number for each encoded row with its target, uint64 (rows,), by which it is known again; equal rows have equal
    ones."""
    found = []
    for start in range(0, len(y), HASHED_ROWS):
        parts = [array[start : start + HASHED_ROWS] for array in (y, *(x[name] for name in sorted(x)))]
        told = np.concatenate([np.ascontiguousarray(p).reshape(len(p), -1).view(np.uint8) for p in parts], axis=1)
        found += [hashlib.blake2b(row, digest_size=8).digest() for row in told]
    return np.frombuffer(b"".join(found), "<u8").astype(np.uint64)


def repeated(given: np.ndarray, learnt: np.ndarray, name: str, notes: list[str]) -> np.ndarray:
    """Which rows a run learnt from, bool (rows,), by the hashes of the rows and of those that it learnt from.

    Where rows of few different values are equal by chance, those that are so are like any other row, and none is set apart.
    """
    same = np.isin(given, learnt)
    _, counts = np.unique(learnt, return_counts=True)
    usual = float(counts[counts > 1].sum() / max(1, counts.sum()))
    share, count = float(same.mean()), int(same.sum())
    if not count:
        notes.append(f"None of the rows is one that the run {name} learnt from.")
    elif share <= CHANCE * usual:
        notes.append(
            f"{share:.0%} of the rows equal one that the run {name} learnt from, about as many as of these equal each other "
            f"({usual:.0%}): that is taken for chance, and all rows can judge."
        )
        return np.zeros(len(same), bool)
    else:
        notes.append(
            f"{count:,} of {len(same):,} rows equal one that the run {name} learnt from: they are learnt from again and judge "
            "nothing."
        )
    return same
