"""What a preview tells besides counts: what is not exported, or needs attention."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection

from bot.domain.exports import TableName
from bot.exports.source.selection import Selection
from bot.exports.source.session import Source

_SHOWN = 10
"""Names in one sentence."""

_RELATIONS = """
SELECT c.relkind::text, c.relpersistence::text, c.relispartition, n.nspname, c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('f', 'm') OR c.relkind = 'r' AND c.relpersistence = 'u')
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
"""
_NOT_VALID = """
SELECT n.nspname, c.relname || '.' || k.conname FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND NOT k.convalidated AND k.conparentid = 0 ORDER BY n.nspname, c.relname, k.conname
"""
_WITH_ROWS = """
SELECT n.nspname, c.relname FROM pg_extension e, unnest(e.extconfig) o JOIN pg_class c ON c.oid = o
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') ORDER BY 1, 2
"""
_SEES_STATISTICS = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"


def notes(source: Source, selection: Selection) -> tuple[str, ...]:
    """Return them, one sentence each."""
    with source.connection() as connection:
        found = connection.execute(_RELATIONS).fetchall()
        foreign = [TableName(*row[3:]) for row in found if row[0] == "f" and not row[2]]
        partitions = [TableName(*row[3:]) for row in found if row[0] == "f" and row[2]]
        views = [TableName(*row[3:]) for row in found if row[0] == "m"]
        unlogged = [TableName(*row[3:]) for row in found if row[0] == "r"]
        told = [
            _named("Rows of foreign tables are not exported", foreign),
            _named(
                "Partitions that are foreign tables are read from their server, outside of the snapshot",
                partitions,
            ),
            _named("Materialized views are refreshed from the exported rows", views),
            _named("Unlogged tables are exported like others", unlogged),
            _named("Rows that belong to extensions are not exported", _names(connection, _WITH_ROWS)),
            _named(
                "Foreign keys that are NOT VALID may have rows without a parent",
                _names(connection, _NOT_VALID),
            ),
        ]
        sees = connection.execute(_SEES_STATISTICS).fetchone()
    count = source.schema.large_objects
    if count == 1:
        told.append("1 large object is not exported; columns that refer to it keep its number.")
    elif count:
        told.append(
            f"{count:,} large objects are not exported; columns that refer to them keep their numbers."
        )
    if sees and not sees[0]:
        told.append(
            "The role is no member of pg_read_all_stats, so the limits of lag and sessions see only its own sessions."
        )
    told.append(
        _named("These tables stay empty", [one.table.name for one in selection.tables if not one.rows])
    )
    return tuple(one for one in told if one)


def _names(connection: Connection, query: str) -> list[TableName]:
    return [TableName(*row) for row in connection.execute(query.encode())]


def _named(what: str, names: Sequence[TableName]) -> str:
    """A sentence with the names, "" without any."""
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{what}: {', '.join(map(str, names[:_SHOWN]))}{more}."
