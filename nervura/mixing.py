"""Training pictures mixed with one another: blended (MixUp), or with a rectangle of another one pasted in (CutMix)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nervura.encoding import PICTURES
from nervura.errors import OptionError

Batch = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray | None]
"""Inputs by name, the target as the loss takes it (rows, ...), and the weights of the rows (rows,) or None."""

STREAM = 77
"""Keeps these draws apart from those of the row order."""


@dataclass(frozen=True)
class Mixing:
    """Mixes each batch with itself in another order, all of its pictures by one share.

    MixUp: picture and target are ``share`` times the one and ``1 - share`` times the other. CutMix: a rectangle of the other
    picture is pasted in at the same place; the share is that of the area that is left. Where both are wanted, each batch
    has the one or the other, by a fair coin. Classes are mixed by their shares, values too. What is drawn depends on (seed,
    epoch, step) alone.

    Sources: Zhang, Cisse, Dauphin and Lopez-Paz, mixup: Beyond Empirical Risk Minimization (ICLR 2018); Yun et al., CutMix:
    Regularization Strategy to Train Strong Classifiers with Localizable Features (ICCV 2019).

    Args:
        mixup, cutmix: both parameters of the Beta distribution that the share comes from; 0: not at all.
    """

    mixup: float
    cutmix: float
    seed: int

    def __call__(self, epoch: int, step: int, batch: Batch) -> Batch:
        x, target, weights = batch
        pictures = x[PICTURES]
        draw = np.random.default_rng([self.seed, STREAM, epoch, step])
        others = draw.permutation(len(target))
        cut = bool(self.cutmix) and (not self.mixup or draw.random() < 0.5)
        parameter = self.cutmix if cut else self.mixup
        wanted = float(draw.beta(parameter, parameter))
        if cut:
            rows, columns = rectangle(1 - wanted, pictures.shape[1], pictures.shape[2], draw)
            mixed = pictures.copy()
            mixed[:, rows, columns] = pictures[others, rows, columns]
            area = (rows.stop - rows.start) * (columns.stop - columns.start)
            share = 1 - area / (pictures.shape[1] * pictures.shape[2])
        else:
            share = wanted
            both = np.float32(share) * pictures + np.float32(1 - share) * pictures[others]
            mixed = np.rint(both, out=both).astype(pictures.dtype)
        return {**x, PICTURES: mixed}, *mixed_targets(target, weights, others, share)


def rectangle(area: float, height: int, width: int, draw: np.random.Generator) -> tuple[slice, slice]:
    """A rectangle of the picture's own proportions that has a share ``area`` of it, around a random pixel; what reaches
    over an edge is cut off."""
    found = []
    for length in (height, width):
        side, middle = round(length * np.sqrt(area)), int(draw.integers(length))
        found.append(slice(max(0, middle - side // 2), min(length, middle - side // 2 + side)))
    return found[0], found[1]


def mixed_targets(
    target: np.ndarray, weights: np.ndarray | None, others: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray | None]:
    """Targets and weights by which the loss of a row is ``share`` times that of its own target and ``1 - share`` times
    that of the other's, each by its own weight: so it is for every loss that is linear in the target."""
    own = np.full(len(target), share) if weights is None else share * weights
    other = np.full(len(target), 1 - share) if weights is None else (1 - share) * weights[others]
    together = own + other
    shape = (-1, *[1] * (target.ndim - 1))
    mixed = (own / together).reshape(shape) * target + (other / together).reshape(shape) * target[others]
    return mixed.astype("float32"), None if weights is None else together.astype(weights.dtype)


def wanted(options: Any) -> bool:
    """Whether a network's options ask for mixing."""
    return bool(getattr(options, "mixup", 0.0) or getattr(options, "cutmix", 0.0))


def mixing_for(options: Any, seed: int, batch_size: int) -> Mixing | None:
    """What mixes the batches of a training, or None.

    Raises:
        OptionError: a batch has one picture, and nothing to mix it with.
    """
    if not wanted(options):
        return None
    if batch_size < 2:
        raise OptionError(
            "mixup and cutmix mix the pictures of a batch, which takes two at least; a batch has 1 picture. Write --set "
            "batch_size=32, or leave mixup and cutmix out."
        )
    return Mixing(options.mixup, options.cutmix, seed)
