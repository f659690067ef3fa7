"""Which rows are learnt from, which decide when to stop, and which judge: drawn once, from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from nervura.encoding import read_from, values
from nervura.errors import ProblemError
from nervura.schema import Schema

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, 3
"""The parts; rows without a known target are left out."""

FEWEST_ROWS = 10
LARGEST_TWINS = 0.01
"""Identical rows stay on one side up to this share of all rows; more of them are a pattern, not copies."""

COPIES, LARGEST_COPIES = 20, 0.1
"""Nearly equal pictures are copies whatever their share: so many stay on one side, up to this share of all."""

REPEATED_IN_TEST = 0.01
"""From this share of test rows of the user's own that repeat a row to learn from, repeating is what new rows do."""

GROUP_DRAWS = 20

FOLDS = 5
"""The validation rows are fold 0 of so many; the training rows are dealt into the others, for networks that are bagged."""


@dataclass
class Split:
    """The part of every row, and how it was drawn."""

    parts: np.ndarray
    """int8 (rows,): TRAIN, VALIDATION, TEST or LEFT_OUT."""
    seed: int
    method: str
    notes: list[str] = field(default_factory=list)
    folds: np.ndarray | None = None
    """int8 (rows,): 0 for the validation, 1 to FOLDS - 1 for the training, -1 for other rows; None in the order of time,
    where rows that are left out must not be older than those that are learnt from."""

    def rows(self, part: int) -> np.ndarray:
        """The numbers of the rows of ``part``, ascending."""
        return np.flatnonzero(self.parts == part)

    def counts(self) -> dict[str, int]:
        names = ("train", "validation", "test", "left out")
        return dict(zip(names, np.bincount(self.parts, minlength=4).tolist(), strict=True))

    def to_json(self) -> dict[str, Any]:
        """All but the parts, which are kept as an array."""
        return {"seed": self.seed, "method": self.method, "notes": self.notes, "rows": self.counts()}


