"""The data of one training: a schema, rows, and the split that was drawn once from a seed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from nervura import encoding, pictures, words
from nervura.detection import Detection, check_metric, detect_problem, detect_without_target
from nervura.errors import ProblemError, SchemaError, SourceError
from nervura.inspecting import infer_schema
from nervura.mirroring import mirroring
from nervura.origins import framed
from nervura.problems import problems
from nervura.problems.base import Appraised, Problem
from nervura.recognising import hashes, repeated
from nervura.schema import Column, Schema
from nervura.sources import read
from nervura.sources.base import PART_NAMES, Table
from nervura.splitting import FEWEST_ROWS, FOLDS, LEFT_OUT, TEST, TRAIN, VALIDATION, Split, draw_split
from nervura.windows import Windows, gathered

PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
BATCH_ROWS, DOCUMENTS_AT_ONCE = 100_000, 10_000
BAGGED_ROWS = 50_000
"""Up to this many rows besides the test rows, networks and baselines that can be bagged are, over folds."""

LEARNING_ROWS, LEARNING_DOCUMENTS = 500_000, 50_000
"""The encoding is learnt from all training rows or, of more, from this many taken evenly; fewer where they are long texts."""

MEMORY = 10**9
"""Tables, decoded pictures and counted words of up to so many bytes are kept in memory; of more the last two lie in a
temporary file and are read as needed."""

DECODED_ROWS = 2_000
MOST_NAMED = 10

Arrays = tuple[dict[str, np.ndarray], np.ndarray]
"""Encoded inputs by tensor, each (rows, *tensor.shape), and the encoded target (rows,), which
is zeros where no target is predicted."""


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
        pictures: all pictures of the table, decoded, (rows, height, width, channels); None without pictures.
        pretrain: whether rows without a target are kept, for a network to learn from before the target.
        windows: what the rows are of series in time, in the order of ``split.parts``; None of other rows.
    """

    table: Table
    schema: Schema
    detection: Detection
    problem: Problem
    split: Split
    test_table: Table | None = None
    pictures: np.ndarray | None = field(default=None, repr=False)
    pretrain: bool = False
    windows: Windows | None = field(default=None, repr=False)
    _encoded: dict[str, Arrays] = field(default_factory=dict)
    _unlabelled: dict[str, np.ndarray] | None = field(default=None, repr=False)

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
        validation_share: float | None = None,
        size: str | None = None,
        options: Mapping[str, Any] | None = None,
        level: float | None = None,
        pretrain: bool = False,
    ) -> Dataset:
        """Reads ``source``, infers its schema, detects the problem, draws the split and learns the encoding.

        For a problem without a target every row is kept; the target, if there is one, is no input and is judged by alone.
        Pictures are all decoded here, once; those that cannot be are left out. ``size`` is theirs, ``64`` or ``48x64``.
        ``validation_share`` is a fifth by default; of many pictures, which are not bagged, it is less. Of the ``options``
        a problem without a target takes those that it knows, and the ``level``. With ``pretrain`` the rows without a target
        are kept (``unlabelled``).

        Raises:
            SourceError, SchemaError, ProblemError: the data cannot answer the question.
            OptionError: the problem has no such metric.
        """
        found = _held(read(source, table=table))
        test_table = _held(read(test)) if test is not None else None
        named, known = problems.load(problem) if problem else None, found.target if target is None else target
        if named is not None and named.windowed:
            check_metric(named, metric)
            _check_windowed(group, kinds, pretrain)
            bound = named.judged_by(metric)
            assert isinstance(bound, Appraised)
            bound = bound.told(options or {}, level)
            shares = {
                "test_share": test_share,
                "validation_share": 0.2 if validation_share is None else validation_share,
            }
            return cls._in_time(found, test_table, bound, known, time, list(drop), seed, shares)
        predicts = named.needs_target if named is not None else known is not None
        schema = infer_schema(found, known, dict(kinds or {}), list(drop), group, time, predicted=predicts)
        if found.pictures and predicts and not known:
            raise SchemaError(
                f"Pictures are learnt by their labels: a folder has one sub-folder a class; '{found.origin}' has no labels. "
                "Sort the pictures into such folders, or give a table of paths and labels with --target COLUMN."
            )
        column, decoded, alike = schema.target if predicts else None, None, None
        if encoding.image_column(schema) is not None:
            found, decoded, alike = _decode(found, schema, size)
        values = _target(found.frame, column)
        if column is None:
            detection = detect_without_target(schema, problem)
            assert isinstance(detection.problem, Appraised), "a problem that predicts a target was asked of none"
            detection.problem.set_aside(schema)
        elif found.reading.get("format") == "images" and values.drop_nulls().n_unique() == 1:
            raise ProblemError(
                f"Pictures are told apart by two or more classes, one sub-folder each; '{found.origin}' has one, "
                f"'{values.drop_nulls()[0]}'. Put pictures of another class into a folder beside it."
            )
        else:
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
            validation_share=_validation_share(len(values), alike) if validation_share is None else validation_share,
            given=_given(found) if test_table is None else None,
            alike=alike,
            test=None if test_table is None else test_table.frame,
            every_row=column is None,
            pretrain=pretrain,
        )
        if pretrain and column is not None and not values.null_count():
            raise SchemaError(
                f"Pretraining takes rows without a target; all {len(values):,} rows of '{found.origin}' have a value in "
                f"'{column.name}'. Add rows that lack it, or leave --pretrain out."
            )
        training = values.filter(pl.Series(split.parts == TRAIN)).drop_nulls()
        bound = detection.problem.learn(training).judged_by(metric)
        if isinstance(bound, Appraised):
            labels = _labels(found.frame, schema)
            bound = bound.told(options or {}, level, labels)
            _set_aside(bound, split, labels, test_table is None)
        if column is not None and detection.problem.supervised_by == "classifier" and training.n_unique() < 2:
            raise ProblemError(f"Only one class of '{column.name}' has enough rows to be split. More rows are needed.")
        dataset = cls(found, schema, detection, bound, split, test_table, decoded, pretrain)
        if decoded is None:
            most = LEARNING_DOCUMENTS if encoding.document_columns(schema) else LEARNING_ROWS
            stems = bound.stems if isinstance(bound, Appraised) else words.MOST_STEMS
            encoding.learn(schema, dataset.sample("train", most), stems, ordered=column is not None)
        else:
            dataset._learn_of_pictures()
        return dataset

    @classmethod
    def _in_time(
        cls,
        table: Table,
        test: Table | None,
        bound: Appraised,
        target: str | None,
        time: str | None,
        drop: list[str],
        seed: int,
        shares: dict[str, float],
    ) -> Dataset:
        """The windows of series in time; test rows of their own are taken up into the table."""
        made = framed(
            table.frame.collect().drop(drop),
            target,
            time,
            bound.options,
            seed=seed,
            test=None if test is None else test.frame.collect(),
            squared=bound.metric == "rmse",
            **shares,
        )
        bound = type(bound)({**bound.coding, "horizon": made.windows.horizon}, bound.arrays)
        return cls(table, made.schema, Detection(bound, made.reason, {}), bound, made.split, windows=made.windows)

    def windows_of(self, part: str) -> Windows | None:
        """What the rows of a part are of series in time; None of other rows."""
        return None if self.windows is None else self.windows[self.split.parts == PARTS[part]]

    def _encode_windows(self, all_windows: Windows) -> dict[str, Arrays]:
        made: dict[str, Arrays] = {}
        for name, code in PARTS.items():
            own = all_windows[self.split.parts == code]
            width = int(np.prod(encoding.tensors(self.schema)[0].shape))
            x = {encoding.SERIES: gathered(own, Windows.inputs, width)}
            made[name] = (x, gathered(own, Windows.targets, own.horizon))
        return made

    @classmethod
    def like(
        cls,
        table: Table,
        schema: Schema,
        problem: Problem,
        learnt: np.ndarray | None,
        name: str,
        *,
        seed: int = 0,
        group: str | None = None,
        time: str | None = None,
    ) -> Dataset:
        """Rows for the question of an earlier run, read and encoded as that run did, so that both can be judged by them.

        Rows that the run learnt from are learnt from again; they decide nothing and judge nothing.

        Args:
            schema: of the run, with its encoding, as it reads this table.
            problem: of the run, knowing its target's coding.
            learnt: what ``hashes`` gives of the rows that the run learnt from; None where that is not known.
            name: of the run.
            group, time: the columns by which that run drew its split.

        Raises:
            ProblemError: too few rows are new to the run.
        """
        column, decoded, alike = encoding.image_column(schema), None, None
        if column is not None:
            table, decoded, alike = _decode(table, schema, form=column.encoding)
        values = _target(table.frame, schema.target)
        known = values.is_not_null().to_numpy()
        parts = np.where(known, TRAIN, LEFT_OUT).astype(np.int8)
        detection = Detection(problem, f"as in the run {name}", {})
        dataset = cls(table, schema, detection, problem, Split(parts, seed, ""), None, decoded)
        again, notes = np.zeros(len(parts), bool), []
        if learnt is None:
            notes.append(
                f"Which rows the run {name} learnt from is not known any more; these are taken to be others. If some are the "
                "same, it has an advantage."
            )
        elif known.any():
            again[known] = repeated(dataset._hashes(values), learnt, name, notes)
        if group is not None:
            again |= _of_groups(table.frame, schema[group], again)
        new = known & ~again
        if new.sum() < FEWEST_ROWS:
            raise ProblemError(
                f"At least {FEWEST_ROWS} rows with a known '{schema.target.name}' are needed that the run {name} has not learnt "
                f"from; of {int(known.sum()):,} there are {int(new.sum()):,}. Add rows."
            )
        drawn = np.flatnonzero(~again)
        frame, given = table.frame, _given(table)
        if again.any():
            chosen = pl.col("__row").is_in(drawn.tolist())
            frame = frame.with_row_index("__row").filter(chosen).drop("__row")
        split = draw_split(
            frame,
            schema,
            problem.stratified,
            seed,
            group=group,
            time=time,
            validation_share=_validation_share(len(drawn), None if alike is None else alike[drawn]),
            given=None if given is None else given[drawn],
            alike=None if alike is None else alike[drawn],
        )
        parts[drawn] = split.parts
        folds = None
        if split.folds is not None:
            # A fold that none of the groups of a bagged network leaves out.
            folds = np.where(again, FOLDS, -1).astype(np.int8)
            folds[drawn] = split.folds
        dataset.split = Split(parts, seed, split.method, [*notes, *split.notes], folds)
        if problem.supervised_by == "classifier" and values.filter(pl.Series(parts == TRAIN)).n_unique() < 2:
            raise ProblemError(
                f"Only one class of '{schema.target.name}' has enough rows to be split. More rows are needed."
            )
        return dataset

    def _hashes(self, values: pl.Series) -> np.ndarray:
        """The hashes of all rows with a known target, whose ``values`` these are."""
        if self.pictures is not None:
            known = values.is_not_null().to_numpy()
            return hashes({encoding.PICTURES: self.pictures[known]}, self.problem.encode(values.drop_nulls()))
        parts = []
        for _, batch in _batches(self.table.frame):
            parts.append(
                hashes(*self._encode_rows(batch.filter(_target(batch, self.predicted).is_not_null()), self.schema))
            )
        return np.concatenate(parts)

    def _learn_of_pictures(self) -> None:
        """Adds to the encoding of pictures what the rules of networks want to know of the training rows."""
        column = encoding.image_column(self.schema)
        assert column is not None and column.encoding is not None
        (x, _), classes = self.arrays("train"), self.problem.supervised_by == "classifier"
        needed = not isinstance(self.problem, Appraised)
        told = mirroring(x[encoding.PICTURES], self.truth("train"), classes) if needed else None
        column.encoding |= {"rows": self.rows("train"), "mirroring": told}

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
    def unlabelled(self) -> dict[str, np.ndarray] | None:
        """The encoded inputs of the rows without a target; None unless they are to be learnt from."""
        if self.pretrain and self._unlabelled is None:
            self.arrays("train")  # of pictures, those of all parts are brought in order together
            if self._unlabelled is None:
                self._unlabelled = self._encode_unlabelled()
        return self._unlabelled

    @property
    def folds(self) -> int:
        """How many folds the training and validation rows come in: ``FOLDS``, or 1 of many rows, by time, of pictures."""
        if encoding.image_column(self.schema) is not None:
            return 1
        few = self.rows("train") + self.rows("validation") <= BAGGED_ROWS
        return FOLDS if few and self.split.folds is not None else 1

    @property
    def fold_of_training(self) -> np.ndarray | None:
        """The fold of each training row, 1 to ``FOLDS - 1`` (those of validation are fold 0); None without folds."""
        return None if self.split.folds is None else self.split.folds[self.split.parts == TRAIN]

    def truth(self, part: str) -> np.ndarray:
        """The target of a part as metrics want it, (rows,)."""
        return self.problem.truth(self.arrays(part)[1])

    @property
    def predicted(self) -> Column | None:
        """The column that is predicted; None where none is, even if there is one to judge by."""
        return self.schema.target if self.problem.needs_target else None

    def labels(self, part: str) -> pl.Series | None:
        """What a part is judged by where nothing is predicted, as text, null where it is not known; None without it."""
        column = self.schema.labels
        if column is None or self.windows is not None:
            return None
        if part == "test" and self.test_table is not None:
            frame = self.test_table.frame.collect()
            if column.name not in frame.columns:
                return None
            fitting = encoding.adapted(self.schema, frame)
            if self.predicted:  # only rows that can be judged by are encoded
                frame = frame.filter(_target(frame, fitting.target).is_not_null())
            rows = encoding.readable(fitting, frame)[0]
            return rows.select(encoding.label_texts(fitting.target)).to_series()
        values = _labels(self.table.frame, self.schema)
        return None if values is None else values.filter(pl.Series(self.split.parts == PARTS[part]))

    def names(self, part: str) -> list[str] | None:
        """What the rows of a part are called, where their table names them; None where it does not."""
        table = self.table if (part != "test" or self.test_table is None) and self.windows is None else None
        if table is None or table.names is None:
            return None
        names = table.frame.select(pl.col(table.names).cast(pl.String)).collect().to_series()
        return names.filter(pl.Series(self.split.parts == PARTS[part])).to_list()

    def places(self, part: str) -> np.ndarray:
        """The numbers of a part's rows in their table, from 0."""
        if part == "test" and self.test_table is not None:
            return np.arange(self.rows("test"))
        return np.flatnonzero(self.split.parts == PARTS[part])

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
        if self.windows is not None:
            return self._encode_windows(self.windows)
        made = self._encode_table() if self.pictures is None else self._encode_pictures(self.pictures)
        if self.test_table is not None:
            made["test"] = self._encode_test(self.test_table)
        return made

    def _encode_pictures(self, all_pictures: np.ndarray) -> dict[str, Arrays]:
        """The pictures in the order of the parts, each of which is then a view of one array."""
        target = _target(self.table.frame, self.predicted)
        rows = {name: np.flatnonzero(self.split.parts == code) for name, code in PARTS.items()}
        if self.pretrain:
            rows["unlabelled"] = np.flatnonzero(target.is_null().to_numpy())
        order = np.concatenate(list(rows.values()))
        ordered = _room_for(len(order), all_pictures.shape[1:])
        for start in range(0, len(order), DECODED_ROWS):
            ordered[start : start + DECODED_ROWS] = all_pictures[order[start : start + DECODED_ROWS]]
        self.pictures = None  # those in the order of the table have had their use
        made, start = {}, 0
        for name, chosen in rows.items():
            x = {encoding.PICTURES: ordered[start : start + len(chosen)]}
            if name == "unlabelled":
                self._unlabelled = x
            else:
                made[name] = (x, self.problem.encode(target[chosen]))
            start += len(chosen)
        return made

    def _encode_unlabelled(self) -> dict[str, np.ndarray]:
        parts = []
        for _, batch in _batches(self.table.frame):
            unknown = _target(batch, self.predicted).is_null()
            parts.append(encoding.encode(self.schema, batch.filter(unknown)))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _encode_table(self) -> dict[str, Arrays]:
        counts = {name: int((self.split.parts == code).sum()) for name, code in PARTS.items()}
        made: dict[str, Arrays] = {
            name: (self._room(count), self._target_room(count)) for name, count in counts.items()
        }
        filled = dict.fromkeys(PARTS, 0)
        size = DOCUMENTS_AT_ONCE if encoding.document_columns(self.schema) else BATCH_ROWS
        for start, batch in _batches(self.table.frame, size):
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
        return made

    def _encode_test(self, table: Table) -> Arrays:
        frame = table.frame.collect()
        needed = [*encoding.read_from(self.schema), *([self.predicted.name] if self.predicted else [])]
        lacking = [name for name in needed if name not in frame.columns]
        if lacking:
            raise SchemaError(
                f"The test rows must have the columns of the training rows; missing: {', '.join(lacking)}."
            )
        fitting = encoding.adapted(self.schema, frame)
        target = _target(frame, fitting.target if self.predicted else None)
        rows, good = encoding.readable(fitting, frame.filter(target.is_not_null()))
        if not good.all():
            self.split.notes.append(f"{int((~good).sum()):,} of the test pictures cannot be read and are left out.")
        if missing := target.null_count():
            self.split.notes.append(f"{missing:,} of the test rows have no known target and are left out.")
        x, y = self._encode_rows(rows, fitting)
        if self.problem.supervised_by == "classifier" and (unknown := self.problem.truth(y) < 0).any():
            other = target.drop_nulls().filter(pl.Series(good)).filter(pl.Series(unknown)).cast(pl.String)
            self.split.notes.append(
                f"{len(other):,} of the test rows have a class that was not in training, such as '{other[0]}', and are "
                "left out."
            )
            x, y = {tensor: array[~unknown] for tensor, array in x.items()}, y[~unknown]
        if not len(y) and self.predicted is None:
            raise SchemaError("There are no test rows that can be read. Name another file with --test.")
        if not len(y):
            raise SchemaError(
                f"The test rows must have known values of '{self.schema.target.name}', of classes that training "
                f"had; none of {frame.height:,} has. Name another file with --test."
            )
        return x, y

    def _encode_rows(self, frame: pl.DataFrame, schema: Schema) -> Arrays:
        target = _target(frame, schema.target if self.predicted else None)
        return encoding.encode(schema, frame), self.problem.encode(target)

    def _room(self, rows: int) -> dict[str, np.ndarray]:
        return {t.name: _room_for(rows, t.shape, t.dtype) for t in encoding.tensors(self.schema)}

    def _target_room(self, rows: int) -> np.ndarray:
        one = pl.Series([self.problem.coding.get("classes", [0.0])[0]])
        return np.empty(rows, self.problem.encode(one).dtype)


