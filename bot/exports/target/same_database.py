"""Refuse an export onto the very database that it reads."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg import Connection

from bot.domain.ports.exports import ExportJob
from bot.errors import UserError
from bot.exports.target.server import Server, translated

_DATABASE = (
    "SELECT oid::text, current_database() FROM pg_catalog.pg_database WHERE datname = current_database()"
)
_SYSTEM = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"
_START = "SELECT pg_catalog.pg_postmaster_start_time()::text, pg_catalog.inet_server_port()::text"


def refuse_same_database(job: ExportJob) -> None:
    """Raise UserError if source (or replica) and target are the same database of the same server, whatever their addresses
    say. A replica has the identity of its primary."""
    target = _identity(Server(job.secrets.target))
    for url in filter(None, (job.secrets.source, job.secrets.replica)):
        if _identity(Server(url)) & target:
            raise UserError(
                f"The addresses of {job.policy.source} and {job.environment} lead to the same database.",
                next_step=f"Set {job.environment}'s EXPORT_DATABASE_URL to the database that is to be replaced.",
            )


def _identity(server: Server) -> set[tuple[str, ...]]:
    """Return what identifies a database: by the cluster's identifier and, where that cannot be read, by its start."""
    with (
        translated(server.host, server.live),
        psycopg.connect(server.address(server.live), autocommit=True, connect_timeout=15) as connection,
    ):
        database = tuple(_row(connection, _DATABASE))
        found = {("start", *_row(connection, _START), *database)}
        with suppress(psycopg.errors.InsufficientPrivilege):
            found.add(("system", *_row(connection, _SYSTEM), *database))
        return found


def _row(connection: Connection, query: str) -> tuple[str, ...]:
    row = connection.execute(query).fetchone()
    return tuple(str(value) for value in row or ())
