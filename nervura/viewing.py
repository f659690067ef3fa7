"""What detectors of odd rows and clusterers look at, made of what an autoencoder gives of rows. It knows none of them."""

from __future__ import annotations

from typing import Self

import numpy as np

from nervura.rebuilding import Layout

ROWS, CODE = "rows", "code"
"""What a detector looks at: the rows as they are given, or their codes and what the network fails to rebuild of them."""

WIDE, AXES = 200, 100
"""Rows of more values than this are looked at along so many principal components and, in what is not rebuilt, along so many
random directions."""

LARGEST_SCALE = 10.0
"""A column that hardly varies counts at most so many times as much as it is."""

LEAST_MISSED = 1e-2
"""Added to what the network usually fails to rebuild, so that no column that it rebuilds exactly outweighs all others."""

ROWS_AT_ONCE = 4_000

LIKE, KNOWN_ROWS = 10, 2_000
"""The reasons of a row are told by so many rows that are like it, among so many that were learnt from."""

LEARNT_ROWS, LEARNT_VALUES = 20_000, 2**25
"""Of more rows so many, or of wide ones as many as have so many values together, are given to the detectors, taken evenly;
most of them learn from fewer."""

PLACES = ("top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right")


class Views:
    """What detectors look at, made of a network's outputs.

    Args:
        arrays: ``scale`` and ``usual``, the factors of what is given and of what is not rebuilt (width,), ``code_scale``,
            that of the code (length,); of wide rows also ``centre`` (width,), ``axes`` (axes, width) and ``directions``
            (axes, width).
    """

    def __init__(self, layout: Layout, arrays: dict[str, np.ndarray]):
        self.layout, self.arrays = layout, arrays

    @classmethod
    def of(cls, layout: Layout, outputs: np.ndarray) -> Self:
        """Takes from the training rows in which units values are compared: numbers and flags in their own deviations, the
        levels of a category together as one number, pixels all alike."""
        given, width = layout.given(outputs), layout.width
        variances, start = given.var(0, dtype=np.float64), 0
        scale = np.empty(width)
        for block in layout.blocks:
            for size in block.sizes if block.kind in ("levels", "pixels") else [1] * block.width:
                here = slice(start, start + size)
                spread = variances[here].mean() if block.kind == "pixels" else variances[here].sum()
                scale[here] = min(LARGEST_SCALE, 1 / max(np.sqrt(spread), 1e-9))
                start += size
        arrays = {"scale": scale, "usual": np.ones(width), "code_scale": 1 / (layout.code(outputs).std(0) + 1e-6)}
        made = cls(layout, arrays)
        missed = made.missed(outputs)
        arrays["usual"] = 1 / (np.sqrt((missed**2).mean(0)) + LEAST_MISSED)
        if width > WIDE:
            from sklearn.decomposition import PCA

            found = PCA(min(AXES, len(outputs) - 1), random_state=0).fit(made.scaled(outputs))
            directions = np.random.default_rng(0).normal(size=(AXES, width)) / np.sqrt(AXES)
            arrays |= {"centre": found.mean_, "axes": found.components_, "directions": directions}
        return made

    def __call__(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """The rows, and their codes beside what the network fails to rebuild: (rows, features) each."""
        starts = range(0, max(1, len(outputs)), ROWS_AT_ONCE)
        parts = [self._seen(outputs[start : start + ROWS_AT_ONCE]) for start in starts]
        return {view: np.concatenate([part[view] for part in parts]) for view in (ROWS, CODE)}

    def _seen(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        missed = self.missed(outputs)
        if "axes" in self.arrays:
            missed = missed @ self.arrays["directions"].T
        code = self.layout.code(outputs) * self.arrays["code_scale"]
        return {ROWS: self.rows(outputs), CODE: np.hstack([code, missed])}

    def rows(self, outputs: np.ndarray) -> np.ndarray:
        """The rows as they are given, in comparable units and, of wide ones, along their principal components."""
        rows = self.scaled(outputs)
        return (rows - self.arrays["centre"]) @ self.arrays["axes"].T if "axes" in self.arrays else rows

    def scaled(self, outputs: np.ndarray) -> np.ndarray:
        """The rows as they are given, in comparable units (rows, width) float64."""
        return self.layout.given(outputs) * self.arrays["scale"]

    def missed(self, outputs: np.ndarray) -> np.ndarray:
        """What the network fails to rebuild, in units of what is usual for each value (rows, width) float64."""
        return (self.layout.given(outputs) - self.layout.rebuilt(outputs)) * self.arrays["scale"] * self.arrays["usual"]

    def unfolded(self, rows: np.ndarray) -> np.ndarray:
        """Rows as detectors look at them in the form of ``scaled`` again, as far as principal components tell it."""
        return rows @ self.arrays["axes"] + self.arrays["centre"] if "axes" in self.arrays else rows

    def groups(self, picture: list[int] | None) -> tuple[list[str], np.ndarray, np.ndarray]:
        """What reasons are told by, columns or parts of a picture: their names, the number of each value's group (width,),
        and for each group the value that is high or low, -1 where none is.

        Args:
            picture: height, width and channels of pictures.
        """
        if picture is not None:
            down, across = (np.arange(size) * 3 // size for size in picture[:2])
            cells = down[:, None, None] * 3 + across[:, None] + np.zeros(picture[2], int)
            used, groups = np.unique(cells.ravel(), return_inverse=True)
            return [PLACES[cell] for cell in used], groups, np.full(len(used), -1)
        columns: list[str] = []
        numbers: dict[str, int] = {}
        for block in self.layout.blocks:
            for label, size in zip(block.names, block.sizes, strict=True):
                # A label names the column that it was made from, and then what of it.
                column = label.partition(" › ")[0]
                if block.kind == "numbers" and label == column:
                    numbers[column] = len(columns)
                columns += [column] * size
        names = list(dict.fromkeys(columns))
        place = {name: number for number, name in enumerate(names)}
        return names, np.array([place[column] for column in columns]), np.array([numbers.get(n, -1) for n in names])


def learnt_rows(width: int) -> int:
    """How many rows of so many values are given to the detectors at most."""
    return max(LIKE, min(LEARNT_ROWS, LEARNT_VALUES // width))
