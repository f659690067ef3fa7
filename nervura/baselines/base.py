"""The contract of a baseline: it learns from encoded rows, estimates others, and is written and read without pickle.

Rows are the tensors of ``nervura.encoding`` by name; their truth is class codes, or values in the target's units; the
estimates are in the problem's form: probabilities of all its classes, or values.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nervura.encoding import WORDS

if TYPE_CHECKING:
    from nervura.encoding import Tensor
    from nervura.onnx_graph import Value
    from nervura.problems.base import Problem

MOST_TREES = 500
"""More rounds of boosting than this are not tried; with several classes, each of which is a tree a round, fewer."""

MANY_ROWS = 10_000
"""From this many rows trees are grown on all cores. Of fewer, threads spend longer waiting for each other than working,
and on a busy machine far longer."""

FEW_OUTPUTS = 10
"""Boosted trees with more outputs than this, each of which is a tree a round, are not bagged: it would take minutes."""

FEW_ROWS = 2_000
"""Up to this many rows the number of rounds is found on five folds, since one small sample of rows says little."""

MOST_WORDS = 300
"""Trees, which look at each column for each split, are grown on so many of the commonest words of documents."""

FALLBACK_ROUNDS = 20
"""Where no row can be held out, because every class is rare."""

X = dict[str, np.ndarray]
Rows = tuple[X, np.ndarray]
"""Encoded rows by tensor and their truth (rows,)."""


class Fitted:
    """A baseline that has learnt."""

    def estimates(self, x: X, without: int | None = None) -> np.ndarray:
        """Probabilities (rows, classes) or values (rows,), float64.

        Args:
            without: a fold; what is bagged then answers by the model that has not learnt from it.
        """
        raise NotImplementedError

    def write(self, folder: Path) -> None:
        """Writes all that ``Baseline.read`` needs into an empty folder."""
        raise NotImplementedError

    def graph(self, x: dict[str, Value]) -> Value:
        """``estimates`` as an ONNX graph: probabilities (rows, classes) or values (rows, 1), float64.

        Raises:
            NotImplementedError: there is no such form.
        """
        raise NotImplementedError


class Baseline:
    """One kind of simpler model. A subclass in a file of this folder is found by the shelf.

    It needs ``learn`` and ``load``; ``fit`` and ``read`` are the ways in.

    Attributes:
        kind: ``constant``, ``linear``, ``shallow`` or ``trees``, for the verdict.
        simplicity: its rank among all models, lower is simpler; a deep network has 4 or more.
        needs: the tensor without which it has nothing to learn from; None where any will do.
        requires: packages beyond those of training, each with the extra that installs it; without them it is skipped.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    kind: ClassVar[str]
    simplicity: ClassVar[int]
    needs: ClassVar[str | None] = None
    requires: ClassVar[list[tuple[str, str]]] = []

    def learn(self, problem: Problem, tensors: list[Tensor], rows: Rows, held: Rows | None, seed: int) -> Fitted:
        """Learns from ``rows``, whose truth varies.

        Args:
            held: rows to stop on; None where there are none, so that what has to be found on held-out rows is found on
                some of ``rows``.
        """
        raise NotImplementedError

    def load(self, folder: Path, problem: Problem, tensors: list[Tensor]) -> Fitted:
        """What ``learn`` gave, from the files that its ``write`` left."""
        raise NotImplementedError

    def models(self, rows: int, features: int, outputs: int) -> int:
        """How many of five folds are left out in turn, each by a model of its own that stops on it; 0: it needs none."""
        return 0

    def seconds(self, rows: int, features: int, outputs: int) -> float:
        """About how long ``fit`` takes, with one model; a time budget asks."""
        return 1.0

    def fit(
        self,
        problem: Problem,
        tensors: list[Tensor],
        rows: Rows,
        *,
        folds: np.ndarray | None = None,
        models: int = 0,
        seed: int = 0,
    ) -> Fitted:
        """Learns from ``rows``, whatever they are.

        Args:
            folds: the fold of each row, 0 and on. Fold 0, the validation rows, is then left out by the first model,
                which stops on it, fold 1 by the second, and so on; without folds one model learns from all rows.
            models: how many there are of them; their mean answers for new rows.
        """
        tensors = self.reads(tensors)
        if folds is None or not models:
            return self._learn(problem, tensors, rows, None, seed)
        bag = []
        for fold in range(models):
            out = folds == fold
            bag.append(self._learn(problem, tensors, chosen(rows, ~out), chosen(rows, out), seed))
        return Bag(bag)

    def read(self, folder: Path, problem: Problem, tensors: list[Tensor]) -> Fitted:
        """What a ``write`` left in a folder; needs the problem and tensors that it was fitted to."""
        parts = sorted(folder.glob("fold_*"), key=lambda part: int(part.name.removeprefix("fold_")))
        if parts:
            return Bag([self.read(part, problem, tensors) for part in parts])
        if (folder / CONSTANT).exists():
            return Guess(np.array(read_json(folder / CONSTANT)["estimate"]))
        return self.load(folder, problem, self.reads(tensors))

    def reads(self, tensors: list[Tensor]) -> list[Tensor]:
        """The tensors as this kind of model reads them."""
        return with_common_words(tensors) if self.kind == "trees" else tensors

    def missing(self) -> list[tuple[str, str]]:
        """What it requires and is not installed."""
        return [(package, extra) for package, extra in self.requires if find_spec(package) is None]

    def _learn(self, problem: Problem, tensors: list[Tensor], rows: Rows, held: Rows | None, seed: int) -> Fitted:
        y = rows[1]
        if (y == y[0]).all():
            return Guess(problem.constant(y, 1)[0])
        if held is not None and problem.supervised_by == "classifier":
            # No model has a place for a class that it has not met.
            held = chosen(held, np.isin(held[1], y))
        return self.learn(problem, tensors, rows, held if held is None or len(held[1]) else None, seed)


