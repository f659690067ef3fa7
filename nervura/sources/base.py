"""The contract of a source: it recognises one kind of input and reads it lazily into a Polars frame."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nervura.errors import SourceError, did_you_mean

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Table:
    """Rows and columns as read, before any meaning is given to them.

    ``frame`` is lazy: nothing beyond a sample need have been read. Columns of text formats (CSV, TSV) arrive as
    strings, with the words for missing already null; typed formats keep their types.
    """

    frame: pl.LazyFrame
    name: str
    """Short name without folder or ending, for run directories."""
    origin: str
    """What the user gave, as text: an absolute path, a URL, ``toy:iris`` or the type of the object in memory."""
    reading: dict[str, Any] = field(default_factory=dict)
    """What was found out (separator, encoding, decimal mark ...), as JSON; shown to the user and kept in the run."""
    notes: tuple[str, ...] = ()
    """Warnings for the user."""
    target: str | None = None
    """The target column, where the source knows it (``toy:`` tables)."""
    in_memory: bool = False
    """True when the rows already lie in memory, so that collecting the frame costs nothing."""


class Source:
    """Reads one kind of input. A subclass in a file of this folder is found by the shelf."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for ``nervura --help`` and the docs: what it reads and how it is written on the command line."""

    def matches(self, source: Any) -> bool:
        """True when this source is the one to read ``source`` (a string, a path or an object in memory)."""
        raise NotImplementedError

    def resembles(self, source: Any) -> bool:
        """True when the content looks like what this source reads; asked only of what no source ``matches``."""
        return False

    def read(self, source: Any, table: str | None = None) -> Table:
        """Reads ``source``; ``table`` names a table, sheet or query where one input holds several.

        Raises:
            SourceError: the input does not exist, is empty, or is not what its name says.
        """
        raise NotImplementedError


def as_text(source: Any) -> str | None:
    """What was given as text when it is a string or a path, else None."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) and isinstance(os.fspath(source), str) else None


def has_ending(source: Any, endings: Iterable[str]) -> bool:
    """True for a string or path that ends, in whatever case, with one of ``endings``."""
    text = as_text(source)
    return text is not None and text.lower().endswith(tuple(endings))


def split_table(source: Any, table: str | None) -> tuple[str, str | None]:
    """Takes ``FILE::table`` or ``URL::table`` apart; colons inside the brackets of an IPv6 address do not count."""
    text = as_text(source) or ""
    parts = re.match(r"((?:\[[^\]]*\]|[^\[])*?)::(.+)", text, flags=re.DOTALL)
    if parts is None:
        return text, table
    if table is not None and table != parts[2]:
        raise SourceError(f"The table is named once; given were '{parts[2]}' and '{table}'. Leave one of them out.")
    return parts[1], parts[2]


def existing_file(source: Any) -> Path:
    """The absolute path of a file that is there and holds something.

    Raises:
        SourceError: there is no such file, it is a folder, it may not be read, or it is empty.
    """
    path = Path(as_text(source) or "").expanduser()
    if not path.exists():
        raise SourceError(f"There is no file '{path}'. {similar_files(path)}".strip())
    if path.is_dir():
        raise SourceError(f"A file is needed here; '{path}' is a folder. Name one of the files in it.")
    if not os.access(path, os.R_OK):
        raise SourceError(f"The file '{path}' may not be read by this user. Change its permissions.")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"A table has a header and rows; the file '{path}' is empty (0 bytes).")
    return path.absolute()


def similar_files(path: Path) -> str:
    """A sentence that helps who mistyped ``path``: close names in its folder, or that there is no such folder."""
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder '{folder}' either."
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return did_you_mean(path.name, names) if names else f"The folder '{folder}' is empty."


def short_name(path: str | Path) -> str:
    """The name of a file without its folder and endings: ``sales`` for ``/data/sales.csv.gz``."""
    name = Path(path).name
    name = re.sub(r"(?i)\.(gz|zst)$", "", name)
    return re.sub(r"(?<=.)\.[A-Za-z][A-Za-z0-9]*$", "", name) or "table"


def unique_names(given: Iterable[Any]) -> tuple[list[str], tuple[str, ...]]:
    """Column names as distinct, non-empty strings, and notes on those that were changed.

    A blank name becomes ``column_<position>``; the second of two equal names gets ``_2``.
    """
    names: list[str] = []
    notes: list[str] = []
    wanted = ["" if name is None else str(name).strip() for name in given]
    for position, name in enumerate(wanted, start=1):
        new = name or f"column_{position}"
        number = 2
        while new in names or (new != name and new in wanted):
            new = f"{name or f'column_{position}'}_{number}"
            number += 1
        if not name:
            notes.append(f"Column {position} has no name in the header; it is called '{new}'.")
        elif new != name:
            notes.append(f"The column name '{name}' occurs more than once; column {position} is called '{new}'.")
        names.append(new)
    return names, tuple(notes)
