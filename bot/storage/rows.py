"""The base of all repositories: a connection, and statements that they share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.target import Target
from bot.storage.columns import read
from bot.vault import Vault

T = TypeVar("T")

_LOCK_ALL = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")

CHUNK = 500
"""Rows in one statement: databases limit its parameters."""


def identity(table: Table) -> list[str]:
    """Return the columns that identify a row: `id` if the primary key is `seq`, else the primary key."""
    return ["id"] if "seq" in table.c else [column.name for column in table.primary_key]


def context(table: Table, *row_id: object) -> str:
    """Return the context of sealed bytes (`logs/<run id>/<start>`): moved to another row, they cannot be opened."""
    return "/".join([table.name, *map(str, row_id)])


def lock_number(name: str) -> int:
    """Return the number of an advisory lock: 63 bits of a hash."""
    return int.from_bytes(hashlib.sha256(f"towpath:{name}".encode()).digest()[:8], "big") >> 1


@dataclass(frozen=True)
class Rows:
    """A repository within one transaction."""

    connection: Connection
    vault: Vault

    def one(self, of: type[T], query: Select[Any]) -> T | None:
        """Return the first row as a dataclass."""
        row = self.connection.execute(query.limit(1)).mappings().first()
        return None if row is None else read(of, row)

    def many(self, of: type[T], query: Select[Any]) -> list[T]:
        return [read(of, row) for row in self.connection.execute(query).mappings()]

    def newest_by_target(
        self, of: type[T], table: Table, targets: Iterable[Target], *where: ColumnElement[bool]
    ) -> dict[Target, T]:
        """Return target → its newest row, for those that have one, with one query."""
        last = select(func.max(table.c.seq)).where(table.c.target.in_(list(targets)), *where)
        query = select(table).where(table.c.seq.in_(last.group_by(table.c.target)))
        return {row["target"]: read(of, row) for row in self.connection.execute(query).mappings()}

    def lock_names(self, names: Iterable[str]) -> None:
        """Hold names, in this order, until the transaction ends: by advisory locks on Postgres; SQLite has only one writing
        transaction anyway."""
        if self.connection.dialect.name != "sqlite":
            self.connection.execute(_LOCK_ALL, {"keys": [lock_number(name) for name in names]})

    def first(self, query: Select[Any]) -> Row[Any] | None:
        return self.connection.execute(query.limit(1)).first()

    def insert(self, table: Table, row: Mapping[str, Any]) -> None:
        self.connection.execute(table.insert().values(row))

    def upsert(
        self,
        table: Table,
        row: Mapping[str, Any],
        *,
        by: Sequence[str] = (),
        change: Mapping[str, Any] | None = None,
        where: ColumnElement[bool] | None = None,
    ) -> bool:
        """Insert a row, or update the existing one; return whether a row was written.

        by: columns of the unique key that identifies the existing row, if not its identity. change: what to set in
        the existing row; empty leaves it alone. where: a condition on the existing row for the update.
        It waits for other transactions that insert the same key, so that one of them wins on both databases.
        """
        names = by or identity(table)
        dialect = sqlite if self.connection.dialect.name == "sqlite" else postgresql
        insert = dialect.insert(table).values(row)
        statement = (
            insert.on_conflict_do_update(index_elements=names, set_=dict(change), where=where)
            if change
            else insert.on_conflict_do_nothing(index_elements=names)
        )
        # rowcount is not usable: it is -1 on Postgres if the database assigns the ids.
        return self.connection.execute(statement.returning(table.c[names[0]])).first() is not None

    def add_missing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert the rows whose identity does not exist yet."""
        dialect = sqlite if self.connection.dialect.name == "sqlite" else postgresql
        for start in range(0, len(rows), CHUNK):
            insert = dialect.insert(table).values(rows[start : start + CHUNK])
            self.connection.execute(insert.on_conflict_do_nothing(index_elements=identity(table)))

    def replace(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert a row, or replace everything except the primary key in the existing one."""
        keys = {column.name for column in table.primary_key}
        self.upsert(table, row, change={name: value for name, value in row.items() if name not in keys})

    def count(self, statement: Any) -> int:
        """Run an update or delete; return how many rows it affected."""
        return int(self.connection.execute(statement).rowcount)

    def exists(self, table: Table, *where: ColumnElement[bool]) -> bool:
        return (
            self.connection.execute(select(1).select_from(table).where(*where).limit(1)).first() is not None
        )
