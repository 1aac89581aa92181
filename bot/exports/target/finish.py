"""What follows the rows: sequences, materialised views, statistics."""

from __future__ import annotations

import psycopg
from psycopg import Connection, sql

from bot.domain.exports import Manifest

_OWNED = """
    SELECT sn.nspname, s.relname, tn.nspname, t.relname, a.attname
    FROM pg_catalog.pg_class s
    JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE s.relkind = 'S'
"""
_UNFILLED = """
    SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND NOT c.relispopulated ORDER BY 1, 2
"""


def set_sequences(connection: Connection, manifest: Manifest) -> None:
    """Set each sequence to its last value in the source, or above what its column has, whichever is more: masks may have made
    larger numbers."""
    owners = {
        (schema, name): (sql.Identifier(*table), sql.Identifier(column))
        for schema, name, *table, column in connection.execute(_OWNED).fetchall()
    }
    known = {
        (schema, name)
        for schema, name in connection.execute("SELECT schemaname, sequencename FROM pg_catalog.pg_sequences")
    }
    for one in manifest.sequences:
        if (one.name.schema, one.name.name) not in known:
            continue
        owner = owners.get((one.name.schema, one.name.name))
        highest = sql.SQL("NULL::bigint")
        if owner is not None:
            highest = sql.SQL("(SELECT max({})::bigint FROM {})").format(owner[1], owner[0])  # type: ignore[assignment]
        sequence = sql.Literal(sql.Identifier(one.name.schema, one.name.name).as_string(connection))
        connection.execute(
            sql.SQL(
                "SELECT pg_catalog.setval({}, v) FROM (SELECT greatest({}, {}) AS v) s WHERE v IS NOT NULL"
            ).format(sequence, sql.Literal(one.last), highest)
        )


def refresh_views(connection: Connection) -> None:
    """Fill the materialised views, those that others read first."""
    while left := connection.execute(_UNFILLED).fetchall():
        filled, refused = 0, None
        for schema, name in left:
            try:
                connection.execute(
                    sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name))
                )
                filled += 1
            except psycopg.errors.ObjectNotInPrerequisiteState as error:
                refused = error  # it reads another one that is not filled yet
        if not filled and refused is not None:
            raise refused


def analyze(connection: Connection) -> None:
    """Give the planner its statistics, so that the first queries are not slow."""
    connection.execute("ANALYZE")
