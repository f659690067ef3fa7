"""Writes a run in another form, reads that form back and compares its predictions with the run's."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from nervura import encoding
from nervura.designing import rows_at_once
from nervura.errors import MissingDependency, NervuraError, OptionError, RunError
from nervura.exporters import exporters
from nervura.exporters.base import Answerer, Exporter, load_problem
from nervura.messages import language_index
from nervura.predicting import answerer, answering, called, load_model, load_schema
from nervura.problems.base import Appraised
from nervura.run import Run, in_file_names
from nervura.schema import Schema
from nervura.sources import read

TOLERANCE = 1e-5
"""The largest difference allowed: of a probability, of a value in units of the target's standard deviation, or of a code or
a score in units of their own deviation where that is above 1."""

NETWORK = "network"
"""The run's own network, among the models that ``use`` can ask for."""

BATCH_SIZE = 1024
COMPARED_ROWS, COMPARED_PICTURES = 1024, 128


def export(
    run: Run,
    to: str = "code",
    out: str | Path | None = None,
    rows: pl.DataFrame | None = None,
    use: str = NETWORK,
    lang: str = "en",
) -> Path:
    """Writes ``run`` as ``to`` and gives the path, ``<run>/exports/<name>`` unless ``out`` names another.

    What stood there before is replaced once the new form is whole and predicts like the run.

    Args:
        to: a name of the shelf ``exporters``.
        out: a file or folder to write; a folder of a user's own that holds other things is left alone.
        rows: raw rows to compare on, as the run's source reads them. By default the first of the table that the run was
            trained on, where it can still be read.
        use: which of the run's models, as for ``predicting.predict``.
        lang: of the texts for people, where the form has some: ``en`` or ``pt``.

    Raises:
        OptionError: there is no such form, model or language, or the form cannot carry that model.
        MissingDependency: the form needs a package that is not installed.
        RunError: the run cannot be written so, or the form predicts differently.
    """
    exporter = exporters.load(to)
    language_index(lang)
    for package, extra in exporter.requires:
        if find_spec(package) is None:
            raise MissingDependency(f"The export '{to}'", package, extra)
    if not (run.path / "model.keras").exists():
        raise RunError(f"A trained network is needed; the run '{run.path}' has none. Write: nervura resume {run.path}")
    problem = load_problem(run)
    if not exporter.carries(problem):
        able = [one.name for one in exporters if one.carries(problem)]
        raise OptionError(
            f"The export '{to}' does not carry runs of the problem {problem.name}: {exporter.lacks(problem)}. "
            f"Write --to {' or '.join(able)}."
        )
    other = None if use == NETWORK else _other(run, exporter, use)
    file = exporter.file if other is None else f"{in_file_names(other.name)}{Path(exporter.file).suffix}"
    if run.packed is not None and out is None:
        raise RunError(f"A packed run is not written to. Write --out with a place for '{file}'.")
    target = run.path / "exports" / file if out is None else Path(out).expanduser().absolute()
    if out is not None and target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise RunError(f"An export is written to a new place; '{out}' exists. Write --out with another name.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
            made = Path(folder) / target.name
            how = {"lang": lang} if exporter.speaks else {}
            made = exporter.write(run, made, **how) if other is None else exporter.write_model(run, made, other)
            compared = _first_rows(run) if rows is None else rows
            if compared is not None and compared.height:
                compare(run, exporter, made, compared, NETWORK if other is None else use)
            if target.is_dir():
                shutil.rmtree(target)
            os.replace(made, target)
    except OSError as error:
        raise RunError(f"'{target}' cannot be written ({error.strerror or error}). Write --out elsewhere.") from error
    return target


def _other(run: Run, exporter: Exporter, use: str) -> Answerer | None:
    """The model that ``use`` asks for; None where it is the run's own network."""
    name = called(run, use)
    if name == run.need("design")["network"]:
        return None
    if not exporter.any_model:
        able = [one.name for one in exporters if one.any_model]
        raise OptionError(
            f"The export '{exporter.name}' carries the run's own network alone; asked for was '{name}'. "
            f"Write --to {' or '.join(able)} for other models, or --use network."
        )
    return answerer(run, use)


def _first_rows(run: Run) -> pl.DataFrame | None:
    """Some rows of the run's own table; None where it was a table in memory or is no longer there."""
    told = run.need("run")
    try:
        table = read((told.get("source") or {}).get("origin"), table=(told.get("asked") or {}).get("table"))
        rows = table.frame.head(COMPARED_PICTURES if table.pictures else COMPARED_ROWS).collect()
    except (NervuraError, pl.exceptions.PolarsError, OSError):
        return None
    needed = encoding.read_from(Schema.from_json(run.need("schema")))
    return rows.select(needed) if set(needed) <= set(rows.columns) else None


def compare(run: Run, exporter: Exporter, path: Path, rows: pl.DataFrame, use: str = NETWORK) -> float:
    """The largest difference between the predictions of one of a run's models and those of an export of it.

    Raises:
        RunError: it is larger than ``TOLERANCE``.
    """
    schema = load_schema(run)
    rows = rows.filter(pl.Series(encoding.readable(schema, rows)[1]))
    encoded = encoding.encode(schema, rows)
    if use == NETWORK:
        problem, model = load_problem(run), load_model(run)
        model = problem.asked(model) if isinstance(problem, Appraised) else model
        inputs = {tensor.name: encoded[tensor.name] for tensor in model.inputs}
        batch_size = rows_at_once(model, BATCH_SIZE)
        expected = problem.figures(problem.estimates(model.predict(inputs, batch_size=batch_size, verbose=0)))
    else:
        problem, answer = answering(run, use)
        expected = answer(encoded)
    found = exporter.load(run, path)(rows)
    unit = problem.coding.get("deviation", 1.0) if problem.needs_target else max(1.0, float(expected.std()))
    difference = float(np.max(np.abs(found - expected))) / unit if found.shape == expected.shape else np.inf
    if not difference <= TOLERANCE:
        raise RunError(
            f"An export predicts what the run predicts, to {TOLERANCE:g}; as '{exporter.name}' it is off by "
            f"{difference:.3g}. Write another format, and please report this."
        )
    return difference
