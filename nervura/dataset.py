"""The data of one training: a schema, rows, and the split that was drawn once from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from nervura import encoding
from nervura.detection import Detection, check_metric, detect_problem
from nervura.errors import ProblemError, SchemaError
from nervura.inspecting import infer_schema
from nervura.problems.base import Problem
from nervura.schema import Schema
from nervura.sources import read
from nervura.sources.base import Table
from nervura.splitting import FOLDS, LEFT_OUT, TEST, TRAIN, VALIDATION, Split, draw_split

PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
BATCH_ROWS = 100_000
BAGGED_ROWS = 50_000
"""Up to this many rows besides the test rows, networks and baselines that can be bagged are, over folds."""

LEARNING_ROWS = 500_000
"""The encoding is learnt from all training rows or, of more, from this many taken evenly."""

Arrays = tuple[dict[str, np.ndarray], np.ndarray]
"""Encoded inputs by tensor, each (rows, features), and the encoded target (rows,)."""


@dataclass
class Dataset:
    """Schema, rows and split of one table; encoded once, when first asked for.

    Attributes:
        table: as read.
        schema: with the encoding learnt from the training rows.
        detection: the problem as found, with reasons.
        problem: the same problem, knowing the target's coding.
        split: which row belongs where.
        test_table: a table of test rows of its own, or None.
    """

    table: Table
    schema: Schema
    detection: Detection
    problem: Problem
    split: Split
    test_table: Table | None = None
    _encoded: dict[str, Arrays] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        source: Any,
        target: str | None = None,
        *,
        problem: str | None = None,
        metric: str | None = None,
        kinds: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        group: str | None = None,
        time: str | None = None,
        test: Any = None,
        seed: int = 0,
        table: str | None = None,
        test_share: float = 0.2,
        validation_share: float = 0.2,
    ) -> Dataset:
        """Reads ``source``, infers its schema, detects the problem, draws the split and learns the encoding.

        Raises:
            SourceError, SchemaError, ProblemError: the data cannot answer the question.
            OptionError: the problem has no such metric.
        """
        found = _held(read(source, table=table))
        test_table = _held(read(test)) if test is not None else None
        schema = infer_schema(found, target or found.target, dict(kinds or {}), list(drop), group, time)
        column = schema.target
        values = found.frame.select(encoding.values(column).alias("y")).collect().to_series()
        detection = detect_problem(column, values.drop_nulls(), problem)
        check_metric(detection.problem, metric)
        split = draw_split(
            found.frame,
            schema,
            detection.problem.stratified,
            seed,
            group=group,
            time=time,
            test_share=0.0 if test_table is not None else test_share,
            validation_share=validation_share,
            test=None if test_table is None else test_table.frame,
        )
        training = values.filter(pl.Series(split.parts == TRAIN)).drop_nulls()
        bound = detection.problem.learn(training).judged_by(metric)
        if detection.problem.supervised_by == "classifier" and training.n_unique() < 2:
            raise ProblemError(f"Only one class of '{column.name}' has enough rows to be split. More rows are needed.")
        dataset = cls(found, schema, detection, bound, split, test_table)
        encoding.learn(schema, dataset.sample("train", LEARNING_ROWS))
        return dataset

    def rows(self, part: str) -> int:
        """The number of rows with a target in ``train``, ``validation`` or ``test``."""
        if part == "test" and self.test_table is not None:
            return len(self.arrays("test")[1])
        return int((self.split.parts == PARTS[part]).sum())

    def arrays(self, part: str) -> Arrays:
        """The encoded rows of a part, in the table's order."""
        if not self._encoded:
            self._encoded = self._encode()
        return self._encoded[part]

    @property
    def folds(self) -> int:
        """How many folds the training and validation rows come in: ``FOLDS``, or 1 of many rows or by time."""
        few = self.rows("train") + self.rows("validation") <= BAGGED_ROWS
        return FOLDS if few and self.split.folds is not None else 1

    @property
    def fold_of_training(self) -> np.ndarray | None:
        """The fold of each training row, 1 to ``FOLDS - 1`` (those of validation are fold 0); None without folds."""
        return None if self.split.folds is None else self.split.folds[self.split.parts == TRAIN]

    def truth(self, part: str) -> np.ndarray:
        """The target of a part as metrics want it, (rows,)."""
        return self.problem.truth(self.arrays(part)[1])

    def sample(self, part: str, rows: int) -> pl.DataFrame:
        """The raw rows of a part or, of many, about ``rows`` of them taken evenly."""
        if part == "test" and self.test_table is not None:
            return self.test_table.frame.collect().head(rows)
        step = max(1, -(-self.rows(part) // rows))
        taken, seen = [], 0
        for start, batch in _batches(self.table.frame):
            inside = np.flatnonzero(self.split.parts[start : start + batch.height] == PARTS[part])
            numbered = seen + np.arange(len(inside))
            taken.append(batch[inside[numbered % step == 0]])
            seen += len(inside)
        return pl.concat(taken)

    def _encode(self) -> dict[str, Arrays]:
        counts = {name: int((self.split.parts == code).sum()) for name, code in PARTS.items()}
        made: dict[str, Arrays] = {
            name: (self._room(count), self._target_room(count)) for name, count in counts.items()
        }
        filled = dict.fromkeys(PARTS, 0)
        for start, batch in _batches(self.table.frame):
            parts = self.split.parts[start : start + batch.height]
            known = parts != LEFT_OUT
            x, y = self._encode_rows(batch.filter(pl.Series(known)), self.schema)
            for name, code in PARTS.items():
                chosen = parts[known] == code
                into = slice(filled[name], filled[name] + int(chosen.sum()))
                for tensor, array in x.items():
                    made[name][0][tensor][into] = array[chosen]
                made[name][1][into] = y[chosen]
                filled[name] = into.stop
        if self.test_table is not None:
            made["test"] = self._encode_test(self.test_table)
        return made

    def _encode_test(self, table: Table) -> Arrays:
        frame = table.frame.collect()
        missing = [c.name for c in (*self.schema.inputs, self.schema.target) if c.name not in frame.columns]
        if missing:
            raise SchemaError(
                f"The test rows must have the columns of the training rows; missing: {', '.join(missing)}."
            )
        fitting = encoding.adapted(self.schema, frame)
        target = frame.select(encoding.values(fitting.target)).to_series()
        return self._encode_rows(frame.filter(target.is_not_null()), fitting)

    def _encode_rows(self, frame: pl.DataFrame, schema: Schema) -> Arrays:
        target = frame.select(encoding.values(schema.target).alias("y")).to_series()
        return encoding.encode(schema, frame), self.problem.encode(target)

    def _room(self, rows: int) -> dict[str, np.ndarray]:
        return {t.name: np.empty((rows, t.width), t.dtype) for t in encoding.tensors(self.schema)}

    def _target_room(self, rows: int) -> np.ndarray:
        one = pl.Series([self.problem.coding.get("classes", [0.0])[0]])
        return np.empty(rows, self.problem.encode(one).dtype)


def _held(table: Table) -> Table:
    """The same table, held in memory when it is small, so that it is read once."""
    if table.in_memory:
        return table
    few = table.frame.head(HELD_ROWS + 1).collect()
    if few.height > HELD_ROWS:
        return table
    return Table(few.lazy(), table.name, table.origin, table.reading, table.notes, table.target, in_memory=True)


HELD_ROWS = 200_000
"""A table of at most this many rows is read once and held; a longer one is read again by each pass, in batches."""


def _batches(frame: pl.LazyFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    start = 0
    for batch in frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        yield start, batch
        start += batch.height
