"""Data that the pane of databases shows, read from the shop's prod and staging."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import psycopg
from psycopg import Connection, sql

from bot.playground.postgres import programs
from bot.playground.shop import ShopDatabases

PAGE = 12
"""Rows of a page."""
SHOWN = 60
"""Characters of a value."""
_SETTINGS = "-c default_transaction_read_only=on -c statement_timeout=5s"
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'towpath') ORDER BY 1, 2
"""
_COLUMNS = """
    SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
Name = tuple[str, str]


@dataclass(frozen=True)
class TableRows:
    """A page of a table's rows as text; None is NULL. last: the number of its last page, from 0."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    page: int
    last: int


@dataclass(frozen=True)
class DatabaseView:
    """A database. tables: names with their exact number of rows. rows: of the chosen table, None if it has no such table.
    problem: why nothing can be read now. psql: the command that opens it in a terminal."""

    name: str
    psql: str
    tables: tuple[tuple[str, int], ...] = ()
    rows: TableRows | None = None
    problem: str = ""


def databases_view(shop: ShopDatabases, table: str, page: int) -> tuple[DatabaseView, ...]:
    """Return prod and staging. table: the chosen one, such as public.customers. page: of its rows, from 0."""
    return tuple(
        _view(name, url, table, page) for name, url in (("prod", shop.prod), ("staging", shop.staging))
    )


def _view(name: str, url: str, table: str, page: int) -> DatabaseView:
    psql = shlex.join([str(programs() / "psql"), url])  # as new as the server, which one on PATH may not be
    try:
        with psycopg.connect(url, connect_timeout=3, options=_SETTINGS) as connection:
            tables = _counts(connection)
            rows = next(
                (_rows(connection, one, count, page) for one, count in tables if ".".join(one) == table), None
            )
    except psycopg.Error as error:
        return DatabaseView(name, psql, problem=f"It cannot be read now: {str(error).splitlines()[0]}")
    return DatabaseView(name, psql, tuple((".".join(one), count) for one, count in tables), rows)


def _counts(connection: Connection) -> list[tuple[Name, int]]:
    return [
        ((schema, name), _count(connection, schema, name))
        for schema, name in connection.execute(_TABLES).fetchall()
    ]


def _count(connection: Connection, schema: str, name: str) -> int:
    found = connection.execute(
        sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
    ).fetchone()
    return int(found[0]) if found else 0


def _rows(connection: Connection, table: Name, count: int, page: int) -> TableRows:
    """Read one page, ordered by the first column, which is the key in most tables."""
    name = sql.Identifier(*table)
    columns = tuple(row[0] for row in connection.execute(_COLUMNS, (name.as_string(connection),)).fetchall())
    last = max(0, (count - 1) // PAGE)
    page = min(page, last)
    query = sql.SQL("SELECT {} FROM {} ORDER BY {} LIMIT {} OFFSET {}").format(
        sql.SQL(", ").join(_text(one) for one in columns),
        name,
        sql.Identifier(*table, columns[0]),
        sql.Literal(PAGE),
        sql.Literal(page * PAGE),
    )
    found = connection.execute(query).fetchall()
    return TableRows(columns, tuple(tuple(map(_short, row)) for row in found), page, last)


def _text(column: str) -> sql.Composed:
    return sql.SQL("left({}::text, {})").format(sql.Identifier(column), sql.Literal(SHOWN + 1))


def _short(value: str | None) -> str | None:
    return f"{value[:SHOWN]}…" if value is not None and len(value) > SHOWN else value
