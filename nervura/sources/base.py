"""The contract of a source: it recognises one kind of input and reads it lazily into a Polars frame."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nervura import pictures
from nervura.errors import SourceError, did_you_mean

if TYPE_CHECKING:
    import polars as pl


PICTURE = "picture"
"""The column of the pictures of a table, whatever it was called: paths, bytes or arrays."""

DOCUMENT = "document"
"""The column of the texts of a folder of documents."""

PASSED_OVER = (".", "__MACOSX")
"""How folders begin that are hidden or that other systems leave in archives."""

PART_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What folders of pictures and values of a column of parts are called, and the part that they mean."""

LABEL_COLUMNS, PART_COLUMNS, PATH_COLUMNS = ("label", "class", "target"), ("split", "part", "subset"), ("path", "file")
CAPTION_COLUMNS = ("captions", "caption", "sentences", "texts")
"""What lists of texts that say what is in a picture are called."""

LOOKED_AT = 20


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
    pictures: bool = False
    """Whether the column ``picture`` holds pictures."""
    documents: bool = False
    """Whether the column ``document`` holds the texts of files, each of which is opened when it is asked for."""
    part: str | None = None
    """The column that says to which part of the split a row belongs (see ``PART_NAMES``), where there is one."""
    names: str | None = None
    """The column that names the rows for people, such as the paths of files; predictions carry it."""


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


def files_below(folder: Path, wanted: Callable[[str], bool]) -> list[str]:
    """The files below a folder whose names are ``wanted``, sorted, as paths from the folder on with ``/``."""
    found = ((place.relative_to(folder) / name).as_posix() for place, names in walk(folder) for name in names)
    return sorted(path for path in found if wanted(path.rpartition("/")[2]))