def _of_groups(frame: pl.LazyFrame, column: Column, marked: np.ndarray) -> np.ndarray:
    """Which rows are of a group that has a marked row, bool (rows,)."""
    groups = frame.select(encoding.values(column).alias("group")).collect().to_series()
    return groups.is_in(groups.filter(pl.Series(marked)).drop_nulls().unique().to_list()).fill_null(False).to_numpy()


MOST_VALIDATION_ROWS = 100_000
"""More rows than this tell no better when to stop; they are learnt from."""


def _validation_share(rows: int, alike: np.ndarray | None) -> float:
    """A fifth of a table, or 100,000 rows; of pictures, of which fewer are at hand, a tenth or 200 or 5,000."""
    if alike is None:
        return min(0.2, MOST_VALIDATION_ROWS / rows)
    return min(0.2, max(0.1, 200 / rows), 5_000 / rows)


def _check_windowed(group: str | None, kinds: Mapping[str, str] | None, pretrain: bool) -> None:
    """Whether what is asked of a forecast can be."""
    for given, name, instead in (
        (group, "--group", "Write --set keys=COLUMN with the columns that name the series."),
        (kinds, "--column", "Leave it out: the times and the values are read as such."),
        (pretrain, "--pretrain", "Leave it out."),
    ):
        if given:
            raise SchemaError(f"A forecast learns from series in time, and {name} has no meaning there. {instead}")


