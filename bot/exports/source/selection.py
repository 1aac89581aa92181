"""The rows of an export, as keys on this side; nothing was written on the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from psycopg.sql import SQL, Composed, Identifier

from bot.domain.exports import Table
from bot.exports.source.keysets import BATCH, Key, Keyset
from bot.exports.source.queries import Queries, rows_of


@dataclass(frozen=True)
class SelectedTable:
    """A table's rows. whole: every row. rows: exact, in the snapshot. why: for people, as in TableCount."""

    table: Table
    whole: bool
    rows: int
    why: str
    queries: Queries = field(repr=False)
    keys: Keyset | None = field(default=None, repr=False)

    def copies(self, columns: Sequence[str], size: int = BATCH) -> Iterator[Composed]:
        """Complete `COPY … TO STDOUT` statements, text format, which read each row exactly once: `size` rows a statement, the whole
        table in one if every row is taken, none if no row is.

        Example: `for query in selected.copies(columns): with cursor.copy(query) as copy: for block in copy: …`
        """
        names = SQL(", ").join(Identifier("t", column) for column in columns)
        for batch in self._batches(size):
            yield SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(
                names, self.queries.selected(self.table, batch)
            )

    def _batches(self, size: int) -> Iterator[Sequence[Key] | None]:
        if self.whole:
            yield None
        elif self.keys is not None:
            yield from self.keys.batches(size)


@dataclass(frozen=True)
class Selection:
    """What is exported, by table in the order of their names; tables without rows are included. Valid while the source is open."""

    tables: tuple[SelectedTable, ...]

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.tables)


def count_query(table: Table) -> Composed:
    """How many rows the whole table has."""
    return SQL("SELECT count(*)::text FROM {}").format(rows_of(table))