def draw_split(
    frame: pl.LazyFrame | pl.DataFrame,
    schema: Schema,
    stratified: bool,
    seed: int,
    group: str | None = None,
    time: str | None = None,
    test_share: float = 0.2,
    validation_share: float = 0.2,
    test: pl.LazyFrame | pl.DataFrame | None = None,
    given: np.ndarray | None = None,
    alike: np.ndarray | None = None,
    every_row: bool = False,
    pretrain: bool = False,
) -> Split:
    """Draws the parts as a function of the seed and the data.

    Args:
        frame: the rows.
        schema: with the target and the inputs.
        stratified: whether the parts keep the shares of the target's classes.
        seed: two draws of one seed from the same rows are equal.
        group: rows with equal values of this column stay together.
        time: the latest rows by this column are the test, the next latest the validation.
        test_share: of all rows; 0 where the test rows come from elsewhere.
        validation_share: of the rows that are not for the test.
        test: test rows that come from elsewhere. Where they repeat rows of ``frame``, the validation rows do so too, to be
            like them.
        given: the part of each row as the data have it, (rows,); TRAIN is shared out for the parts that are not there.
        alike: rows of one number are copies of each other, (rows,), told otherwise than by their inputs.
        every_row: whether rows count that have no known target, since none is predicted.
        pretrain: whether such rows are learnt from before the target is; they belong to no part all the same.

    Raises:
        ProblemError: too few rows, groups or moments to make the parts from.
        SchemaError: the group or time column is not in the schema.
    """
    data = _read(frame, schema, group, time, alike, every_row)
    known = data["known"].to_numpy()
    rows = np.flatnonzero(known)
    if every_row and len(rows) < FEWEST_ROWS:
        raise ProblemError(f"At least {FEWEST_ROWS} rows are needed; there are {len(rows)}. Add rows.")
    if len(rows) < FEWEST_ROWS:
        raise ProblemError(
            f"At least {FEWEST_ROWS} rows with a known target are needed; '{schema.target.name}' has {len(rows)}"
            f"{f' (and is missing in {len(known) - len(rows):,})' if len(rows) < len(known) else ''}. Add rows."
        )
    notes: list[str] = []
    units = None
    if len(rows) < len(known):
        unknown = len(known) - len(rows)
        few = unknown == 1
        fate = (
            f"{'serves' if few else 'serve'} for pretraining alone"
            if pretrain
            else f"{'is' if few else 'are'} left out"
        )
        notes.append(f"{_counted(unknown, 'row')} {'has' if few else 'have'} no known target and {fate}.")
    chosen = data.filter(known)
    classes = _numbered(chosen["target"]) if stratified else None
    draw = np.random.default_rng(seed)
    shares = _Shares(test_share, validation_share)
    if given is not None:
        units = np.arange(len(rows)) if alike is None else _twins(chosen["inputs"].to_numpy(), notes, "picture")
        drawn, method = _by_parts(given[rows], units, classes, shares, draw, notes)
    elif time is not None:
        together = _groups(chosen["group"]) if group is not None else np.arange(len(rows))
        drawn = _by_time(chosen["time"], together, shares, time, notes)
        method = f"the latest rows by '{time}' are the test, the next latest the validation"
        if group is not None:
            method += f"; rows of one '{group}' stay together, at the time of their last"
        if classes is not None:
            _leave_out_unseen_classes(drawn, classes, notes)
    elif group is not None:
        units = _groups(chosen["group"])
        drawn = _by_groups(units, classes, shares, draw, group)
        method = f"groups of '{group}', kept whole, drawn at random"
        if classes is not None:
            method += ", the draw nearest to the classes' shares"
    else:
        inputs = chosen["inputs"].to_numpy()
        repeated = 0.0 if alike is not None else _repeated(inputs, test, schema, frame)
        if repeated < REPEATED_IN_TEST:
            units = _twins(inputs, notes, "row" if alike is None else "picture")
        else:
            units = np.arange(len(rows))
            notes.append(
                f"{repeated:.0%} of the test rows have the inputs of a row that is learnt from; so equal rows are split "
                "like other rows, and the validation rows are like the test rows."
            )
        drawn = _by_rows(units, classes, shares, draw)
        method = "rows drawn at random" + (" within each class" if classes is not None else "")
        if classes is not None:
            single = int((np.bincount(classes) == 1).sum())
            if single:
                notes.append(
                    f"{single:,} {'class has' if single == 1 else 'classes have'} one row alone: it is used for "
                    "training, and nothing can judge how well it is learnt."
                )
    if not np.isin([VALIDATION] + ([TEST] if test_share else []), drawn).all():
        raise ProblemError(
            f"Rows to judge by are needed besides the training rows, and {len(rows):,} rows in these classes and groups "
            "leave none. Add rows, or take rare classes together."
        )
    parts = np.full(len(known), LEFT_OUT, dtype=np.int8)
    parts[rows] = drawn
    folds = None
    if units is not None:
        folds = np.full(len(known), -1, dtype=np.int8)
        folds[rows] = _deal(units, classes, drawn, draw)
    return Split(parts, seed, f"{shares.text}: {method}" if given is None else method, notes, folds)