def _target(frame: pl.DataFrame | pl.LazyFrame, column: Column | None) -> pl.Series:
    """The values of the target; zeros without one."""
    if column is None:
        rows = frame.lazy().select(pl.len()).collect().item()
        return pl.Series("y", np.zeros(rows, np.float32))
    return frame.lazy().select(encoding.values(column).alias("y")).collect().to_series()


def _labels(frame: pl.LazyFrame, schema: Schema) -> pl.Series | None:
    """What rows are judged by, as text; None without such a column."""
    if schema.labels is None:
        return None
    return frame.select(encoding.label_texts(schema.labels)).collect().to_series()


def _set_aside(problem: Appraised, split: Split, labels: pl.Series | None, test: bool) -> None:
    """Moves the rows that the problem is not to learn from to those that judge, or leaves them out where these come from
    elsewhere.

    Raises:
        ProblemError: too few are left to learn from.
    """
    good = problem.learns_from(labels)
    if good is None:
        return
    moved = ~good & np.isin(split.parts, (TRAIN, VALIDATION))
    split.parts[moved] = TEST if test else LEFT_OUT
    if split.folds is not None:
        split.folds[moved] = -1
    if min((split.parts == TRAIN).sum(), (split.parts == VALIDATION).sum()) < 2:
        raise ProblemError(
            f"Rows to learn from must not be labelled as anomalies; of {len(good):,} rows {int(good.sum()):,} are left. "
            "Add rows, or leave out --set clean=yes."
        )
    if moved.any():
        where = "only judge" if test else "are left out"
        split.notes.append(f"{int(moved.sum()):,} rows are not learnt from, because of their labels, and {where}.")


