"""Uses a trained run on new rows: checks them against the schema, encodes them, and tells the answers to people."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import polars as pl

from nervura import encoding, layers
from nervura.baselines import baselines
from nervura.baselines.base import Fitted
from nervura.errors import MissingDependency, OptionError, RunError, SchemaError, did_you_mean
from nervura.exporters.base import Answerer, load_problem
from nervura.problems.base import Appraised, Classification, Forecaster, Problem
from nervura.run import Run, kept_in
from nervura.schema import Column, Schema
from nervura.sources import read
from nervura.sources.base import PICTURE
from nervura.training import predictor
from nervura.windows import latest

OWN = "model.keras"
"""The file of a network, in a run and in the folders of the networks that it was judged beside."""

CODING = "coding"
"""What the problem learnt of the answers of another model than the network, in its folder of the run."""

RULE = "rule.json"
"""The rule by which a model other than the network names classes, in its folder of the run."""

BATCH_ROWS, DOCUMENTS_AT_ONCE, BATCH_VALUES = 100_000, 10_000, 2**28
"""New rows are predicted so many at a time, fewer of documents or, of pictures, as many as have so many values together."""

UNREADABLE = 0.5
"""More unreadable values than this share mean a column of another kind, not a few bad cells."""


def load_model(run: Run) -> keras.Model:
    """The trained Keras model of a run.

    Raises:
        RunError: it is absent or damaged.
    """
    return read_model(run, run.path / OWN)


def read_model(run: Run, file: Path) -> keras.Model:
    """A Keras model that stands in a run; raises as ``load_model`` does."""
    if not file.exists():
        raise RunError(f"The run '{run.path}' has no {OWN}: training did not end. Write: nervura resume {run.path}")
    layers.register()
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # a damaged archive raises one of a dozen kinds
        raise RunError(
            f"The run '{run.path}' is damaged: {file.relative_to(run.path)} cannot be read ({error}). Train it again."
        ) from error


def load_schema(run: Run) -> Schema:
    """The schema of a run, with the encoding learnt."""
    try:
        return Schema.from_json(run.need("schema"))
    except TypeError as error:  # columns that are no columns
        raise RunError(
            f"The run '{run.path}' is damaged: schema.json holds no schema ({error}). Train it again."
        ) from error


def called(run: Run, use: str) -> str:
    """The name of the model that ``use`` asks for: one of those in ``predict``.

    Raises:
        OptionError: there is no such model in the run.
    """
    own = run.need("design")["network"]
    kept = sorted(folder.name for folder in run.path.glob(kept_in("[!.]*")) if folder.is_dir())
    if use in ("best", "simplest"):
        name = run.need("evaluation")["verdict"][use]
        if name in (own, *kept):
            return name
        others = ", ".join(dict.fromkeys([own, *kept]))
        raise RunError(
            f"The {use} model of the run '{run.path}' is '{name}', which was not kept. Write --use with one of {others}."
        )
    if use in ("network", own):
        return own
    if use in kept:
        return use
    known = ["network", "best", "simplest", *dict.fromkeys([own, *kept])]
    raise OptionError(f"The run '{run.path}' has no model called '{use}'. {did_you_mean(use, known)}")


def answering(
    run: Run, use: str = "network", model: keras.Model | None = None
) -> tuple[Problem, Callable[[dict[str, np.ndarray]], np.ndarray]]:
    """The problem as one of the run's models answers it, and that model: encoded rows to the problem's estimates.

    Args:
        use: which of them, as for ``predict``.
        model: the run's own, if it is at hand already.

    Raises:
        OptionError: there is no such model in the run.
        RunError: it is damaged.
        MissingDependency: it needs a package that is not installed.
    """
    found = answerer(run, use)
    problem, answers = found.problem, found.model
    if isinstance(answers, Fitted):
        return problem, lambda x: answers.estimates(encoding.plain(x))
    own = model if answers == run.path / OWN else None
    own = own or read_model(run, answers)
    network = predictor(problem.asked(own) if isinstance(problem, Appraised) else own)
    return problem, lambda x: problem.estimates(network(x))


def answerer(run: Run, use: str = "network") -> Answerer:
    """One of the run's models, for whoever asks what it is made of; raises as ``answering`` does."""
    problem, name = load_problem(run), called(run, use)
    if name == run.need("design")["network"]:
        return Answerer(name, problem, run.path / OWN)
    plain, folder = problem.uncalibrated(), run.path / kept_in(name)
    if rule := run.read(f"{kept_in(name)}/{RULE.removesuffix('.json')}"):
        plain = type(plain)({**plain.coding, "rule": dict(rule)})
    if learnt := run.read(f"{kept_in(name)}/{CODING}"):
        plain = type(plain)({**plain.coding, **learnt})
    if (folder / OWN).exists():
        return Answerer(name, plain, folder / OWN)
    baseline = baselines.load(name)
    for package, extra in baseline.missing():
        raise MissingDependency(f"The model '{name}' of the run", package, extra)
    try:
        return Answerer(name, plain, baseline.read(folder, plain, encoding.plain_tensors(load_schema(run))))
    except Exception as error:  # a damaged file raises whatever its library does
        raise RunError(
            f"The run '{run.path}' is damaged: the model in {kept_in(name)} cannot be read ({error}). Train it again."
        ) from error


