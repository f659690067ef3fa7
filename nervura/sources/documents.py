"""A folder of text files, with or without one sub-folder a class; train, validation and test sub-folders are the split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nervura.decoding import encoding_of
from nervura.errors import SourceError
from nervura.pictures import is_picture
from nervura.sources.base import DOCUMENT, Source, Table, as_text, by_folder, files_below, walk

if TYPE_CHECKING:
    import polars as pl

ENDINGS = (".txt", ".text", ".md", ".markdown", ".rst", ".tex")
_TABLES = (
    *(".csv", ".tsv", ".tab", ".parquet", ".pq", ".parq", ".xlsx", ".xls", ".ods", ".jsonl", ".ndjson", ".arrow"),
    *(".feather", ".ipc", ".sqlite", ".db", ".npz", ".npy", ".gz", ".zst"),
)
_LOOKED_AT, _MOST_NAMED = 20, 10
AT_ONCE = 1_000
"""So many files are opened for one batch."""


class DocumentsSource(Source):
    """One row per file: its path from the folder on, its text (``document``), the ``label`` that its sub-folder gives it,
    and the ``part`` of the split where the folder has sub-folders called train, validation (valid, val, dev) and test.

    Files are told by their endings; in a folder where files have none, by what is in them. The encoding of each is found
    out. Files that are empty or no text are left out and named. All are looked at once; after that each is opened when
    its text is asked for, so that they need not fit in memory together.
    """

    name = "documents"
    summary = "a folder of texts"

    def matches(self, source: Any) -> bool:
        names = _names_in(source)
        return any(name.lower().endswith(ENDINGS) for name in names) and not _others_in(names)

    def resembles(self, source: Any) -> bool:
        names = _names_in(source)
        if not names or _others_in(names) or sum(not Path(name).suffix for name in names) <= len(names) / 2:
            return False
        folder = Path(as_text(source) or "").expanduser()
        some = [folder / file for file in files_below(folder, lambda name: True)[:_LOOKED_AT]]
        texts = [data for file in some if (data := file.read_bytes()).strip()]
        return bool(texts) and all(encoding_of(data, "") is not None for data in texts)

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        folder = Path(as_text(source) or "").expanduser().absolute()
        named = self.matches(source)
        files = files_below(folder, lambda name: not named or name.lower().endswith(ENDINGS))
        encodings, damaged = {}, []
        for file in files:
            try:
                found = _encoding_in(folder / file)
            except OSError:  # it may not be opened
                found = None
            if found is None:
                damaged.append(file)
            else:
                encodings[file] = found
        if not encodings:
            raise SourceError(f"A folder of documents holds files of text; '{folder}' has none that can be read.")
        files = list(encodings)
        told = by_folder(files)
        columns: dict[str, Any] = {"path": files}
        # One folder alone tells nothing apart.
        classes = told.classes if len(told.classes) > 1 else []
        if classes:
            # Names, also where they are written in digits.
            columns["label"] = pl.Series(told.labels, dtype=pl.Enum(classes))
        if told.parts:
            columns["part"] = told.parts
        kinds: dict[str, int] = {}
        for encoding in encodings.values():
            kinds[encoding] = kinds.get(encoding, 0) + 1
        notes = [*(told.notes(folder, "documents") if classes else ()), *_left_out(damaged, len(files))]
        if others := {name: count for name, count in kinds.items() if not name.startswith("utf")}:
            each = ", ".join(f"{count:,} as {name}" for name, count in others.items())
            notes.append(f"Files that are not UTF-8 are read by what their bytes look like: {each}.")
        reading = {"format": "documents", "files": len(files), "classes": len(classes), "encodings": kinds}
        return Table(
            _frame(folder, pl.DataFrame(columns), encodings),
            folder.name or "documents",
            str(folder),
            {**reading, "damaged": damaged},
            tuple(notes),
            target="label" if classes else None,
            documents=True,
            part="part" if told.parts else None,
            names="path",
        )


def read_document(file: Path) -> str:
    """The text of one file.

    Raises:
        SourceError: it cannot be opened, is empty, or holds no text.
    """
    try:
        found = _encoding_in(file)
    except OSError as error:
        raise SourceError(f"The document '{file}' cannot be opened ({error.strerror}).") from error
    if found is None:
        raise SourceError(f"A document is a file of text; '{file}' is empty or holds none. Save it as plain text.")
    return file.read_bytes().decode(found)


def _encoding_in(file: Path) -> str | None:
    """The encoding of a file; None where it is empty or no text."""
    data = file.read_bytes()
    found = encoding_of(data, str(file))
    return None if found is None or not data.decode(found).strip() else found


def _frame(folder: Path, told: pl.DataFrame, encodings: dict[str, str]) -> pl.LazyFrame:
    """The rows as told, with the text of each, which is read when it is asked for."""
    import polars as pl
    from polars.io.plugins import register_io_source

    names = told.columns
    schema: dict[str, Any] = {
        "path": told.schema["path"],
        DOCUMENT: pl.String,
        **{name: told.schema[name] for name in names[1:]},
    }

    def batches(
        wanted: list[str] | None, predicate: pl.Expr | None, rows: int | None, size: int | None
    ) -> Iterator[pl.DataFrame]:
        chosen = list(schema) if wanted is None else wanted
        left = told.height if rows is None else min(rows, told.height)
        step = AT_ONCE if DOCUMENT in chosen else max(left, 1)
        for start in range(0, left, step):
            part = told[start : min(start + step, left)]
            if DOCUMENT in chosen:
                texts = [(folder / file).read_bytes().decode(encodings[file]) for file in part["path"]]
                part = part.with_columns(pl.Series(DOCUMENT, texts, dtype=pl.String))
            part = part.select(chosen)
            yield part if predicate is None else part.filter(predicate)

    return register_io_source(batches, schema=schema, validate_schema=False, is_pure=True)


def _left_out(damaged: list[str], read: int) -> list[str]:
    if not damaged:
        return []
    more = f" and {len(damaged) - _MOST_NAMED:,} more" if len(damaged) > _MOST_NAMED else ""
    return [
        f"{len(damaged):,} of {len(damaged) + read:,} files are empty or no text and {'is' if len(damaged) == 1 else 'are'} "
        f"left out: {', '.join(damaged[:_MOST_NAMED])}{more}."
    ]


def _names_in(source: Any) -> list[str]:
    text = as_text(source)
    if text is None or "://" in text or not Path(text).expanduser().is_dir():
        return []
    return [name for _, names in walk(Path(text).expanduser()) for name in names]


def _others_in(names: list[str]) -> bool:
    """Whether a folder holds pictures or tables, so that its texts describe these."""
    return any(is_picture(name) or name.lower().endswith(_TABLES) for name in names)
