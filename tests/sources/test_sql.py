"""SQLite files and addresses of databases."""

import sqlite3
from contextlib import closing

import pytest

from nervura.errors import MissingDependency, SourceError
from nervura.sources import read
from nervura.sources.sql import masked


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, price REAL, town TEXT, loose)")
        connection.execute("CREATE TABLE customers (name TEXT)")
        connection.executemany(
            "INSERT INTO orders VALUES (?, ?, ?, ?)",
            [(1, 2.5, "Porto", 1), (2, None, None, "one"), (3, 4, "a::b", None)],
        )
        connection.commit()
    return path


@pytest.mark.parametrize("kind", ["file", "address"])
def test_tables_and_queries(database, kind):
    if kind == "address":
        pytest.importorskip("sqlalchemy")
    source = str(database) if kind == "file" else f"sqlite:///{database}"
    found = read(source, table="orders")
    rows = [(1, 2.5, "Porto", "1"), (2, None, None, "one"), (3, 4.0, "a::b", None)]
    assert found.frame.collect().rows() == rows
    assert (found.name, found.reading["table"]) == ("orders", "orders")
    assert "'loose'" in found.notes[0]
    assert read(f"{source}::orders").frame.collect().rows() == rows
    query = read(f"{source}::SELECT town AS place FROM orders WHERE town = 'a::b' OR town = ':x'")
    assert query.frame.collect().rows() == [("a::b",)]
    assert query.reading["table"] is None


@pytest.mark.parametrize("kind", ["file", "address"])
def test_mistakes(database, tmp_path, kind):
    if kind == "address":
        pytest.importorskip("sqlalchemy")
    start = "" if kind == "file" else "sqlite:///"
    for table, words in [
        (None, "customers, orders. Add ::TABLE"),
        ("order", "no table 'order'. Did you mean 'orders'"),
        ("SELECT colour FROM orders", "no such column"),
        ("customers", "has none"),
    ]:
        with pytest.raises(SourceError, match=words):
            read(f"{start}{database}", table=table)
    with pytest.raises(SourceError, match="no file"):
        read(f"{start}{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "text.db").write_text("a,b\n1,2\n" * 100)
    with pytest.raises(SourceError, match="is not"):
        read(tmp_path / "text.db")


def test_a_query_cannot_change_the_file(database):
    with pytest.raises(SourceError):
        read(database, table="WITH x AS (SELECT 1) DELETE FROM orders")
    assert read(database, table="orders").frame.collect().height == 3


def test_a_password_is_shown_nowhere():
    pytest.importorskip("sqlalchemy")
    assert masked("mysql://me:se@cr:et@host/db?sslpassword=x&a=1") == "mysql://me:***@host/db?sslpassword=***&a=1"
    for address in ["postgresql+psycopg2://me:secret@localhost:1/db", "nosuch://me:secret@localhost/db"]:
        with pytest.raises((SourceError, MissingDependency)) as caught:
            read(address, table="t")
        assert "secret" not in str(caught.value)


def test_a_missing_driver_is_named():
    pytest.importorskip("sqlalchemy")
    with pytest.raises(SourceError, match="driver"):
        read("mysql+pymysql://me:secret@localhost/db::t")
