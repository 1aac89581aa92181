"""A database's schema as values: what an export's policy is checked against, and what a closure follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TableKind = Literal["table", "partitioned", "partition", "inherited"]
"""`partition`: its rows are read through its root. `inherited`: a child of old-style inheritance, read by itself."""


@dataclass(frozen=True, order=True)
class TableName:
    """A table's schema and name, unquoted, as in the catalogue."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Column:
    """A column. type: as format_type() prints it, domains and enums by their own name, with the schema unless it is pg_catalog's.
    base: the type below domains, without length (`text`, `integer`, `timestamp with time zone`, `text[]`). length: of varchar(n) and char(n), 0 without
    one. generated: computed from other columns, so never read or written. identity: `GENERATED … AS IDENTITY`.
    constrained: a CHECK of the table or of a domain names it, so a mask may break it."""

    name: str
    type: str
    base: str
    not_null: bool = False
    generated: bool = False
    identity: bool = False
    length: int = 0
    constrained: bool = False


@dataclass(frozen=True)
class UniqueKey:
    """A primary key, unique constraint or unique index. whole: it covers every row and compares plain columns (no predicate, no expression).
    columns: for an index on expressions, those that the expressions read."""

    columns: tuple[str, ...]
    primary: bool = False
    whole: bool = True


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key, declared in the database or virtual (by the policy, and not enforced). Columns correspond by position."""

    child: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    name: str = ""
    virtual: bool = False


@dataclass(frozen=True)
class Table:
    """A table. rows, bytes: the planner's estimate and the size on disk with TOAST, both without indexes."""

    name: TableName
    columns: tuple[Column, ...]
    keys: tuple[UniqueKey, ...] = ()
    kind: TableKind = "table"
    parent: TableName | None = None
    rows: int = 0
    bytes: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row: the primary key, else a unique key without NULLs, () if there is none."""
        required = {column.name for column in self.columns if column.not_null}
        usable = [one for one in self.keys if one.whole and required.issuperset(one.columns)]
        return next((one.columns for one in sorted(usable, key=lambda one: not one.primary)), ())

    def column(self, name: str) -> Column | None:
        return next((one for one in self.columns if one.name == name), None)


@dataclass(frozen=True)
class DatabaseSchema:
    """All tables that hold rows of their own, and what an export treats specially.

    version: the server's, such as 160004. large_objects: how many there are; they are not exported, and reported.
    extensions: installed ones. digest: of everything that an export depends on, to notice a change between preview and
    run.
    """

    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...]
    version: int
    digest: str
    large_objects: int = 0
    extensions: tuple[str, ...] = ()

    def table(self, name: TableName) -> Table | None:
        return next((one for one in self.tables if one.name == name), None)
