"""Refusal of addresses behind which connections may reach different servers or backends."""

from __future__ import annotations

from psycopg import Connection, errors

from bot.exports.source.connection import Server, begin
from bot.exports.source.failures import pooler

_WHERE = """
SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_postmaster_start_time()::text, d.oid::bigint,
       pg_catalog.pg_is_in_recovery()
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""
_SEES = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE pid = %s"


def refuse_pooler(holder: Connection, second: Connection, snapshot: str, server: Server) -> None:
    """Raise UserError unless `second` can read in the holder's snapshot, on the same server, and each has its own backend.

    A pooler invents the process id that it tells at sign-in, so that id differs from the backend's own.
    """
    try:
        begin(second, server.limits, snapshot)
        ours, theirs = (connection.execute(_WHERE).fetchone() for connection in (holder, second))
        seen = second.execute(_SEES, (ours[0] if ours else 0,)).fetchone()
    except (errors.InvalidParameterValue, errors.UndefinedObject, errors.ObjectNotInPrerequisiteState):
        raise pooler(server) from None
    same = ours is not None and theirs is not None and ours[1:] == theirs[1:] and ours[0] != theirs[0]
    own = all(
        row is not None and row[0] == connection.info.backend_pid
        for row, connection in ((ours, holder), (theirs, second))
    )
    if not (same and own and seen and seen[0]):
        raise pooler(server)
