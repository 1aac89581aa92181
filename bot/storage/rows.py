"""What the repositories share: a connection, and the few statements that they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.target import Target
from bot.storage.columns import read
from bot.storage.crypto import Vault

T = TypeVar("T")


def identity(table: Table) -> list[str]:
    """What a row is known by: its id where it is only counted by `seq`, else its primary key."""
    return ["id"] if "seq" in table.c else [column.name for column in table.primary_key]


def context(table: Table, *known_by: object) -> str:
    """Where sealed bytes belong (`logs/<run id>/<start>`): moved to another row, they do not open."""
    return "/".join([table.name, *map(str, known_by)])


@dataclass(frozen=True)
class Rows:
    """A repository within one transaction."""

    connection: Connection
    vault: Vault

    def one(self, of: type[T], query: Select[Any]) -> T | None:
        """The first row as a dataclass."""
        row = self.connection.execute(query.limit(1)).mappings().first()
        return None if row is None else read(of, row)

    def many(self, of: type[T], query: Select[Any]) -> list[T]:
        return [read(of, row) for row in self.connection.execute(query).mappings()]

    def latest(
        self, of: type[T], table: Table, targets: Iterable[Target], *where: ColumnElement[bool]
    ) -> dict[Target, T]:
        """The row that came last of each target that has one, in one query."""
        last = select(func.max(table.c.seq)).where(table.c.target.in_(list(targets)), *where)
        query = select(table).where(table.c.seq.in_(last.group_by(table.c.target)))
        return {row["target"]: read(of, row) for row in self.connection.execute(query).mappings()}

    def first(self, query: Select[Any]) -> Row[Any] | None:
        return self.connection.execute(query.limit(1)).first()

    def insert(self, table: Table, row: Mapping[str, Any]) -> None:
        self.connection.execute(table.insert().values(row))

    def put(
        self,
        table: Table,
        row: Mapping[str, Any],
        *,
        by: Sequence[str] = (),
        change: Mapping[str, Any] | None = None,
        where: ColumnElement[bool] | None = None,
    ) -> bool:
        """Insert; where one of the same identity is there already, make `change` to it instead.

        `by` names the columns of another unique key to tell it by. An empty `change` leaves the old row; `where` says
        which old rows change. Returns whether a row was written.
        Waits for another transaction that inserts the same key, so there is one winner on both databases.
        """
        names = by or identity(table)
        dialect = sqlite if self.connection.dialect.name == "sqlite" else postgresql
        insert = dialect.insert(table).values(row)
        statement = (
            insert.on_conflict_do_update(index_elements=names, set_=dict(change), where=where)
            if change
            else insert.on_conflict_do_nothing(index_elements=names)
        )
        # Asked for a row, not for rowcount: it is -1 on Postgres where the database counts the ids.
        return self.connection.execute(statement.returning(table.c[names[0]])).first() is not None

    def replace(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert, or replace all that is not the primary key."""
        keys = {column.name for column in table.primary_key}
        self.put(table, row, change={name: value for name, value in row.items() if name not in keys})

    def count(self, statement: Any) -> int:
        """How many rows an update or delete touched."""
        return int(self.connection.execute(statement).rowcount)

    def exists(self, table: Table, *where: ColumnElement[bool]) -> bool:
        return (
            self.connection.execute(select(1).select_from(table).where(*where).limit(1)).first() is not None
        )