def _held(table: Table) -> Table:
    """The same table, held in memory when it is small, so that it is read once."""
    if table.in_memory:
        return table
    looked_at = table.frame.head(100).collect()
    most = int(MEMORY // max(1, looked_at.estimated_size() / max(1, looked_at.height)))
    few = table.frame.head(min(HELD_ROWS, most) + 1).collect()
    if few.height > min(HELD_ROWS, most):
        return table
    return replace(table, frame=few.lazy(), in_memory=True)


def _decode(
    table: Table, schema: Schema, size: str | None = None, form: dict[str, Any] | None = None
) -> tuple[Table, np.ndarray, np.ndarray]:
    """The table without the rows whose pictures cannot be read, the others' pictures, and numbers that nearly equal
    pictures share. The schema's column of pictures learns what form they have, unless it is brought to a given one."""
    column = encoding.image_column(schema)
    assert column is not None
    frame = table.frame.select(column.name)
    # Of a table that is not held, a few from its beginning: to pick some from all over would read all.
    step = max(1, schema.rows // pictures.SIZES_SEEN)
    sample = frame.gather_every(step) if table.in_memory else frame.head(pictures.SIZES_SEEN)
    column.encoding = form or pictures.measure(sample.collect().to_series(), size)
    decoded = _room_for(schema.rows, encoding.picture_shape(column))
    good, cells, start = np.zeros(schema.rows, bool), [], 0
    for batch in frame.collect_batches(chunk_size=DECODED_ROWS, maintain_order=True):
        into = decoded[start : start + batch.height]
        good[start : start + batch.height] = pictures.decode(batch[column.name], column.encoding, into)[1]
        cells.append(pictures.grey_cells(into))
        start += batch.height
    damaged = np.flatnonzero(~good)
    if len(damaged):
        if not good.any():
            raise SourceError(f"None of the {schema.rows:,} pictures of '{table.origin}' can be read. Give others.")
        chosen = pl.col("__row").is_in(damaged.tolist())
        numbered = table.frame.with_row_index("__row")
        names = [f"row {row + 1}" for row in damaged]
        if table.names is not None:
            names = numbered.filter(chosen).select(pl.col(table.names).cast(pl.String)).collect().to_series().to_list()
        more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
        note = (
            f"{len(damaged):,} of {schema.rows:,} pictures cannot be read and {'is' if len(damaged) == 1 else 'are'} left "
            f"out: {', '.join(str(name) for name in names[:MOST_NAMED])}{more}."
        )
        table = replace(
            table,
            frame=numbered.filter(~chosen).drop("__row"),
            notes=(*table.notes, note),
            reading={**table.reading, "damaged": names},
        )
        decoded = _kept(decoded, good)
    return table, decoded, pictures.alike(np.concatenate(cells)[good])


def _room_for(rows: int, shape: tuple[int, ...], dtype: str = "uint8") -> np.ndarray:
    """An array in memory or, of bytes that are many, in a file that goes when the array does."""
    if rows * int(np.prod(shape)) <= MEMORY or dtype != "uint8":
        return np.zeros((rows, *shape), dtype)
    with tempfile.TemporaryFile(prefix="nervura-") as file:
        return np.memmap(file, dtype, "w+", shape=(rows, *shape))


def _kept(array: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The chosen rows, moved together to the front."""
    end = 0
    for start in range(0, len(array), DECODED_ROWS):
        chosen = array[start : start + DECODED_ROWS][which[start : start + DECODED_ROWS]]
        array[end : end + len(chosen)] = chosen
        end += len(chosen)
    return array[:end]


def _given(table: Table) -> np.ndarray | None:
    """The part of each row as the data have it, (rows,); rows that they do not place are for training."""
    if table.part is None:
        return None
    names = table.frame.select(pl.col(table.part).cast(pl.String).str.strip_chars().str.to_lowercase())
    parts = names.collect().to_series().replace_strict(PART_NAMES, default="train", return_dtype=pl.String)
    return parts.replace_strict(PARTS, return_dtype=pl.Int8).to_numpy()


HELD_ROWS = 200_000
"""A table of at most this many rows is read once and held; a longer one is read again by each pass, in batches."""


def _batches(frame: pl.LazyFrame, size: int = BATCH_ROWS) -> Iterator[tuple[int, pl.DataFrame]]:
    start = 0
    for batch in frame.collect_batches(chunk_size=size, maintain_order=True):
        yield start, batch
        start += batch.height