def walk(folder: Path) -> list[tuple[Path, list[str]]]:
    """Every folder below and the files in it, without hidden ones and what other systems leave in archives."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(PASSED_OVER))
        found.append((Path(place), [name for name in names if not name.startswith(".")]))
    return found


@dataclass(frozen=True)
class ByFolder:
    """What the folders that files lie in say of them.

    Attributes:
        around: the folders around all others, which say nothing.
        labels: the class that its sub-folder gives each file; None where it lies in none.
        parts: the part of the split of each file; empty where the folders are no parts.
    """

    around: list[str]
    labels: list[str | None]
    parts: list[str | None]

    @property
    def classes(self) -> list[str]:
        return sorted({label for label in self.labels if label is not None})

    def notes(self, folder: Path, what: str) -> tuple[str, ...]:
        """What of a folder of files, called ``what``, is not what it may seem."""
        notes = []
        if self.around:
            notes.append(f"All {what} are below '{'/'.join(self.around)}', so the sub-folders of that are the classes.")
        root = folder.joinpath(*self.around)
        level = [root] + [place for place in _folders(root) if self.parts and place.name.lower() in PART_NAMES]
        empty = {place.name for above in level for place in _folders(above) if place not in level} - set(self.classes)
        empty = {name for name in empty if name.lower() not in UNLABELLED}
        if empty:
            held = f"no {what.removesuffix('s')}"
            notes.append(f"These folders hold {held} and are no classes: {', '.join(sorted(empty))}.")
        return tuple(notes)


def by_folder(files: list[str]) -> ByFolder:
    """What the folders of files say, which are paths with ``/``: sub-folders are classes, or parts of the split and in these
    classes; one called ``unlabelled`` is none. Folders around all others, as archives and a lone train folder have them, are passed through."""
    below = [file.split("/") for file in files]
    depth = 0
    while len({tuple(places[: depth + 1]) for places in below}) == 1 and min(map(len, below)) > depth + 2:
        depth += 1
    around, below = below[0][:depth], [places[depth:] for places in below]
    parts = [PART_NAMES.get(places[0].lower()) for places in below]
    split = "train" in parts and len(set(parts) - {None}) > 1
    inside = [places[1:] if split and part else places for places, part in zip(below, parts, strict=True)]
    return ByFolder(around, [_label(places) for places in inside], parts if split else [])


UNLABELLED = ("unlabelled", "unlabeled")
"""A sub-folder of one of these names is no class: what is in it has no label."""


def _label(places: list[str]) -> str | None:
    return places[0] if len(places) > 1 and places[0].lower() not in UNLABELLED else None


def _folders(folder: Path) -> list[Path]:
    return [Path(entry) for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(PASSED_OVER)]


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


def with_pictures(table: Table) -> Table:
    """The same table; if it has a column of pictures, that is the column ``picture``, with paths that can be opened.

    Pictures are told by what they are: arrays (height, width[, channels]), bytes or ``{bytes, path}`` that open as one,
    or paths, from the folder of the table, of files that are there. The label, the part of the split and the name of a
    row are then taken from columns with the usual names.
    """
    import polars as pl

    if table.pictures:
        return table
    dtypes = table.frame.collect_schema()
    held = [name for name, dtype in dtypes.items() if isinstance(dtype, pl.Array | pl.Struct) or dtype == pl.Binary]
    # Columns of strings are looked at where that costs little.
    written = [name for name, dtype in dtypes.items() if dtype == pl.String]
    folder = Path(table.origin).parent if Path(table.origin).exists() else Path()
    if not held and not (written and (table.in_memory or Path(table.origin).exists())):
        return table
    head = table.frame.select([*held, *written]).head(LOOKED_AT).collect()
    found = next((name for name in [*held, *written] if _holds_pictures(head[name], folder)), None)
    if found is None:
        return table
    frame, names = _readable(table.frame, found, dtypes, folder)
    dtypes = frame.collect_schema()

    def first(known: Iterable[str], texts: bool = False) -> str | None:
        fitting = {
            name for name, dtype in dtypes.items() if (dtype == pl.List(pl.String) if texts else not dtype.is_nested())
        }
        lowered = {name.lower(): name for name in dtypes if name in fitting}
        return next((lowered[name] for name in known if name in lowered), None)

    part = first(PART_COLUMNS)
    if part is not None:
        values = frame.select(pl.col(part).cast(pl.String).unique()).collect().to_series().drop_nulls().to_list()
        meant = {PART_NAMES.get(value.strip().lower()) for value in values}
        part = part if None not in meant and "train" in meant and len(meant) > 1 else None
    target = table.target or first(LABEL_COLUMNS) or first(CAPTION_COLUMNS, texts=True)
    names = names or first(PATH_COLUMNS)
    reading = {**table.reading, "pictures": found}
    return replace(table, frame=frame, target=target, pictures=True, part=part, names=names, reading=reading)


def _holds_pictures(values: pl.Series, folder: Path) -> bool:
    import polars as pl

    known, dtype = values.drop_nulls(), values.dtype
    if known.is_empty():
        return False
    if isinstance(dtype, pl.Array):
        return len(dtype.shape) == 2 or len(dtype.shape) == 3 and dtype.shape[2] <= 4
    if isinstance(dtype, pl.Struct):
        if {field.name for field in dtype.fields} != {"bytes", "path"}:
            return False
        inside = known.struct.field("bytes").drop_nulls()
        inside = known.struct.field("path").drop_nulls() if inside.is_empty() else inside
        return not inside.is_empty() and _holds_pictures(inside, folder)
    if dtype == pl.Binary:
        return any(pictures.opens(value) for value in known)
    named = [text for text in known if pictures.is_picture(text)]
    return len(named) > len(known) / 2 and any((folder / text).is_file() for text in named)


def _readable(frame: pl.LazyFrame, found: str, dtypes: pl.Schema, folder: Path) -> tuple[pl.LazyFrame, str | None]:
    """The frame with its pictures in the column ``picture``, and the column that names them, if one does."""
    import polars as pl

    value = pl.col(found)

    def full(paths: pl.Expr) -> pl.Expr:
        root = f"{folder.absolute()}{os.sep}"
        return pl.when(paths.str.starts_with(os.sep)).then(paths).otherwise(pl.lit(root) + paths)

    if dtypes[found] == pl.String:
        # The column stays beside its full paths, which new rows may have under another name.
        name = found if found != PICTURE else "path"
        return frame.rename({found: name} if found != name else {}).with_columns(
            full(pl.col(name)).alias(PICTURE)
        ), name
    if isinstance(dtypes[found], pl.Struct):
        names = None if "path" in dtypes else "path"
        stored = frame.select(value.struct.field("bytes").is_not_null().any()).collect().item()
        inside = value.struct.field("bytes") if stored else full(value.struct.field("path"))
        added = [inside.alias(PICTURE), *([value.struct.field("path").alias("path")] if names else [])]
        frame = frame.with_columns(added)
        return (frame if found == PICTURE else frame.drop(found)), names
    return frame if found == PICTURE else frame.rename({found: PICTURE}), None
