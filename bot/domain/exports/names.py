"""Names of tables as a policy writes them: `public.customers`, with SQL's quotes where a part needs them."""

from __future__ import annotations

import re

from bot.domain.exports.schema import TableName

_PART = r'(?:"((?:[^"\0]|"")+)"|([^."\0]+))'
_NAME = re.compile(rf"{_PART}\.{_PART}")
_PLAIN = re.compile(r"[^.\"\s]+")
LONGEST = 63
"""Bytes of a name in PostgreSQL."""


def parse_table(text: str) -> TableName | None:
    """Return the table with this name, None if `text` is not one. Letters keep their case, with quotes or without: it is
    the name that the catalogue has."""
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    schema, name = (
        (quoted.replace('""', '"') if quoted else plain)
        for quoted, plain in ((found[1], found[2]), (found[3], found[4]))
    )
    return TableName(schema, name) if all(len(one.encode()) <= LONGEST for one in (schema, name)) else None


def written(table: TableName) -> str:
    """Return a table's name as a policy writes it; `parse_table` reads it."""
    return ".".join(_part(one) for one in (table.schema, table.name))


def _part(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