CONSTANT = "constant.json"


@dataclass(frozen=True)
class Guess(Fitted):
    """The same for every row: what is left where the target of the training rows does not vary."""

    estimate: np.ndarray
    """One value (), or one probability per class (classes,)."""

    def estimates(self, x: X, without: int | None = None) -> np.ndarray:
        return np.repeat(np.asarray(self.estimate, dtype=np.float64)[None], height(x), axis=0)

    def write(self, folder: Path) -> None:
        write_json(folder / CONSTANT, {"estimate": np.asarray(self.estimate).tolist()})

    def graph(self, x: dict[str, Value]) -> Value:
        return next(iter(x.values())).repeated(np.atleast_1d(np.asarray(self.estimate, dtype=np.float64)))


@dataclass(frozen=True)
class Bag(Fitted):
    """Models that each left out one fold; the mean of their estimates answers."""

    models: list[Fitted]

    def estimates(self, x: X, without: int | None = None) -> np.ndarray:
        if without is not None:
            return self.models[without].estimates(x)
        return np.mean([model.estimates(x) for model in self.models], axis=0)

    def write(self, folder: Path) -> None:
        for number, model in enumerate(self.models):
            part = folder / f"fold_{number}"
            part.mkdir()
            model.write(part)

    def graph(self, x: dict[str, Value]) -> Value:
        graphs = [model.graph(x) for model in self.models]
        return sum(graphs[1:], start=graphs[0]) / float(len(graphs))


def rounds_found(y: np.ndarray, classes: bool, seed: int, trial: Callable[[np.ndarray, np.ndarray], int]) -> int:
    """How many rounds of boosting are best on rows held out: the median over the folds of few rows.

    Args:
        trial: gives the best number of rounds for row numbers (kept, held out).
    """
    labels = y if classes else np.zeros(len(y), dtype=np.int64)
    found = [trial(kept, held) for kept, held in held_out(labels, seed, 5 if len(y) <= FEW_ROWS else 1)]
    return max(1, int(np.median(found))) if found else FALLBACK_ROUNDS


def held_out(labels: np.ndarray, seed: int, folds: int = 1) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs (kept, held out) of row numbers, a fifth held out in each; a class with fewer than five rows never is."""
    order = np.random.default_rng(seed).permutation(len(labels))
    # Dealing out the rows of each class in turn stratifies.
    dealt = order[np.argsort(labels[order], kind="stable")]
    fold = np.arange(len(labels)) % 5
    fold[np.bincount(labels)[labels[dealt]] < 5] = -1
    for number in range(folds):
        held = np.sort(dealt[fold == number])
        if len(held):
            yield np.sort(dealt[fold != number]), held


def most_rounds(outputs: int) -> int:
    """The limit of rounds for a model with so many outputs, each of which is a tree a round."""
    return MOST_TREES if outputs <= 2 else max(20, 3 * MOST_TREES // outputs)


def threads(rows: int) -> int:
    """On how many cores trees are grown."""
    return (os.cpu_count() or 1) if rows >= MANY_ROWS else 1


def spread(shares: np.ndarray, classes: np.ndarray, problem: Problem) -> np.ndarray:
    """Probabilities of the classes that were learnt as those of all classes: one without a training row has no chance."""
    whole = np.zeros((len(shares), len(problem.coding["classes"])))
    whole[:, classes] = shares
    return whole / whole.sum(1, keepdims=True)


def spread_graph(shares: Value, classes: np.ndarray, problem: Problem) -> Value:
    """``spread`` as an ONNX graph."""
    whole = shares @ np.eye(len(problem.coding["classes"]))[classes]
    return whole / whole.sum()


def shares_graph(outputs: Value, count: int) -> Value:
    """So many logits (rows, count) as the probabilities of their classes; one alone is that of the second of two."""
    if count == 1:
        return (outputs * np.array([-1.0, 1.0])).sigmoid()
    return outputs.softmax()


def side_by_side_graph(tensors: list[Tensor], x: dict[str, Value]) -> Value:
    """``side_by_side`` as an ONNX graph."""
    parts = [x[tensor.name].cast(np.float64) for tensor in tensors]
    return parts[0].op("Concat", *parts, axis=1)


def chosen(rows: Rows, which: np.ndarray) -> Rows:
    """Some of the rows."""
    return {name: values[which] for name, values in rows[0].items()}, rows[1][which]


def with_common_words(tensors: list[Tensor]) -> list[Tensor]:
    """The tensors as trees read them: of the words of documents, each of which says little, the commonest alone."""
    return [
        replace(tensor, features=tensor.features[:MOST_WORDS], shape=()) if tensor.name == WORDS else tensor
        for tensor in tensors
    ]


def side_by_side(tensors: list[Tensor], x: X) -> np.ndarray:
    """The tensors as one matrix (rows, features), float64."""
    parts = [x[tensor.name][:, : tensor.width] for tensor in tensors]
    return np.hstack(parts).astype(np.float64) if parts else np.zeros((height(x), 0))


def code_columns(tensors: list[Tensor]) -> np.ndarray:
    """Which columns of ``side_by_side`` are codes of levels, bool (features,)."""
    return np.repeat([tensor.name == "categories" for tensor in tensors], [tensor.width for tensor in tensors])


def height(x: X) -> int:
    return len(next(iter(x.values())))


def write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
