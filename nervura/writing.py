"""Writes a table to a file, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nervura.errors import OptionError, RunError, did_you_mean

if TYPE_CHECKING:
    import polars as pl


def write_table(frame: pl.DataFrame, path: str | Path) -> None:
    """Writes ``frame`` in the format that the ending names: .csv, .tsv, .parquet or .jsonl.

    Raises:
        OptionError: another ending.
        RunError: the file cannot be written; what stood there before is left as it was.
    """
    target = Path(path)
    writers: dict[str, Callable[[Path], object]] = {
        ".csv": frame.write_csv,
        ".tsv": lambda file: frame.write_csv(file, separator="\t"),
        ".parquet": frame.write_parquet,
        ".jsonl": frame.write_ndjson,
    }
    ending = target.suffix.lower()
    if ending not in writers:
        raise OptionError(
            f"Tables are written as {', '.join(writers)}; given was '{path}'. {did_you_mean(ending or '?', list(writers))}"
        )
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-", suffix=ending)
        os.close(handle)
        try:
            writers[ending](Path(name))
            os.replace(name, target)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise RunError(
            f"'{path}' cannot be written ({error.strerror or error}). Write --out with another place, or free some space."
        ) from error
