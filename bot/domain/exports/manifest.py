"""What an export consists of: counts before data leaves (preview), and its files (manifest)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.exports.schema import TableName


@dataclass(frozen=True)
class TableCount:
    """A table in a preview. rows: exact, in the preview's snapshot. bytes: estimated from the table's average row.
    masked, cleared: columns that are masked, and that become NULL or a fixed value. why: what brought the rows in, for people
    (`root`, `all`, `parents`, `children of public.customers`)."""

    table: TableName
    rows: int
    total: int
    bytes: int
    masked: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Preview:
    """What an export would take, counted in one snapshot. notes: what is not exported or needs attention, one sentence each (large objects, tables without
    rows, extensions)."""

    tables: tuple[TableCount, ...]
    schema_digest: str
    policy_digest: str
    at: datetime
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.tables)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.tables)


@dataclass(frozen=True)
class Part:
    """One file with rows of one table, in COPY's text format, compressed and sealed. key: below the export's own prefix
    (`public.customers/00001.copy.zst`). sha256: of the stored bytes."""

    key: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class TableFiles:
    """A table's files, in the order in which they were written. columns: those that the files have, in their order.
    parents: the tables that its foreign keys refer to. Rows of partitions are those of the partitioned table."""

    table: TableName
    columns: tuple[str, ...]
    rows: int
    parts: tuple[Part, ...]
    parents: tuple[TableName, ...] = ()


@dataclass(frozen=True)
class Sequence:
    """A sequence's state in the source. last: None if it was never used."""

    name: TableName
    last: int | None


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`, written last: an export without one does not exist.

    schema_key: the file with the schema (pg_dump's custom format, sealed). key_id: of the masking key, which reveals nothing about it. Times are UTC.
    """

    export: str
    repository: str
    environment: str
    source: str
    tables: tuple[TableFiles, ...]
    sequences: tuple[Sequence, ...]
    schema_key: str
    schema_sha256: str
    schema_digest: str
    policy_digest: str
    key_id: str
    server_version: int
    snapshot_at: datetime
    written_at: datetime
    notes: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.tables)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for one in self.tables for part in one.parts)
