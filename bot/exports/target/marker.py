"""The marker inside a target: which environment's data it is. Without it nothing is ever written to a database."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import Connection

from bot.domain.ports.exports import ExportJob
from bot.errors import UserError
from bot.exports.target.server import Server

_MAKE = """
    CREATE SCHEMA IF NOT EXISTS towpath;
    CREATE TABLE IF NOT EXISTS towpath.marker (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        repository text NOT NULL,
        environment text NOT NULL,
        export text NOT NULL DEFAULT '',
        state text NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'loading', 'loaded')),
        by text NOT NULL DEFAULT '',
        written_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE IF NOT EXISTS towpath.loaded (part text PRIMARY KEY);
"""


@dataclass(frozen=True)
class Marker:
    """export: the id of the export whose data it is, "" for data that came another way. state: `live`, or `loading` and `loaded` for a
    database that is to become live. by: the id of the export or rollback that made it live."""

    repository: str
    environment: str
    export: str = ""
    state: str = "live"
    by: str = ""

    def is_of(self, job: ExportJob) -> bool:
        return (self.repository.lower(), self.environment) == (job.repository.lower(), job.environment)


def read_marker(connection: Connection) -> Marker | None:
    """Return a database's marker, None if it has none."""
    if connection.execute("SELECT to_regclass('towpath.marker')").fetchone() == (None,):
        return None
    row = connection.execute(
        "SELECT repository, environment, export, state, by FROM towpath.marker"
    ).fetchone()
    return Marker(*row) if row else None


def write_marker(connection: Connection, marker: Marker) -> None:
    """Create or replace a database's marker."""
    with connection.transaction():
        connection.execute(_MAKE)
        connection.execute(
            "INSERT INTO towpath.marker (repository, environment, export, state, by) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (one) DO UPDATE SET repository = EXCLUDED.repository, environment = EXCLUDED.environment,"
            " export = EXCLUDED.export, state = EXCLUDED.state, by = EXCLUDED.by, written_at = now()",
            (marker.repository, marker.environment, marker.export, marker.state, marker.by),
        )


def mark(url: str, repository: str, environment: str) -> None:
    """Mark a database as an environment's, which lets exports replace it. Raises UserError if it is marked as another's."""
    server = Server(url)
    with server.connect(server.live) as connection:
        found = read_marker(connection)
        wanted = Marker(repository, environment)
        if found is not None and (found.repository.lower(), found.environment) != (
            repository.lower(),
            environment,
        ):
            raise UserError(
                f"`{server.live}` is marked as {found.environment}'s database of {found.repository}.",
                next_step="If that is over, run `DROP SCHEMA towpath CASCADE` in it, then mark it again.",
            )
        if found is None:
            write_marker(connection, wanted)


def require_own(connection: Connection, job: ExportJob, server: Server) -> Marker:
    """Return the marker of a database next to the live one. Raises UserError if it is not this environment's."""
    found = read_marker(connection)
    if found is None or not found.is_of(job):
        raise UserError(
            f"The database `{connection.info.dbname}` on {server.host} is not one of {job.environment}'s exports.",
            next_step=f"Rename or drop it: exports need that name next to `{server.live}`.",
        )
    return found


def require_marker(job: ExportJob, server: Server) -> Marker:
    """Return the live database's marker. Raises UserError if it is not this environment's."""
    with server.connect(server.live) as connection:
        found = read_marker(connection)
    if found is None or not found.is_of(job):
        whose = f"is marked as {found.environment}'s of {found.repository}" if found else "has no marker"
        raise UserError(
            f"`{server.live}` on {server.host} {whose}, so exports never write to it.",
            next_step=f"If it is {job.environment}'s database and may be replaced, run `towpath export mark {job.environment} "
            f"--repository {job.repository}` where the bot runs.",
        )
    return found
