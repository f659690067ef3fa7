"""Data frames in memory: Polars (also lazy), pandas and Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nervura.errors import MissingDependency, SourceError
from nervura.sources.base import Source, Table, unique_names

if TYPE_CHECKING:
    import polars as pl

_KINDS = {("polars", "DataFrame"), ("polars", "LazyFrame"), ("pandas", "DataFrame"), ("pyarrow", "Table")}


class FrameSource(Source):
    """The columns as they are; the index of a pandas frame is not a column."""

    name = "frame"
    summary = "a data frame of Polars, pandas or Arrow"

    def matches(self, source: Any) -> bool:
        return any(_kind(cls) in _KINDS for cls in type(source).__mro__)

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        kind = next(_kind(cls) for cls in type(source).__mro__ if _kind(cls) in _KINDS)
        notes: tuple[str, ...] = ()
        if kind == ("pandas", "DataFrame"):
            frame, notes = _from_pandas(source)
            lazy = frame.lazy()
        elif kind == ("pyarrow", "Table"):
            names, notes = unique_names(source.column_names)
            frame = pl.from_arrow(source.rename_columns(names))  # type: ignore[assignment]
            lazy = frame.lazy()
        else:
            lazy = source.lazy()
        if not lazy.collect_schema().names():
            raise SourceError("A table has columns; the data frame given has none.")
        in_memory = kind != ("polars", "LazyFrame")
        if in_memory and not len(source):
            raise SourceError(f"A table has rows; the data frame given has none, only {len(source.columns)} columns.")
        origin = ".".join(kind)
        return Table(lazy, "frame", origin, {"format": kind[0]}, notes, in_memory=in_memory)


def _kind(cls: type) -> tuple[str, str]:
    """Library and name of a class, told without importing the library."""
    return cls.__module__.split(".")[0], cls.__name__


def _from_pandas(given: Any) -> tuple[pl.DataFrame, tuple[str, ...]]:
    import polars as pl

    flat = ["_".join(str(part) for part in name) if isinstance(name, tuple) else name for name in given.columns]
    names, renamed = unique_names(flat)
    notes = list(renamed)
    if given.index.name is not None or any(name is not None for name in given.index.names):
        kept = ", ".join(str(name) for name in given.index.names)
        notes.append(f"The index ({kept}) is not used as a column. Write frame.reset_index() to keep it.")
    columns = []
    for place, name in enumerate(names):
        values = given.iloc[:, place]
        try:
            column = pl.Series(pl.from_pandas(values, nan_to_null=True))
        except ImportError:
            raise MissingDependency("Reading a pandas frame", "pyarrow", "pandas") from None
        except (
            TypeError,
            ValueError,
            OverflowError,
            pl.exceptions.PolarsError,
        ):  # mixed types; Arrow's errors are these
            text = [None if missing else str(value) for value, missing in zip(values, values.isna(), strict=True)]
            column = pl.Series(text, dtype=pl.String)
            notes.append(f"The column '{name}' holds values of several types; they are read as text.")
        columns.append(column.alias(name))
    return pl.DataFrame(columns), tuple(notes)
