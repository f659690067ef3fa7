"""Excel and OpenDocument sheets."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from nervura.errors import MissingDependency, SourceError, did_you_mean
from nervura.parsing import missing_words
from nervura.sources.base import Source, Table, existing_file, has_ending, short_name, split_table, unique_names

if TYPE_CHECKING:
    import polars as pl

_ENDINGS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")


class ExcelSource(Source):
    """One sheet, read at once; words for missing in columns of text become nulls, as in CSV files."""

    name = "excel"
    summary = "Excel: FILE.xlsx, .xls or .ods, a sheet as FILE.xlsx::SHEET"

    def matches(self, source: Any) -> bool:
        return has_ending(split_table(source, None)[0], _ENDINGS)

    def read(self, source: Any, table: str | None = None) -> Table:
        import polars as pl

        given, sheet = split_table(source, table)
        path = existing_file(given)
        if find_spec("fastexcel") is None:
            raise MissingDependency(f"Reading '{path}'", "fastexcel", "excel")
        import fastexcel

        try:
            book = fastexcel.read_excel(path)
        except fastexcel.FastExcelError as error:
            raise SourceError(
                f"A workbook is a whole Excel or OpenDocument file; '{path}' is not, or is protected by a password. "
                "Open it and save it again, or save it as CSV."
            ) from error
        sheets = book.sheet_names
        notes: list[str] = []
        if sheet is not None and sheet not in sheets:
            raise SourceError(f"The workbook '{path}' has no sheet '{sheet}'. {did_you_mean(sheet, sheets)}")
        chosen = sheet if sheet is not None else sheets[0]
        if sheet is None and len(sheets) > 1:
            others = ", ".join(f"'{name}'" for name in sheets[1:6]) + (" ..." if len(sheets) > 6 else "")
            notes.append(f"The first sheet, '{chosen}', is read; name another as table, or FILE::SHEET: {others}.")
        try:
            loaded = book.load_sheet(chosen, header_row=None, n_rows=1, dtypes="string")
            header = loaded.to_polars().row(0) if loaded.total_height else ()
            frame = book.load_sheet(chosen).to_polars() if header else pl.DataFrame()
        except fastexcel.FastExcelError as error:
            reason = str(error).strip().split("\n")[0].rstrip(".")
            raise SourceError(f"The sheet '{chosen}' of '{path}' cannot be read: {reason}.") from error
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null())) if frame.width else frame
        if frame.is_empty():
            raise SourceError(f"A table has a header and rows below it; the sheet '{chosen}' of '{path}' has none.")
        names, renamed = unique_names(header if len(header) == frame.width else frame.columns)
        frame.columns = names
        notes.extend(renamed)
        frame = frame.with_columns(_without_missing_words(frame[name]) for name in names)
        name = short_name(path) if sheet is None else f"{short_name(path)}-{sheet}"
        return Table(frame.lazy(), name, str(path), {"format": "excel", "sheet": chosen}, tuple(notes), in_memory=True)


def _without_missing_words(column: pl.Series) -> pl.Series:
    import polars as pl

    if column.dtype != pl.String:
        return column
    column = column.str.strip_chars()
    return column.set(column.is_in(["", *missing_words(column.unique())]), None)
