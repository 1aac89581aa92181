"""The rows that an export begins with: a predicate, and a seeded hash that chooses the same rows in every run."""

from __future__ import annotations

import hashlib

from psycopg.sql import SQL, Composed, Identifier, Literal

from bot.domain.exports import INTEGERS, Root, Table
from bot.exports.source.queries import rows_of

_PARTS = 1_000_000
"""Percentages count to four decimals."""


def root_rows(root: Root, table: Table) -> Composed:
    """Keys of the root's rows, as text. The predicate is a checked expression of the policy."""
    name = table.name.name
    keys = SQL(", ").join(SQL("{}::text").format(Identifier(name, column)) for column in table.key)
    query = SQL("SELECT {} FROM {} WHERE {}").format(keys, rows_of(table), _predicate(root))
    if root.percent >= 100:
        return query
    limit = Literal(round(root.percent * _PARTS / 100))
    return query + SQL(" AND ({} & 9223372036854775807) % {} < {}").format(
        _hash(root, table), Literal(_PARTS), limit
    )


def _predicate(root: Root) -> Composed:
    return SQL("({})").format(SQL(root.where)) if root.where else SQL("{}").format(SQL("true"))


def _hash(root: Root, table: Table) -> Composed:
    """A 64-bit hash of the key. The functions are those of hash partitioning, whose results never change."""
    seed = Literal(int.from_bytes(hashlib.sha256(root.seed.encode()).digest()[:8], "big", signed=True))
    first = table.column(table.key[0])
    if len(table.key) == 1 and first and first.type in INTEGERS:
        column = Identifier(table.name.name, table.key[0])
        return SQL("hashint8extended({}::bigint, {}::bigint)").format(column, seed)
    text = SQL(" || chr(31) || ").join(
        SQL("{}::text").format(Identifier(table.name.name, column)) for column in table.key
    )
    return SQL('hashtextextended(({}) COLLATE "C", {}::bigint)').format(text, seed)
