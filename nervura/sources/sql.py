"""Databases: SQLite files with Python alone, all else through SQLAlchemy."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nervura.errors import MissingDependency, SourceError, did_you_mean
from nervura.sources.base import (
    Source,
    Table,
    as_text,
    existing_file,
    has_ending,
    short_name,
    split_table,
    unique_names,
)

if TYPE_CHECKING:
    import polars as pl

_ENDINGS = (".db", ".sqlite", ".sqlite3", ".db3")
_NOT_DATABASES = ("http", "https", "ftp", "file", "s3", "gs", "gcs", "az", "abfs", "abfss", "hf", "toy")
_SCHEME = re.compile(r"([a-z][a-z0-9_]*(?:\+[a-z0-9_]+)?)://", re.IGNORECASE)


class SqlSource(Source):
    """One table or the answer to one SELECT; the password of an address is shown nowhere."""

    name = "sql"
    summary = "SQL: FILE.sqlite, .db or an SQLAlchemy URL, with ::TABLE or ::SELECT ..."

    def matches(self, source: Any) -> bool:
        given = split_table(source, None)[0]
        scheme = _SCHEME.match(given)
        if scheme:
            return scheme[1].lower() not in _NOT_DATABASES
        return has_ending(given, _ENDINGS)

    def read(self, source: Any, table: str | None = None) -> Table:
        given, wanted = split_table(source, table)
        if _SCHEME.match(given):
            frame, query, chosen, notes = _from_url(given, wanted)
            origin, stem = masked(given), short_name(re.split(r"[?#]", given)[0].rstrip("/")) if "@" in given else ""
            stem = re.sub(r".*[@:/]", "", stem) or "database"
        else:
            path = existing_file(as_text(given))
            frame, query, chosen, notes = _from_file(str(path), wanted)
            origin, stem = str(path), short_name(path)
        if frame.is_empty():
            what = f"the table '{chosen}'" if chosen else "the answer to the query"
            raise SourceError(f"A table has rows; {what} of '{origin}' has none.")
        reading = {"format": "sql", "table": chosen, "query": query}
        return Table(frame.lazy(), chosen or stem, origin, reading, notes, in_memory=True)


def masked(address: str) -> str:
    """The address with *** for the password, also where a driver takes it as a parameter."""
    address = re.sub(r"(://[^:/@]*):.*@(?=[^@]*$)", r"\1:***@", address)
    return re.sub(r"(?i)([?&][^=&]*(?:pass|pwd|token|secret|key)[^=&]*=)[^&]*", r"\1***", address)


def _is_query(text: str) -> bool:
    return re.match(r"\s*(select|with)\s", text, flags=re.IGNORECASE) is not None


def _choose(wanted: str | None, tables: list[str], origin: str) -> str:
    if not tables:
        raise SourceError(f"A database holds tables; '{origin}' has none.")
    if wanted is None:
        if len(tables) == 1:
            return tables[0]
        shown = ", ".join(tables[:12]) + (" ..." if len(tables) > 12 else "")
        raise SourceError(f"Of a database one table is read; '{origin}' has {shown}. Add ::TABLE to the address.")
    if wanted not in tables:
        raise SourceError(
            f"A table is named as in the database, or a query begins with SELECT; '{origin}' has no table '{wanted}'. "
            f"{did_you_mean(wanted, tables)}"
        )
    return wanted


def _from_file(path: str, wanted: str | None) -> tuple[pl.DataFrame, str, str | None, tuple[str, ...]]:
    """(rows, query, table or None, notes)"""
    # Read-only: looking at a database must never change it or leave a journal beside it.
    with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as connection:
        try:
            found = connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name"
            )
            tables = [row[0] for row in found]
        except sqlite3.DatabaseError as error:
            raise SourceError(f"A file of this ending is an SQLite database; '{path}' is not: {error}.") from error
        chosen = None if wanted is not None and _is_query(wanted) else _choose(wanted, tables, path)
        quoted = (chosen or "").replace('"', '""')
        query = wanted if chosen is None and wanted is not None else f'SELECT * FROM "{quoted}"'
        try:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise SourceError(f"The query is SQL that '{path}' understands; it answers: {error}.") from error
    frame, notes = _frame(names, rows)
    return frame, query, chosen, notes


def _from_url(address: str, wanted: str | None) -> tuple[pl.DataFrame, str, str | None, tuple[str, ...]]:
    """(rows, query, table or None, notes)"""
    if find_spec("sqlalchemy") is None:
        raise MissingDependency(f"Reading '{masked(address)}'", "sqlalchemy", "sql")
    import sqlalchemy

    origin = masked(address)
    try:
        url = sqlalchemy.make_url(address)
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    except ImportError as error:
        raise SourceError(
            f"Each database needs its driver; that of '{origin}' is not installed. Write: pip install {error.name}"
        ) from error
    except sqlalchemy.exc.ArgumentError as error:
        raise SourceError(
            f"An address is written DIALECT://USER:PASSWORD@HOST/DATABASE; given was '{origin}': {_reason(error, address)}."
        ) from None
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        existing_file(url.database)  # connecting would make an empty database of that name
    try:
        with engine.connect() as connection:
            if wanted is not None and _is_query(wanted):
                chosen, query = None, wanted
            else:
                chosen, query = _select_all(connection, wanted, origin)
            answer = connection.execution_options(stream_results=True).execute(sqlalchemy.text(_escaped(query)))
            frame, notes = _frame(list(answer.keys()), [tuple(row) for row in answer])
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise SourceError(
            f"The database at '{origin}' is reached and understands the query; it answers: {_reason(error, address)}."
        ) from None
    finally:
        engine.dispose()
    return frame, query, chosen, notes


def _select_all(connection: Any, wanted: str | None, origin: str) -> tuple[str, str]:
    """(table, query) for a table, view, or SCHEMA.TABLE"""
    import sqlalchemy

    inspector = sqlalchemy.inspect(connection)
    tables = sorted({*inspector.get_table_names(), *inspector.get_view_names()})
    quote = connection.dialect.identifier_preparer.quote_identifier
    if wanted is not None and wanted not in tables and "." in wanted:
        schema, _, table = wanted.partition(".")
        if schema in inspector.get_schema_names():
            within = sorted({*inspector.get_table_names(schema), *inspector.get_view_names(schema)})
            return (
                wanted,
                f"SELECT * FROM {quote(schema)}.{quote(_choose(table, within, f'{origin}, schema {schema}'))}",
            )
    chosen = _choose(wanted, tables, origin)
    return chosen, f"SELECT * FROM {quote(chosen)}"


def _escaped(query: str) -> str:
    """SQLAlchemy takes ':name' for a parameter; a query given here has none."""
    return re.sub(r"(?<!:):(?=[A-Za-z_])", r"\\:", query)


def _reason(error: Exception, address: str) -> str:
    text = str(getattr(error, "orig", None) or error).strip().split("\n")[0].rstrip(".")
    secret = re.search(r"://[^:/@]*:(.*)@(?=[^@]*$)", address)
    return text.replace(address, masked(address)).replace(secret[1], "***") if secret and secret[1] else text


def _frame(names: list[str], rows: list[Any]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Columns of one type each. SQLite lets every cell have its own: numbers beside words are all made words."""
    import polars as pl

    unique, renamed = unique_names(names)
    notes = list(renamed)
    columns = []
    for place, name in enumerate(unique):
        values = [float(row[place]) if isinstance(row[place], Decimal) else row[place] for row in rows]
        types = {type(value) for value in values if value is not None}
        if types <= {int, float, bool} and len(types) > 1:
            column = pl.Series(name, values, dtype=pl.Float64, strict=False)
        elif len(types) > 1 or types and not types & {bool, int, float, str, bytes} and not _is_time(types):
            column = pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
            if len(types) > 1:
                notes.append(f"The column '{name}' holds values of several types; they are read as text.")
        else:
            column = pl.Series(name, values, strict=False)
        columns.append(column)
    return pl.DataFrame(columns), tuple(notes)


def _is_time(types: set[type]) -> bool:
    return all(kind.__module__ == "datetime" for kind in types)