def predict(
    run: Run,
    source: Any,
    *,
    keep: Sequence[str] = (),
    table: str | None = None,
    use: str = "network",
    model: keras.Model | None = None,
) -> pl.DataFrame:
    """The answers for the rows of ``source``, in their order. Pictures that cannot be read have none, and are warned of.

    Args:
        keep: columns of ``source`` to carry over, such as an identifier.
        use: ``network``, the run's own; ``best`` or ``simplest``, as the verdict names them; or the name of any model
            that the run was judged with.
        model: the run's own, if it is at hand already.

    Returns:
        ``keep``, or by default the paths of pictures, then ``prediction`` and, for classes, ``probability_<class>``;
        of a problem without a target the columns that it says, such as ``code_1``.

    Raises:
        SchemaError: a column is missing or of another kind.
    """
    schema, keep = load_schema(run), list(dict.fromkeys(keep))
    problem, answer = answering(run, use, model)
    found = read(source, table=table)
    given = found.frame
    if encoding.in_time(schema):
        return _forecast(problem, answer, schema, given.collect(), keep)
    check_columns(schema, given.collect_schema().names(), keep)
    if (found.pictures or found.documents) and found.names and found.names not in keep:
        keep = [found.names, *keep]
    batches = [
        _beside(batch.select(keep), _answered(problem, answer, schema, batch, found.names))
        for batch in given.collect_batches(chunk_size=batch_rows(schema), maintain_order=True)
        if batch.height
    ]
    if not batches:
        raise SchemaError("Rows to predict are needed; the source has a header and no rows.")
    return pl.concat(batches)


def _forecast(
    problem: Problem,
    answer: Callable[[dict[str, np.ndarray]], np.ndarray],
    schema: Schema,
    frame: pl.DataFrame,
    keep: Sequence[str],
) -> pl.DataFrame:
    """What comes after the last value of each series."""
    if keep:
        raise SchemaError(
            f"The rows of a forecast are to come, so that columns cannot be kept beside them; asked for was {keep[0]!r}. "
            "Leave --keep out: the keys and the times stand in the answers."
        )
    column = encoding.series_column(schema)
    assert column is not None and isinstance(problem, Forecaster)
    asked = latest(frame, column.encoding or {})
    for note in asked.panel.notes:
        _warn(note)
    short = int((asked.origins < asked.encoding["window"]).sum())
    if short:
        _warn(
            f"{short:,} of {len(asked):,} series have fewer steps than the {asked.encoding['window']:,} that the network is given; "
            "their first value stands for those before it."
        )
    outputs = [answer({encoding.SERIES: asked[rows].inputs()}) for rows in _slices(len(asked), batch_rows(schema))]
    return problem.forecast(asked, np.concatenate(outputs))


