"""Whether the source is too busy: replication lag and active sessions against the policy's limits."""

from __future__ import annotations

from psycopg import Connection

from bot.domain.exports import Limits
from bot.exports.source.connection import APPLICATION

_LAG = """
SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN
    CASE WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() THEN 0
         ELSE extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END
  ELSE (SELECT max(extract(epoch FROM replay_lag)) FROM pg_catalog.pg_stat_replication) END
"""
_SESSIONS = """
SELECT count(*) FROM pg_catalog.pg_stat_activity
WHERE state = 'active' AND backend_type = 'client backend' AND application_name <> %s
"""


def pressure(connection: Connection, limits: Limits) -> str:
    """Why an export has to wait, for people; "" if it does not.

    connection: may be in a transaction; statistics are read afresh. A role without pg_read_all_stats sees its own
    sessions only, which the preview tells.
    """
    connection.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
    lag = connection.execute(_LAG).fetchone()
    if lag and lag[0] is not None and lag[0] > limits.lag.total_seconds():
        return f"replication is {int(lag[0])} s behind, the limit is {int(limits.lag.total_seconds())} s"
    sessions = connection.execute(_SESSIONS, (APPLICATION,)).fetchone()
    if sessions and sessions[0] > limits.sessions:
        return f"{sessions[0]} sessions are active, the limit is {limits.sessions}"
    return ""