def _deal(units: np.ndarray, classes: np.ndarray | None, drawn: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The folds of the rows: the units of the training rows dealt out in turn, each class for itself."""
    folds = np.where(drawn == VALIDATION, 0, -1)
    training = drawn == TRAIN
    order = draw.permutation(np.unique(units[training]))
    of_unit = np.zeros(units.max() + 1, dtype=np.int64)
    if classes is not None:
        of_unit[units[::-1]] = classes[::-1]
        order = order[np.argsort(of_unit[order], kind="stable")]
    of_unit[order] = 1 + np.arange(len(order)) % (FOLDS - 1)
    folds[training] = of_unit[units[training]]
    return folds


def _by_parts(
    given: np.ndarray,
    units: np.ndarray,
    classes: np.ndarray | None,
    shares: _Shares,
    draw: np.random.Generator,
    notes: list[str],
) -> tuple[np.ndarray, str]:
    """The parts as the data have them; what they lack is drawn from their training rows. And how, in words."""
    drawn = given.astype(np.int8)
    there = [name for part, name in ((VALIDATION, "validation"), (TEST, "test")) if (given == part).any()]
    method = f"{' and '.join(there)} as in the data"
    free = np.flatnonzero(given == TRAIN)
    rest = _Shares(0.0 if "test" in there else shares.test, 0.0 if "validation" in there else shares.validation)
    if rest.both and len(free):
        labels = None if classes is None else np.unique(classes[free], return_inverse=True)[1]
        drawn[free] = _by_rows(np.unique(units[free], return_inverse=True)[1], labels, rest, draw)
        method += f"; {rest.text} of the training rows drawn at random" + (
            " within each class" if classes is not None else ""
        )
    in_test = np.unique(units[drawn == TEST])
    twins = int((np.isin(units, in_test) & (drawn != TEST)).sum())
    if twins:
        notes.append(
            f"{twins:,} pictures to learn from are nearly equal to one of the test, as the data have it: the scores "
            "may be better than on new pictures."
        )
    return drawn, method


@dataclass(frozen=True)
class _Shares:
    test: float
    validation: float

    @property
    def both(self) -> float:
        return self.test + (1 - self.test) * self.validation

    @property
    def text(self) -> str:
        validation = f"{self.validation:.0%} {'of the rest ' if self.test else ''}for validation"
        return f"{self.test:.0%} for the test, {validation}" if self.test else validation


def _read(
    frame: pl.LazyFrame | pl.DataFrame,
    schema: Schema,
    group: str | None,
    time: str | None,
    alike: np.ndarray | None,
    every_row: bool,
) -> pl.DataFrame:
    """What the draw depends on: per row whether it counts, and hashes in place of values."""
    if every_row:
        asked = [(pl.col(schema.columns[0].name).is_null() | True).alias("known")]
    else:
        target = values(schema.target)
        asked = [target.is_not_null().alias("known")]
        if schema.target.kind == "captions":
            target = target.list.join("\n")
        asked.append((target.cast(pl.String) if schema.target.kind != "category" else target).hash(0).alias("target"))
    if group is not None:
        name = values(schema[group])
        asked.append(pl.when(name.is_not_null()).then(name.hash(0)).alias("group"))
    if time is not None:
        moment = values(schema[time])
        if schema[time].kind == "datetime":
            moment = moment.dt.epoch("us")
        asked.append(moment.cast(pl.Float64).alias("time"))
    if group is None and time is None and alike is None:
        asked.append(pl.struct(read_from(schema)).hash(0).alias("inputs"))
    found = frame.lazy().select(asked).collect(engine="streaming")
    return found if alike is None else found.with_columns(inputs=pl.Series(alike, dtype=pl.UInt64))


def _repeated(
    inputs: np.ndarray,
    test: pl.LazyFrame | pl.DataFrame | None,
    schema: Schema,
    frame: pl.LazyFrame | pl.DataFrame,
) -> float:
    """The share of the test rows with the inputs of one of ``frame``, whose hashes are ``inputs``."""
    names = read_from(schema)
    if test is None:
        return 0.0
    known, given = frame.lazy().collect_schema(), test.lazy().collect_schema()
    # Rows of another format hash otherwise, even where they are equal.
    if any(name not in given or given[name] != known[name] for name in names):
        return 0.0
    hashes = test.lazy().select(pl.struct(names).hash(0)).collect(engine="streaming").to_series().to_numpy()
    return float(np.isin(hashes, inputs).mean()) if len(hashes) else 0.0


def _numbered(hashes: pl.Series) -> np.ndarray:
    """Equal values as equal numbers, in the order of their first rows, so that no hash decides the draw."""
    found = hashes.unique(maintain_order=True)
    return hashes.replace_strict(found, np.arange(len(found)), return_dtype=pl.Int64).to_numpy()


def _groups(hashes: pl.Series) -> np.ndarray:
    """Group numbers (rows,); a row of an unknown group is a group of its own."""
    units = np.full(len(hashes), -1)
    known = hashes.is_not_null().to_numpy()
    units[known] = _numbered(hashes.drop_nulls())
    units[~known] = units.max() + 1 + np.arange((~known).sum())
    return units


def _twins(hashes: np.ndarray, notes: list[str], noun: str) -> np.ndarray:
    """Unit numbers (rows,): identical rows are one unit, unless they are so many that they must be shared out."""
    units = np.arange(len(hashes))
    in_order = np.sort(hashes)
    repeated = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
    if not len(repeated):
        return units
    twins = np.flatnonzero(repeated[np.minimum(np.searchsorted(repeated, hashes), len(repeated) - 1)] == hashes)
    _, first, group, sizes = np.unique(hashes[twins], return_index=True, return_inverse=True, return_counts=True)
    copies = min(COPIES, LARGEST_COPIES * len(hashes)) if noun == "picture" else 2
    largest = max(2, copies, LARGEST_TWINS * len(hashes))
    small = sizes <= largest
    together = small[group]
    # The number of its first row names a unit, so that the draw does not depend on the hashes.
    units[twins[together]] = twins[first[group[together]]]
    units = np.unique(units, return_inverse=True)[1]
    same = "identical rows" if noun == "row" else "nearly equal pictures"
    if small.any() and noun == "row":
        notes.append(
            f"{int(together.sum()):,} rows have inputs that occur more than once "
            f"({_counted(int(small.sum()), 'group')} of identical rows); equal rows stay on one side."
        )
    elif small.any():
        notes.append(
            f"{int(together.sum()):,} pictures are nearly equal to another ({_counted(int(small.sum()), 'group')}); "
            "such pictures stay on one side."
        )
    if not small.all():
        notes.append(
            f"{_counted(int((~small).sum()), 'group')} of {same}, of up to {int(sizes.max()):,} rows, "
            f"{'is' if (~small).sum() == 1 else 'are'} larger than {largest / len(hashes):.0%} of the rows and split like "
            "other rows."
        )
    return units


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 'es' if noun.endswith('s') else 's'}"


def _by_rows(units: np.ndarray, classes: np.ndarray | None, shares: _Shares, draw: np.random.Generator) -> np.ndarray:
    """Units in random order fill the test, then the validation, then the training; each class for itself."""
    sizes = np.bincount(units)
    order = draw.permutation(len(sizes))
    if classes is None:
        test, both = _rounded(len(units), shares)
        parts = _filled(sizes[order], np.array([test]), np.array([both]), np.zeros(len(sizes), int))
    else:
        label = np.zeros(len(sizes), dtype=np.int64)
        label[units[::-1]] = classes[::-1]  # of twins with different answers the first names the class
        order = order[np.argsort(label[order], kind="stable")]
        counts = np.bincount(label, weights=sizes).astype(np.int64)
        tests = _dealt(counts, shares.test, np.maximum(counts - 1, 0), draw)
        validations = _dealt(counts - tests, shares.validation, np.maximum(counts - tests - 1, 0), draw)
        parts = _filled(sizes[order], tests, tests + validations, label[order])
    of_unit = np.empty(len(sizes), dtype=np.int8)
    of_unit[order] = parts
    drawn = of_unit[units]
    if classes is not None:
        _bring_classes_home(drawn, units, classes)
    return drawn


def _rounded(rows: int, shares: _Shares) -> tuple[int, int]:
    test = max(1, round(rows * shares.test)) if shares.test else 0
    return test, test + max(1, round((rows - test) * shares.validation))


def _dealt(counts: np.ndarray, share: float, most: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """``share`` of each count in whole rows, so that the sum is right too: the largest remainders are rounded up."""
    if not share:
        return np.zeros_like(counts)
    exact = counts * share
    dealt = np.minimum(np.floor(exact).astype(np.int64), most)
    left = max(1, round(counts.sum() * share)) - int(dealt.sum())
    # Equal remainders are common among rare classes; chance decides between them.
    queue = np.lexsort((draw.random(len(counts)), dealt - exact))
    for number in queue[dealt[queue] < most[queue]][: max(left, 0)]:
        dealt[number] += 1
    return dealt


def _filled(sizes: np.ndarray, tests: np.ndarray, both: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Parts of units that stand ordered by ``label``: the middle of each decides on which side of a border it lies."""
    end = np.cumsum(sizes)
    rows = np.bincount(label, weights=sizes, minlength=len(tests))
    start = np.concatenate([[0], np.cumsum(rows)[:-1]])
    middle = end - sizes / 2 - start[label]
    return np.where(middle < tests[label], TEST, np.where(middle < both[label], VALIDATION, TRAIN)).astype(np.int8)


def _bring_classes_home(drawn: np.ndarray, units: np.ndarray, classes: np.ndarray) -> None:
    """Moves one unit of every class that the training rows lack to them."""
    seen = np.bincount(classes[drawn == TRAIN], minlength=classes.max() + 1)
    sizes = np.bincount(units)
    for missing in np.flatnonzero(seen == 0):
        mine = units[classes == missing]
        drawn[units == mine[np.argmin(sizes[mine])]] = TRAIN


def _by_groups(
    units: np.ndarray, classes: np.ndarray | None, shares: _Shares, draw: np.random.Generator, name: str
) -> np.ndarray:
    """Of several random orders of the groups the one whose parts are nearest to the wished sizes and class shares."""
    sizes = np.bincount(units)
    needed = 3 if shares.test else 2
    if len(sizes) < needed:
        raise ProblemError(
            f"Groups are kept whole, so at least {needed} are needed; '{name}' has {len(sizes)}. Name another column."
        )
    labels = np.zeros(len(units), dtype=np.int64) if classes is None else classes
    wished = np.array([1 - shares.both, shares.both - shares.test, shares.test])
    counts = np.bincount(labels)
    test, both = _rounded(len(units), shares)
    best, least = np.zeros(0, np.int8), np.inf
    for _ in range(GROUP_DRAWS):
        order = draw.permutation(len(sizes))
        of_unit = np.empty(len(sizes), dtype=np.int8)
        of_unit[order] = _filled(sizes[order], np.array([test]), np.array([both]), np.zeros(len(sizes), int))
        # A group so large that its middle jumps a border would leave a part empty.
        for part, place in ((TEST, 0), (VALIDATION, needed - 2)) if shares.test else ((VALIDATION, 0),):
            if part not in of_unit:
                of_unit[order[place]] = part
        if TRAIN not in of_unit:
            of_unit[order[-1]] = TRAIN
        drawn = of_unit[units]
        if classes is not None:
            _bring_classes_home(drawn, units, classes)
        table = np.bincount(labels * 3 + drawn, minlength=3 * len(counts)).reshape(-1, 3)
        # Each class weighs by the root of its rows: the rare ones count, and the common ones a little more.
        distance = (np.abs(table - counts[:, None] * wished).sum(1) / np.sqrt(counts)).sum()
        distance += np.inf if (table.sum(0)[wished > 0] == 0).any() else 0.0
        if distance < least or not len(best):
            best, least = drawn, distance
    return best


def _by_time(moments: pl.Series, units: np.ndarray, shares: _Shares, name: str, notes: list[str]) -> np.ndarray:
    """Borders between moments, never within one, as near to the shares as can be."""
    known = moments.is_not_null().to_numpy()
    time = moments.fill_null(-np.inf).to_numpy()
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows have no known '{name}' and are used for training.")
    last = np.full(units.max() + 1, -np.inf)
    np.maximum.at(last, units, time)
    time = last[units]
    distinct, counts = np.unique(time, return_counts=True)
    needed = 3 if shares.test else 2
    if len(distinct) < needed:
        raise ProblemError(
            f"Parts in the order of time need at least {needed} different times; '{name}' has {len(distinct)}. "
            "Name another column."
        )
    before = np.cumsum(counts) - counts  # rows before each moment
    rows = len(time)
    validation = 1 + int(np.argmin(np.abs(before[1 : len(distinct) - needed + 2] - rows * (1 - shares.both))))
    parts = np.where(time >= distinct[validation], VALIDATION, TRAIN).astype(np.int8)
    if shares.test:
        later = before[validation + 1 :]
        test = validation + 1 + int(np.argmin(np.abs(later - rows * (1 - shares.test))))
        parts[time >= distinct[test]] = TEST
    return parts


def _leave_out_unseen_classes(drawn: np.ndarray, classes: np.ndarray, notes: list[str]) -> None:
    """Rows of classes that first occur after the training rows: nothing could have learnt them."""
    seen = np.bincount(classes[drawn == TRAIN], minlength=classes.max() + 1) > 0
    unseen = ~seen[classes]
    if unseen.any():
        drawn[unseen] = LEFT_OUT
        notes.append(
            f"{int(unseen.sum()):,} rows of {_counted(int((~seen).sum()), 'class')} that first occur after the "
            "training rows are left out."
        )
