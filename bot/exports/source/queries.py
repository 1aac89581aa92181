"""The SQL of a closure. Keys are compared by each type's own equality, whatever schema its operators are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier, Literal

from bot.domain.exports import ForeignKey, Table, TableName
from bot.exports.source.keysets import Key

_NEED_LENGTH = frozenset({"character", "bit"})
"""Without their length these mean a length of 1."""

_OPERATORS = """
SELECT format_type(c.opcintype, NULL), n.nspname FROM pg_opclass c
JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
JOIN pg_amop a ON a.amopfamily = c.opcfamily AND a.amopstrategy = 3
  AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype
JOIN pg_operator o ON o.oid = a.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE c.opcdefault AND n.nspname <> 'pg_catalog'
"""


def rows_of(table: Table) -> Composed:
    """The table in FROM. Only partitioned tables include others' rows: an inheritance child is read by itself."""
    name = Identifier(table.name.schema, table.name.name)
    return SQL("{}").format(name) if table.kind == "partitioned" else SQL("ONLY {}").format(name)


@dataclass(frozen=True)
class Queries:
    """Builds queries for one database. operators: schema of `=` by type, where it is not pg_catalog. indexes: each valid
    index's table and every leading set of its columns."""

    operators: dict[str, str]
    indexes: frozenset[tuple[TableName, frozenset[str]]]

    @classmethod
    def of(cls, connection: Connection) -> Queries:
        """For the database of this connection."""
        indexes = {
            (TableName(schema, name), frozenset(columns[:size]))
            for schema, name, columns in connection.execute(_INDEXES)
            for size in range(1, len(columns) + 1)
        }
        return cls(dict(connection.execute(_OPERATORS).fetchall()), frozenset(indexes))

    def indexed(self, table: TableName, columns: Sequence[str]) -> bool:
        """Whether an index finds rows by these columns."""
        return (table, frozenset(columns)) in self.indexes

    def keys(self, table: Table, alias: str) -> Composed:
        """The columns as text, for a keyset."""
        return SQL(", ").join(SQL("{}::text").format(Identifier(alias, one)) for one in table.key)

    def within(self, table: Table, batch: Sequence[Key]) -> Composed:
        """`k`, a relation of the batch's keys: a row each, columns c0, c1, … in the types of the table's key."""
        arrays = [
            SQL("{}::text[]::{}[]").format(Literal(list(values)), SQL(_cast(table, column)))
            for column, values in zip(table.key, zip(*batch, strict=True), strict=True)
        ]
        names = SQL(", ").join(Identifier(f"c{place}") for place in range(len(arrays)))
        return SQL("unnest({}) AS k({})").format(SQL(", ").join(arrays), names)

    def matches(self, table: Table) -> Composed:
        """The condition that a row of the table has the key of `k`."""
        pairs = [
            SQL("{} {} {}").format(
                Identifier("t", column), self._equals(table, column), Identifier("k", f"c{place}")
            )
            for place, column in enumerate(table.key)
        ]
        return SQL(" AND ").join(pairs)

    def selected(self, table: Table, batch: Sequence[Key] | None) -> Composed:
        """FROM … of the batch's rows as `t`; of all rows without a batch."""
        if batch is None:
            return SQL("{} AS t").format(rows_of(table))
        return SQL("{} JOIN {} AS t ON {}").format(
            self.within(table, batch), rows_of(table), self.matches(table)
        )

    def parents(self, key: ForeignKey, child: Table, parent: Table, batch: Sequence[Key] | None) -> Composed:
        """Keys of the parents of these children; of all ancestors where a table refers to itself, since a long chain would
        take a query a row. A reference with any NULL is none (MATCH SIMPLE)."""
        names = [Identifier(f"f{place}") for place in range(len(key.columns))]
        wanted = SQL("SELECT DISTINCT {} FROM {} WHERE {}").format(
            _listed("t", key.columns), self.selected(child, batch), _all_given(key.columns, "t")
        )
        joined = SQL("w JOIN {} AS p ON {}").format(
            rows_of(parent),
            self._references(
                key,
                child,
                parent,
                [Identifier("w", f"f{place}") for place in range(len(names))],
                [Identifier("p", column) for column in key.parent_columns],
            ),
        )
        if key.child == key.parent:
            wanted += SQL(" UNION SELECT {} FROM {} WHERE {}").format(
                _listed("p", key.columns), joined, _all_given(key.columns, "p")
            )
        return SQL("WITH RECURSIVE w({}) AS ({}) SELECT {} FROM {}").format(
            SQL(", ").join(names), wanted, self.keys(parent, "p"), joined
        )

    def children(
        self, key: ForeignKey, child: Table, parent: Table, batch: Sequence[Key] | None, most: int
    ) -> Composed:
        """Keys of the rows that refer to these parents; at most that many for each, the first by their key."""
        joined, group = self._referring(key, child, parent, batch)
        if not most:
            return SQL("SELECT {} FROM {}").format(self.keys(child, "c"), joined)
        order = SQL(", ").join(Identifier("c", column) for column in child.key)
        names = SQL(", ").join(Identifier(f"k{place}") for place in range(len(child.key)))
        numbered = SQL("SELECT {}, row_number() OVER (PARTITION BY {} ORDER BY {}) FROM {}").format(
            self.keys(child, "c"), group, order, joined
        )
        return SQL("SELECT {} FROM ({}) AS w({}, place) WHERE place <= {}").format(
            names, numbered, names, Literal(most)
        )

    def _referring(
        self, key: ForeignKey, child: Table, parent: Table, batch: Sequence[Key] | None
    ) -> tuple[Composed, Composed]:
        """FROM … of the children as `c` with their parents, and the columns that tell parents apart. The parents' own rows
        are not read if the references are to their key."""
        values = [Identifier("c", column) for column in key.columns]
        if batch is not None and set(key.parent_columns) == set(parent.key):
            source = self.within(parent, batch)
            above = [Identifier("k", f"c{parent.key.index(column)}") for column in key.parent_columns]
        else:
            source = self.selected(parent, batch)
            above = [Identifier("t", column) for column in key.parent_columns]
        matching = self._references(key, child, parent, values, above)
        return SQL("{} JOIN {} AS c ON {}").format(source, rows_of(child), matching), SQL(", ").join(above)

    def orphaned(self, key: ForeignKey, child: Table, batch: Sequence[Key] | None) -> Composed:
        """Whether any of these children refers to a parent."""
        return SQL("SELECT EXISTS (SELECT FROM {} WHERE {})::text").format(
            self.selected(child, batch), _all_given(key.columns, "t")
        )

    def _references(
        self,
        key: ForeignKey,
        child: Table,
        parent: Table,
        values: Sequence[Identifier],
        above: Sequence[Identifier],
    ) -> Composed:
        """The condition that these values of a child are the referenced ones of a parent."""
        pairs = []
        for place, (column, referenced) in enumerate(zip(key.columns, key.parent_columns, strict=True)):
            side = SQL("{}").format(values[place])
            if (
                _base(child, column) != _base(parent, referenced)
                and _base(parent, referenced) in self.operators
            ):
                side = SQL("{}::{}").format(side, SQL(_cast(parent, referenced)))
            pairs.append(SQL("{} {} {}").format(above[place], self._equals(parent, referenced), side))
        return SQL(" AND ").join(pairs)

    def _equals(self, table: Table, column: str) -> Composed:
        return SQL("OPERATOR({}.=)").format(
            Identifier(self.operators.get(_base(table, column), "pg_catalog"))
        )


def _listed(alias: str, columns: Sequence[str]) -> Composed:
    return SQL(", ").join(Identifier(alias, column) for column in columns)


def _all_given(columns: Sequence[str], alias: str) -> Composed:
    return SQL(" AND ").join(SQL("{} IS NOT NULL").format(Identifier(alias, column)) for column in columns)


def _base(table: Table, column: str) -> str:
    found = table.column(column)
    return found.base if found else ""


def _cast(table: Table, column: str) -> str:
    """The type to read a key's text as. It comes from format_type(), which quotes."""
    found = table.column(column)
    if found is None:
        return "text"
    return found.type if found.base in _NEED_LENGTH else found.base


_INDEXES = """
SELECT n.nspname, c.relname,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::smallint[]) WITH ORDINALITY k(n, p)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n WHERE k.p <= i.indnkeyatts ORDER BY k.p)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisvalid AND i.indpred IS NULL AND 0 <> ALL (i.indkey::smallint[]) AND c.relkind IN ('r', 'p')
  AND n.nspname NOT LIKE 'pg\\_%'
"""