def _slices(count: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, count, size)]


def batch_rows(schema: Schema) -> int:
    """How many rows are encoded at a time: fewer where they are documents, large pictures or long series."""
    if encoding.medium(schema) is None:
        return DOCUMENTS_AT_ONCE if encoding.document_columns(schema) else BATCH_ROWS
    return max(64, min(BATCH_ROWS, BATCH_VALUES // sum(tensor.width for tensor in encoding.tensors(schema))))


def _answered(
    problem: Problem,
    answer: Callable[[dict[str, np.ndarray]], np.ndarray],
    schema: Schema,
    batch: pl.DataFrame,
    names: str | None,
) -> pl.DataFrame:
    """The answers for a batch, empty for pictures that cannot be read."""
    rows, good = encoding.readable(schema, batch)
    answers = problem.decode(outputs(answer, schema, rows))
    if good.all():
        return answers
    bad = np.flatnonzero(~good)
    named = batch[names][bad[:10]].cast(pl.String).to_list() if names else [f"row {row + 1}" for row in bad[:10]]
    more = f" and {len(bad) - 10:,} more" if len(bad) > 10 else ""
    _warn(f"{len(bad):,} of {batch.height:,} pictures cannot be read and have no answer: {', '.join(named)}{more}.")
    place = pl.Series(np.where(good, np.cumsum(good) - 1, -1)).replace(-1, None)
    return answers.select(pl.all().gather(place)) if answers.height else answers.clear(batch.height)


def outputs(network: Callable[[dict[str, np.ndarray]], np.ndarray], schema: Schema, batch: pl.DataFrame) -> np.ndarray:
    """What a network (``training.predictor``) or another model gives for raw rows, once their kinds have been checked."""
    fitting = encoding.adapted(schema, batch)
    check_kinds(fitting, batch)
    return network(encoding.encode(fitting, batch))


def _beside(kept: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """The columns to keep and then the answers.

    Raises:
        SchemaError: a column to keep has the name of an answer.
    """
    twice = [name for name in kept.columns if name in answers.columns]
    if twice:
        raise SchemaError(
            f"Columns to keep stand beside the answers, {', '.join(map(repr, answers.columns[:20]))}; "
            f"{', '.join(map(repr, twice))} would be there twice. Rename it in the data."
        )
    return pl.concat([kept, answers], how="horizontal")


def check_columns(schema: Schema, given: Sequence[str], keep: Sequence[str] = ()) -> None:
    """Every input column must be there, and every column to keep.

    Raises:
        SchemaError: names all that are missing.
    """
    if encoding.image_column(schema) is not None and PICTURE not in given:
        raise SchemaError(
            "New data need pictures, as in training: a folder of them, or a table with their paths or bytes. "
            f"Given: {', '.join(map(repr, list(given)[:20]))}."
        )
    missing = [name for name in encoding.read_from(schema) if name not in given]
    if missing:
        raise SchemaError(
            f"New data need the columns of the training data. Missing: {', '.join(map(repr, missing[:20]))}"
            f"{f' and {len(missing) - 20:,} more' if len(missing) > 20 else ''}. "
            f"Given: {', '.join(map(repr, list(given)[:20]))}{' ...' if len(given) > 20 else ''}."
        )
    unknown = [name for name in keep if name not in given]
    if unknown:
        raise SchemaError(
            f"Columns to keep must be in the data; not there: {', '.join(map(repr, unknown))}. "
            f"Given: {', '.join(map(repr, list(given)[:20]))}."
        )


def check_kinds(schema: Schema, batch: pl.DataFrame) -> None:
    """The values must be of the kinds of the schema; a few new levels or unreadable cells are warned of.

    Raises:
        SchemaError: most values of a column are of another kind.
    """
    columns = [column for column in schema.inputs if column.kind not in encoding.MEDIA]
    typed = batch.select(encoding.values(column).alias(column.name) for column in columns)
    for column in columns:
        known = batch[column.name].null_count() < batch.height
        lost = typed[column.name].null_count() - batch[column.name].null_count()
        filled = batch.height - batch[column.name].null_count()
        if known and lost > UNREADABLE * filled:
            examples = batch[column.name].drop_nulls().unique().head(3).cast(pl.String).to_list()
            raise SchemaError(
                f"Column '{column.name}' must hold values of kind {column.kind}, as in training; "
                f"given were such as {', '.join(map(repr, examples))}."
            )
        if lost > 0:
            _warn(
                f"Column '{column.name}': {lost:,} of {filled:,} values are not of kind {column.kind}; taken as missing."
            )
        if column.kind == "category":
            _warn_of_new_levels(column, typed[column.name])


def _warn_of_new_levels(column: Column, values: pl.Series) -> None:
    levels = set((column.encoding or {}).get("levels", []))
    new = values.drop_nulls().filter(~values.drop_nulls().is_in(list(levels)))
    if new.len() > 0.05 * values.len() and new.len() > 1:
        examples = new.unique(maintain_order=True).head(3).to_list()
        _warn(
            f"Column '{column.name}': {new.len():,} of {values.len():,} rows have a level that was not in training, "
            f"such as {', '.join(map(repr, examples))}; they are read as 'any other level'."
        )


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=4)


MOST_NAMED = 5


def judged_by(schema: Schema, problem: Problem, frame: pl.DataFrame) -> np.ndarray:
    """Which rows of ``frame`` can be judged by, bool (rows,): those that have a value, or a class known from training.

    Raises:
        SchemaError: the target is missing, or no row can be judged by.
    """
    name = schema.target.name
    if name not in frame.columns:
        raise SchemaError(f"Rows to judge by need the target; the column '{name}' is missing.")
    target = encoding.adapted(schema, frame).target
    values = frame.select(encoding.values(target).alias("y")).to_series()
    good = values.is_not_null().to_numpy()
    if not good.any():
        raise SchemaError(f"Rows to judge by need the target; '{name}' has no known value in {frame.height:,} rows.")
    if missing := int((~good).sum()):
        _warn(f"{missing:,} of {frame.height:,} rows have no known '{name}' and are left out.")
    if not isinstance(problem, Classification):
        return good
    new = np.zeros(len(good), bool)
    new[good] = problem.truth(problem.encode(values.drop_nulls())) < 0
    if new.any():
        classes = ", ".join(map(repr, problem.classes[:MOST_NAMED])) + (" ..." if problem.classes[MOST_NAMED:] else "")
        others = values.filter(pl.Series(new)).cast(pl.String).unique(maintain_order=True)
        such = ", ".join(map(repr, others.head(3)))
        if (new == good).all():
            raise SchemaError(
                f"Rows to judge by hold the classes of training ({classes}) in '{name}'; given were such as {such}."
            )
        _warn(
            f"{int(new.sum()):,} of {int(good.sum()):,} rows have in '{name}' none of the classes of training ({classes}), "
            f"such as {such}; they are left out."
        )
    return good & ~new


def encode_known(schema: Schema, problem: Problem, frame: pl.DataFrame) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The encoded rows of ``frame``, all of which can be ``judged_by``, and their truth (rows,); of pictures those that
    can be read.

    Raises:
        SchemaError: an input is missing.
    """
    check_columns(schema, frame.columns)
    fitting = encoding.adapted(schema, frame)
    rows, good = encoding.readable(fitting, frame)
    if not good.all():
        _warn(f"{int((~good).sum()):,} of {len(good):,} pictures cannot be read and are left out.")
    values = rows.select(encoding.values(fitting.target).alias("y")).to_series()
    return encoding.encode(fitting, rows), problem.truth(problem.encode(values))
