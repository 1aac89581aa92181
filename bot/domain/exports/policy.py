"""The policy of an export: `[export.<environment>]` of `envs/export.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot.domain.exports.schema import ForeignKey, TableName

PATH = "envs/export.toml"

RuleKind = Literal["keep", "mask", "null", "fixed"]
MaskName = Literal["email", "name", "phone", "address", "text", "number", "date_shift", "token", "digest"]
RowSelection = Literal["closure", "all", "none"]
"""`closure`: what the roots lead to. `all`: every row, for reference tables. `none`: the table stays empty, and its columns
need no rule."""
Fixed = str | int | float | bool


@dataclass(frozen=True)
class ColumnRule:
    """What happens to a column. label: values masked with the same label, key and mask are equal where they were equal
    before; "" for the mask's own name, so that equal values stay equal across tables. within: of `number` (largest distance)
    and `date_shift` (days). fixed: the value that `fixed` writes."""

    kind: RuleKind
    mask: MaskName | None = None
    label: str = ""
    within: int = 0
    fixed: Fixed | None = None


@dataclass(frozen=True)
class TablePolicy:
    """A table's rows and columns. most: refuse the export if more rows are selected, 0 for no limit."""

    name: TableName
    columns: dict[str, ColumnRule]
    rows: RowSelection = "closure"
    most: int = 0


@dataclass(frozen=True)
class Root:
    """Rows that an export begins with. where: one boolean SQL expression over the table's columns, "" for all rows.
    percent: of these rows, chosen by a hash of the key and `seed`, so that runs choose the same ones; 100 for all.
    children: whether rows that refer to them are included through every foreign key, not only through `edges`."""

    table: TableName
    where: str = ""
    percent: float = 100.0
    seed: str = ""
    children: bool = True


@dataclass(frozen=True)
class Edge:
    """A foreign key (or virtual key) that also brings in children: rows of `child` that refer to an included row of its parent.
    columns: the child's. most: children per parent, the first by the child's key; 0 for all."""

    child: TableName
    columns: tuple[str, ...]
    most: int = 0


@dataclass(frozen=True)
class VirtualKey:
    """A reference that the database does not declare. Parents of included rows are included as for a foreign key; a value
    without a parent is left alone."""

    child: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]

    @property
    def reference(self) -> ForeignKey:
        """The same as the schema has its own."""
        return ForeignKey(self.child, self.columns, self.parent, self.parent_columns, virtual=True)


@dataclass(frozen=True)
class Limits:
    """How much an export may ask of the source. connections: at once. statement, total: time limits. lag: of a replica's
    replication; sessions: active ones on the server. Above either, the export waits."""

    connections: int = 2
    statement: timedelta = timedelta(minutes=15)
    total: timedelta = timedelta(hours=4)
    lag: timedelta = timedelta(seconds=30)
    sessions: int = 100


@dataclass(frozen=True)
class Retention:
    """Which exports' files are kept: the newest `count`, and none older than `age`. The live one and the previous one always are."""

    count: int = 3
    age: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class PreviewData:
    """Data for instances: `[data.<environment>]`. export: the environment whose newest export is loaded. database: an
    output of the stack with the address of the instance's empty database. tables: only these, () for all."""

    environment: str
    export: str
    stack: str
    output: str
    tables: tuple[TableName, ...] = ()


@dataclass(frozen=True)
class ExportPolicy:
    """One export: `environment`'s database is replaced by a masked part of `source`'s (both are environments of
    `envs/environments.toml`). schedule: a cron expression in `time_zone`, "" for exports by command only. digest: of all
    that decides which data leaves and how it is masked; a change needs a new approval."""

    environment: str
    source: str
    roots: tuple[Root, ...]
    tables: dict[TableName, TablePolicy]
    digest: str
    edges: tuple[Edge, ...] = ()
    keys: tuple[VirtualKey, ...] = ()
    schedule: str = ""
    time_zone: str = "UTC"
    limits: Limits = Limits()
    retention: Retention = Retention()


@dataclass(frozen=True)
class ExportPolicies:
    """The whole file. exports: by environment. previews: by environment. migrations: globs of SQL files whose new columns
    a pull request's check looks for."""

    exports: dict[str, ExportPolicy]
    previews: dict[str, PreviewData]
    migrations: tuple[str, ...] = ()
    source: str = PATH
