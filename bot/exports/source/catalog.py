"""A database's schema from pg_catalog, in a few queries however many tables there are."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

from bot.domain.exports import Column, DatabaseSchema, ForeignKey, Table, TableName, UniqueKey
from bot.exports.source import catalog_queries as queries


def read(connection: Connection) -> DatabaseSchema:
    """Return all tables with rows of their own, in the order of their names.

    Left out: system schemas, temporary and foreign tables, and tables that belong to an extension. Partitions are part
    of their root: its size, and keys and foreign keys that only a partition has. Reads no row of any table.
    """
    found = connection.execute(queries.TABLES).fetchall()
    names = {row[0]: TableName(row[1], row[2]) for row in found}
    roots = {leaf: root for leaf, root in connection.execute(queries.PARTITIONS) if root in names}
    every = [*names, *roots]
    columns = _columns(connection.execute(queries.COLUMNS, (list(names),)).fetchall())
    keys = _keys(connection.execute(queries.KEYS, (every,)).fetchall(), roots)
    tables = tuple(
        Table(
            names[row[0]],
            tuple(columns[row[0]]),
            tuple(keys[row[0]]),
            row[3],
            TableName(row[4], row[5]) if row[4] is not None else None,
            row[6],
            row[7],
        )
        for row in found
    )
    foreign = _foreign_keys(connection.execute(queries.FOREIGN_KEYS).fetchall(), roots, names)
    return DatabaseSchema(
        tables,
        foreign,
        connection.info.server_version,
        _digest(tables, foreign),
        _count(connection, queries.LARGE_OBJECTS),
        tuple(row[0] for row in connection.execute(queries.EXTENSIONS)),
    )


def readable(connection: Connection) -> frozenset[TableName]:
    """The tables whose rows the role may read."""
    return frozenset(TableName(row[1], row[2]) for row in connection.execute(queries.TABLES) if row[8])


def _columns(rows: Sequence[TupleRow]) -> dict[int, list[Column]]:
    found: dict[int, list[Column]] = defaultdict(list)
    for table, *values in rows:
        found[table].append(Column(*values))
    return found


def _keys(rows: Sequence[TupleRow], roots: dict[int, int]) -> dict[int, list[UniqueKey]]:
    """Keys by table. One that only a partition has does not cover every row of the root."""
    found: dict[int, list[UniqueKey]] = defaultdict(list)
    for table, primary, whole, columns in sorted(rows, key=lambda row: row[0] in roots):
        known = found[roots.get(table) or table]
        if table not in roots:
            known.append(UniqueKey(tuple(columns), bool(primary), bool(whole)))
        elif all(set(one.columns) != set(columns) for one in known):
            known.append(UniqueKey(tuple(columns), whole=False))
    return found


def _foreign_keys(
    rows: Sequence[TupleRow], roots: dict[int, int], names: dict[int, TableName]
) -> tuple[ForeignKey, ...]:
    """Each reference once: several partitions may declare the same one."""
    found: dict[tuple[object, ...], ForeignKey] = {}
    for child, parent, name, columns, parent_columns in rows:
        below, above = names.get(roots.get(child) or child), names.get(roots.get(parent) or parent)
        if below and above:
            key = ForeignKey(below, tuple(columns), above, tuple(parent_columns), name)
            found.setdefault((below, key.columns, above, key.parent_columns), key)
    return tuple(found.values())


def _digest(tables: tuple[Table, ...], foreign: tuple[ForeignKey, ...]) -> str:
    """Of all but sizes, which change by themselves."""
    stable = [{**asdict(table), "rows": 0, "bytes": 0} for table in tables]
    text = json.dumps([stable, [asdict(key) for key in foreign]], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _count(connection: Connection, query: LiteralString) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
