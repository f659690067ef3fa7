"""Finds the documents of a run that are most like a text."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import polars as pl

from nervura.encoding import WORDS, document_columns, encode
from nervura.errors import OptionError, RunError, SourceError
from nervura.predicting import answering, load_problem, load_schema
from nervura.problems.topics import Topics
from nervura.run import Run
from nervura.sources.documents import ENDINGS, read_document

LONGEST_PATH = 1_000


def similar(run: Run, text: str | os.PathLike[str], count: int = 10, model: keras.Model | None = None) -> pl.DataFrame:
    """The documents that a run of the problem ``topics`` has learnt from and that are nearest to a text by the cosine of
    their codes, best first.

    Args:
        text: the text itself, or the path of a file of text.
        count: how many documents.
        model: the run's own, if it is at hand already.

    Returns:
        ``document`` (its name, or its row in the table), ``similarity`` (the cosine, at most 1) and ``topic``.

    Raises:
        RunError: the run is of another problem.
        SourceError: there is no such file, or no word of the text is known.
    """
    if not isinstance(load_problem(run), Topics):
        name = run.need("problem")["name"]
        raise RunError(
            f"Similar documents are found by runs of the problem topics; '{run.path}' is one of the problem {name}. "
            "Train one with --problem topics."
        )
    if count < 1:
        raise OptionError(f"1 document or more can be found; given was {count}. Write --count 10.")
    schema = load_schema(run)
    column = document_columns(schema)[0].name
    others = {one.name: pl.Series([None], dtype=pl.String) for one in schema.inputs if one.name != column}
    x = encode(schema, pl.DataFrame({column: [_said(text)], **others}))
    if not x[WORDS].any():
        raise SourceError("To find similar documents takes words that are in some of them; of this text none is known.")
    problem, answer = answering(run, model=model)
    assert isinstance(problem, Topics)
    return problem.similar(answer(x)[0], count)


def _said(text: str | os.PathLike[str]) -> str:
    """The text, read from its file where it names one."""
    given = os.fspath(text)
    if len(given) <= LONGEST_PATH and "\n" not in given:
        file = Path(given).expanduser()
        if file.is_file():
            return read_document(file)
        if not isinstance(text, str) or (given.lower().endswith(ENDINGS) and " " not in given):
            raise SourceError(f"There is no file '{given}'. Write the path of a text file, or a text of several words.")
    return given
