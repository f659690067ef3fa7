"""What an autoencoder gives of a row: its code, the row rebuilt, and the row as it was given, side by side.

A row is given as numbers, in units of their own deviation around their mean, flags from 0 to 1, one zero or one per
level, words by their shares of a document, and pixels from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from nervura.encoding import Tensor

KINDS = {"numbers": "numbers", "flags": "flags", "categories": "levels", "words": "counts", "pictures": "pixels"}
"""The kind of the values that each tensor is rebuilt as, in the order in which they stand."""


SPOKEN_WORDS = 64


def shares_scale(words: int) -> float:
    """What the shares of so many words, which sum to 1, are multiplied by where a row is given or rebuilt.

    The row of a document with 64 different words, all as rare, then has a length of about sqrt(words), as that of as many
    columns of other kinds.
    """
    return float((SPOKEN_WORDS * words) ** 0.5)


@dataclass(frozen=True)
class Block:
    """Values of one kind that stand side by side.

    Attributes:
        kind: ``numbers``, ``flags``, ``levels``, ``counts`` or ``pixels``.
        names: of its features; of pixels the one column of pictures.
        sizes: how many values each feature has: levels have several, pictures all their pixels.
    """

    kind: str
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def width(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True)
class Layout:
    """Where code, rebuilt row and given row stand in outputs of shape (rows, length + 2 x width)."""

    length: int
    """Of the code."""
    blocks: tuple[Block, ...]

    @property
    def width(self) -> int:
        """How many values a row is given as."""
        return sum(block.width for block in self.blocks)

    @property
    def names(self) -> list[str]:
        """Of all features, in their order."""
        return [name for block in self.blocks for name in block.names]

    def code(self, outputs: np.ndarray) -> np.ndarray:
        """The codes, (rows, length)."""
        return outputs[:, : self.length]

    def rebuilt(self, outputs: np.ndarray) -> np.ndarray:
        """The rows rebuilt from their codes, (rows, width)."""
        return outputs[:, self.length : self.length + self.width]

    def given(self, outputs: np.ndarray) -> np.ndarray:
        """The rows as they were given, (rows, width)."""
        return outputs[:, self.length + self.width :]

    def errors(self, outputs: np.ndarray) -> np.ndarray:
        """The squared error of each feature, summed over its values: (rows, features) float64."""
        import numpy as np

        starts = np.cumsum([0, *(size for block in self.blocks for size in block.sizes)])[:-1]
        squares = np.square(self.rebuilt(outputs) - self.given(outputs), dtype=np.float64)
        return np.add.reduceat(squares, starts, axis=1)

    def errors_by_kind(self, outputs: np.ndarray) -> np.ndarray:
        """The squared error of each block, summed over its features: (rows, blocks) float64."""
        import numpy as np

        starts = np.cumsum([0, *(len(block.names) for block in self.blocks)])[:-1]
        return np.add.reduceat(self.errors(outputs), starts, axis=1)

    def to_json(self) -> dict[str, Any]:
        blocks = [{"kind": block.kind, "names": list(block.names), "sizes": list(block.sizes)} for block in self.blocks]
        return {"length": self.length, "blocks": blocks}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Layout:
        blocks = (Block(one["kind"], tuple(one["names"]), tuple(one["sizes"])) for one in told["blocks"])
        return cls(told["length"], tuple(blocks))


def layout(tensors: list[Tensor], length: int) -> Layout:
    """The layout of what is rebuilt of rows that come as ``tensors``, through a code of ``length``."""
    by_name = {tensor.name: tensor for tensor in tensors}
    found = []
    for name, kind in KINDS.items():
        if name in by_name:
            tensor = by_name[name]
            sizes = tensor.sizes or ((tensor.width,) if kind == "pixels" else (1,) * tensor.width)
            found.append(Block(kind, tensor.features, sizes))
    return Layout(length, tuple(found))


def places(blocks: list[tuple[str, list[int]]]) -> list[tuple[str, slice]]:
    """Where values of a kind stand: those of numbers, flags, counts and pixels together, the levels of each column alone."""
    found, start = [], 0
    for kind, sizes in blocks:
        for size in sizes if kind == "levels" else [sum(sizes)]:
            found.append((kind, slice(start, start + size)))
            start += size
    return found
