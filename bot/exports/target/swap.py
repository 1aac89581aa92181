"""Let the next database take the live one's name, and back.

Every function looks at what is there first, and does what is left to do, so that it can be repeated after any crash."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from psycopg import Connection, sql

from bot.domain.exports import Manifest, Progress
from bot.domain.ports.exports import ExportControl, ExportJob
from bot.errors import TransientError, UserError
from bot.exports.target.marker import Marker, require_marker, require_own, write_marker
from bot.exports.target.next_database import drop, exists, marker_of
from bot.exports.target.server import Server

_LEAVING = 10.0
"""Seconds that connections get to end once they are terminated."""
_TERMINATE = """
    SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity
    WHERE datname = ANY(%s) AND pid <> pg_catalog.pg_backend_pid()
"""
_PREPARED = "SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = ANY(%s)"
_SLOTS = "SELECT count(*) FROM pg_catalog.pg_replication_slots WHERE database = ANY(%s)"


def swap(job: ExportJob, manifest: Manifest, control: ExportControl) -> str:
    """Let the loaded database replace the live one; return the name of the one that it replaced.

    Clients lose their connections and can connect again after some milliseconds. Raises UserError if nothing is loaded, or
    something else uses the database.
    """
    server = Server(job.secrets.target)
    control.progress("swapping", Progress())
    with server.maintenance() as connection:
        _reopen(connection, server)
        if require_marker(job, server).by == job.export:
            return server.previous if exists(connection, server.previous) else ""
        found = marker_of(server, server.next) if exists(connection, server.next) else None
        if found is None or found.export != manifest.export or found.state != "loaded":
            raise UserError(
                f"There is no loaded database `{server.next}` for this export.",
                next_step=f"`/export {job.environment} now` begins again.",
            )
        if exists(connection, server.previous):
            _refuse_foreign(server, server.previous, job)
            drop(connection, server.previous)
        _refuse_used(connection, [server.live, server.next])
        with server.connect(server.next) as inside:
            write_marker(inside, Marker(job.repository, job.environment, job.export, "live", by=job.export))
        _rename(
            connection,
            [server.live, server.next],
            [(server.live, server.previous), (server.next, server.live)],
        )
        _allow(connection, server.previous)
    return server.previous


def roll_back(job: ExportJob, control: ExportControl) -> str:
    """Let the previous database be live again, and keep the present one in its place; return the id of the export that is live
    then, "" if it came another way."""
    server = Server(job.secrets.target)
    control.progress("swapping", Progress())
    with server.maintenance() as connection:
        _reopen(connection, server)
        live = require_marker(job, server)
        if live.by == job.export:
            return live.export
        if not exists(connection, server.previous):
            raise UserError(
                f"{job.environment} has no previous database to go back to.",
                next_step=f"`/export {job.environment} history` lists its exports.",
            )
        aside = server.next
        if exists(connection, aside):
            _refuse_foreign(server, aside, job)
            drop(connection, aside)
        _refuse_used(connection, [server.live, server.previous])
        with server.connect(server.previous) as inside:
            found = require_own(inside, job, server)
            write_marker(inside, replace(found, by=job.export))
        _rename(
            connection,
            [server.live, server.previous],
            [(server.live, aside), (server.previous, server.live), (aside, server.previous)],
        )
        _allow(connection, server.previous)
    return require_marker(job, server).export


def _rename(connection: Connection, closed: Sequence[str], renames: Sequence[tuple[str, str]]) -> None:
    """Rename databases in one transaction, while nobody can connect to them."""
    with _closed_to_all(connection, closed), connection.transaction():
        for old, new in renames:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
            )
        for _old, new in renames[-2:]:
            _allow(connection, new)


@contextmanager
def _closed_to_all(connection: Connection, names: Sequence[str]) -> Iterator[None]:
    """Keep connections away from databases, which a rename needs, and let them come again if it fails."""
    try:
        for name in names:
            connection.execute(
                sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(sql.Identifier(name))
            )
        _end_connections(connection, names)
        yield
    except BaseException:
        for name in names:
            if exists(connection, name):
                _allow(connection, name)
        raise


def _end_connections(connection: Connection, names: Sequence[str]) -> None:
    until = time.monotonic() + _LEAVING
    while (row := connection.execute(_TERMINATE, (list(names),)).fetchone()) and row[0]:
        if time.monotonic() > until:
            raise TransientError("connections to the databases do not end")
        time.sleep(0.002)


def _reopen(connection: Connection, server: Server) -> None:
    """Let connections come again that a swap kept away when it was killed."""
    query = "SELECT datname FROM pg_catalog.pg_database WHERE datname = ANY(%s) AND NOT datallowconn"
    names = [server.live, server.next, server.previous]
    for (name,) in connection.execute(query, (names,)).fetchall():
        _allow(connection, name)


def _allow(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(sql.Identifier(name)))


def _refuse_foreign(server: Server, name: str, job: ExportJob) -> None:
    """Raise UserError if a database next to the live one is not this environment's."""
    with server.connect(name) as connection:
        require_own(connection, job, server)


def _refuse_used(connection: Connection, names: Sequence[str]) -> None:
    """Raise UserError for what would make a rename fail and cannot be ended by us."""
    for query, what in ((_PREPARED, "prepared transactions"), (_SLOTS, "logical replication slots")):
        row = connection.execute(query, (list(names),)).fetchone()
        if row and row[0]:
            raise UserError(
                f"`{names[0]}` or `{names[1]}` has {what}, so it cannot be renamed.",
                next_step="End them, then run the export again; the live database was not touched.",
            )
