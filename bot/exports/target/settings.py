"""What belongs to a database and not to its content: settings, rights, comment. The next one gets those of the live one."""

from __future__ import annotations

import psycopg
from psycopg import Connection, sql

from bot.exports.target.server import Server

_SETTINGS = """
    SELECT coalesce(r.rolname, ''), unnest(s.setconfig)
    FROM pg_catalog.pg_db_role_setting s
    JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
    WHERE d.datname = %s
"""
_RIGHTS = """
    SELECT coalesce(r.rolname, ''), a.privilege_type, a.is_grantable
    FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE d.datname = %s
"""
_OTHERS = """
    SELECT datconnlimit, datacl IS NOT NULL, pg_catalog.shobj_description(oid, 'pg_database')
    FROM pg_catalog.pg_database WHERE datname = %s
"""


def copy_settings(connection: Connection, server: Server) -> tuple[str, ...]:
    """Give the next database what the live one has. connection: to another database. Returns a sentence for each setting
    that the export's user may not set."""
    notes: list[str] = []
    target = sql.Identifier(server.next)
    for role, setting in connection.execute(_SETTINGS, (server.live,)).fetchall():
        name, _, value = setting.partition("=")
        subject = (
            sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), target)
            if role
            else sql.SQL("DATABASE {}").format(target)
        )
        query = sql.SQL("ALTER {} SET {} TO {}").format(subject, sql.SQL(name), _value(name, value))
        _try(connection, query, f"The setting `{name}` of `{server.live}` could not be set.", notes)
    row = connection.execute(_OTHERS, (server.live,)).fetchone()
    limit, granted, comment = row or (-1, False, None)
    if limit != -1:
        query = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(target, sql.Literal(limit))
        _try(connection, query, "The connection limit could not be set.", notes)
    if comment is not None:
        query = sql.SQL("COMMENT ON DATABASE {} IS {}").format(target, sql.Literal(comment))
        _try(connection, query, "The database's comment could not be set.", notes)
    if granted:
        _copy_rights(connection, server, notes)
    return tuple(notes)


def _copy_rights(connection: Connection, server: Server, notes: list[str]) -> None:
    target = sql.Identifier(server.next)
    _try(
        connection,
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(target),
        "Rights of everybody on the database could not be taken away.",
        notes,
    )
    for role, right, grantable in connection.execute(_RIGHTS, (server.live,)).fetchall():
        query = sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
            sql.SQL(right),
            target,
            sql.Identifier(role) if role else sql.SQL("PUBLIC"),
            sql.SQL(" WITH GRANT OPTION" if grantable else ""),
        )
        _try(connection, query, f"The right {right} of `{role}` could not be granted.", notes)


def _value(name: str, value: str) -> sql.Composable:
    """Return a setting's value. Lists, such as search_path, are stored as SQL has them."""
    if name in ("search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries"):
        return sql.SQL(value)
    return sql.Literal(value)


def _try(connection: Connection, query: sql.Composed, otherwise: str, notes: list[str]) -> None:
    try:
        connection.execute(query)
    except psycopg.errors.InsufficientPrivilege:
        notes.append(otherwise)
