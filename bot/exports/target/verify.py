"""Check what was loaded, before anybody uses it."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import Connection, sql

from bot.domain.exports import TEXTS, ExportPolicy, TableFiles
from bot.errors import UserError

_NOT_VALID = """
    SELECT conrelid::regclass::text, conname FROM pg_catalog.pg_constraint
    WHERE NOT convalidated AND contype IN ('f', 'c') ORDER BY 1, 2
"""
_BROKEN_INDEXES = (
    "SELECT indexrelid::regclass::text FROM pg_catalog.pg_index WHERE NOT indisvalid AND NOT indisready"
)
_SEARCHED = (*TEXTS, "json", "jsonb")
"""Types whose kept values are searched for people's data."""
_EMAIL = r"[[:alnum:]._%+-]+@[[:alnum:]-]+\.[[:alpha:]]{2,}"
_PHONE = r"\+[1-9][0-9 ()/-]{8,17}[0-9]"
_SAMPLE = 10_000
"""Rows of a column that are searched for what looks like people's data."""


def verify_rows(connection: Connection, tables: Iterable[TableFiles]) -> None:
    """Raise UserError if a table does not have exactly the manifest's rows."""
    for one in tables:
        name = sql.Identifier(one.table.schema, one.table.name)
        # A table's own rows, as they were read: inherited ones are children's.
        row = connection.execute(
            sql.SQL("SELECT count(*) FROM {} {}").format(
                sql.SQL("ONLY" if _ordinary(connection, one) else ""), name
            )
        ).fetchone()
        found = row[0] if row else 0
        if found != one.rows:
            raise UserError(
                f"`{one.table}` has {found:,} rows, but the export has {one.rows:,}.",
                next_step="Run the export again; the live database was not touched.",
            )


def verify_constraints(connection: Connection) -> tuple[str, ...]:
    """Return a sentence for each constraint that is not validated, since the source does not validate it either: all others were
    proved when they were added. Raises UserError if an index is not usable."""
    for (name,) in connection.execute(_BROKEN_INDEXES).fetchall():
        raise UserError(
            f"The index `{name}` could not be made.",
            next_step="Run the export again; the live database was not touched.",
        )
    return tuple(
        f"The constraint `{name}` of `{table}` is not validated, as in the source."
        for table, name in connection.execute(_NOT_VALID).fetchall()
    )


def suspicious_columns(
    connection: Connection, policy: ExportPolicy, tables: Iterable[TableFiles]
) -> tuple[str, ...]:
    """Return a sentence for each kept text column in whose first rows something looks like an e-mail address or a phone number."""
    notes: list[str] = []
    for one in tables:
        rules = policy.tables.get(one.table)
        kept = [
            name
            for name in one.columns
            if rules and name in rules.columns and rules.columns[name].kind == "keep"
        ]
        seen = {column: _looks_like(connection, one, column) for column in kept if one.rows}
        notes += [
            f"`{one.table}.{column}` is kept and has what looks like {what}."
            for column, what in seen.items()
            if what
        ]
    return tuple(notes)


def _looks_like(connection: Connection, one: TableFiles, column: str) -> str:
    name, part = sql.Identifier(one.table.schema, one.table.name), sql.Identifier(column)
    kind = connection.execute(
        sql.SQL(
            "SELECT pg_catalog.format_type(atttypid, NULL) FROM pg_catalog.pg_attribute"
            " WHERE attrelid = {}::regclass AND attname = {}"
        ).format(sql.Literal(name.as_string(connection)), sql.Literal(column))
    ).fetchone()
    if kind is None or kind[0] not in _SEARCHED:
        return ""
    row = connection.execute(
        sql.SQL(
            "SELECT bool_or(v ~ {}), bool_or(v ~ {}) FROM (SELECT left({}::text, 10000) AS v FROM {} LIMIT {}) s"
        ).format(sql.Literal(_EMAIL), sql.Literal(_PHONE), part, name, sql.Literal(_SAMPLE))
    ).fetchone()
    emails, phones = row or (False, False)
    return "e-mail addresses" if emails else "phone numbers" if phones else ""


def _ordinary(connection: Connection, one: TableFiles) -> bool:
    """Whether the table is an ordinary one, whose count is its own rows."""
    row = connection.execute(
        sql.SQL("SELECT relkind = 'r' FROM pg_catalog.pg_class WHERE oid = {}::regclass").format(
            sql.Literal(sql.Identifier(one.table.schema, one.table.name).as_string(connection))
        )
    ).fetchone()
    return bool(row and row[0])
