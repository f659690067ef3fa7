"""Parquet: a file, a folder of files or a pattern, read lazily."""

from __future__ import annotations

from glob import glob, has_magic
from pathlib import Path
from typing import Any

from nervura.errors import SourceError
from nervura.sources.base import Source, Table, as_text, existing_file, has_ending, short_name

_ENDINGS = (".parquet", ".pq", ".parq")


class ParquetSource(Source):
    """One table in one or several Parquet files; nothing but their footers is read."""

    name = "parquet"
    summary = "Parquet: FILE.parquet, a folder of them, or a pattern such as 'data/*.parquet'"

    def matches(self, source: Any) -> bool:
        if has_ending(source, _ENDINGS):
            return True
        text = as_text(source)
        return text is not None and "://" not in text and Path(text).expanduser().is_dir() and bool(_files_below(text))

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        text = as_text(source) or ""
        path = Path(text).expanduser()
        if path.is_dir():
            files = _files_below(text)
            if not files:
                raise SourceError(
                    f"A folder of Parquet holds files that end with {' or '.join(_ENDINGS)}; '{path}' has none."
                )
        elif has_magic(str(path)) and not path.exists():
            files = sorted(Path(found).absolute() for found in glob(str(path), recursive=True))
            if not files:
                raise SourceError(f"A pattern names at least one file; no file is like '{text}'.")
        else:
            files = [existing_file(path)]
        origin = path.absolute()
        try:
            # Folders named column=value hold a column of that name, as Spark and others write them.
            partitioned = (
                any("=" in part for file in files for part in file.relative_to(origin).parts[:-1])
                if (path.is_dir())
                else False
            )
            frame = pl.scan_parquet(files, hive_partitioning=partitioned, glob=False)
            names = frame.collect_schema().names()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise SourceError(
                f"Parquet files are whole and of one schema; '{text}' cannot be read: {_first_line(error)} "
                "Write the file again, or name one whose content is Parquet."
            ) from error
        if not names:
            raise SourceError(f"A table has columns; '{text}' has none.")
        name = short_name(str(path)) if not has_magic(path.name) else short_name(str(path.absolute().parent))
        return Table(frame, name, str(origin), {"format": "parquet", "files": len(files)})


def _files_below(folder: str) -> list[Path]:
    # Names that begin with '_' or '.' are what writers leave beside the data (_SUCCESS, _temporary).
    found = (path for path in Path(folder).expanduser().absolute().rglob("*") if path.suffix.lower() in _ENDINGS)
    return sorted(path for path in found if path.is_file() and not path.name.startswith(("_", ".")))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") + "."
