"""The constant guess: whoever does no better has found nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nervura.baselines.base import Baseline, Fitted, Guess, Rows

if TYPE_CHECKING:
    from nervura.encoding import Tensor
    from nervura.problems.base import Problem


class Constant(Baseline):
    """The mean, or the classes' shares, of the training target. Written as constant.json."""

    name = "constant"
    summary = "the same guess for every row: the mean, or the classes' shares"
    kind = "constant"
    simplicity = 0

    def learn(self, problem: Problem, tensors: list[Tensor], rows: Rows, held: Rows | None, seed: int) -> Fitted:
        return Guess(problem.constant(rows[1], 1)[0])

    def seconds(self, rows: int, features: int, outputs: int) -> float:
        return 0.0
