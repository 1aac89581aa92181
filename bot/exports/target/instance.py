"""Data for an instance: the newest masked export, loaded into its empty database."""

from __future__ import annotations

from psycopg import Connection, sql

from bot.domain.exports import Manifest, TableName
from bot.domain.ports.exports import ExportControl, ExportJob
from bot.errors import UserError
from bot.exports.files import Files
from bot.exports.target.load import fill
from bot.exports.target.marker import Marker, read_marker, write_marker
from bot.exports.target.next_database import has_tables
from bot.exports.target.rows import Loading
from bot.exports.target.same_database import refuse_same_database
from bot.exports.target.server import Server
from bot.exports.target.verify import verify_rows

_SCHEMAS = """
    SELECT nspname FROM pg_catalog.pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'towpath')
"""


def load_instance(
    job: ExportJob, manifest: Manifest, files: Files, tables: tuple[TableName, ...], control: ExportControl
) -> None:
    """Load an export's files into the database of an instance. tables: only these; the tables that they refer to are loaded too,
    () for all.

    Does nothing if that export is there already; an older one is replaced. Raises UserError for a database that has other
    tables.
    """
    refuse_same_database(job)
    server = Server(job.secrets.target)
    with server.connect(server.live) as connection:
        found = read_marker(connection)
        if found is not None and not found.is_of(job):
            raise UserError(
                f"`{server.live}` is marked as {found.environment}'s database of {found.repository}.",
                next_step="Give each instance a database of its own, and name its output under `[data.…]`.",
            )
        if found is None and has_tables(connection):
            raise UserError(
                f"`{server.live}` on {server.host} has tables that no export loaded.",
                next_step="Let Terraform create an empty database for the instance.",
            )
        if found is not None and (found.export, found.state) == (manifest.export, "live"):
            return
        if found is None or found.export != manifest.export:
            _empty(connection)
            write_marker(connection, Marker(job.repository, job.environment, manifest.export, "loading"))
        version = connection.info.server_version
    wanted = _with_parents(manifest, tables)
    loading = Loading(server, server.live, files, manifest, "", control)
    fill(loading, version, wanted)
    with server.connect(server.live) as connection:
        verify_rows(connection, [one for one in manifest.tables if not wanted or str(one.table) in wanted])
        write_marker(connection, Marker(job.repository, job.environment, manifest.export, "live"))


def _with_parents(manifest: Manifest, tables: tuple[TableName, ...]) -> frozenset[str]:
    """Return the names of tables and of all that their rows may refer to."""
    parents = {one.table: one.parents for one in manifest.tables}
    found, left = set[TableName](), list(tables)
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += parents.get(one, ())
    return frozenset(map(str, found))


def _empty(connection: Connection) -> None:
    """Drop all that an earlier export loaded, all or nothing."""
    with connection.transaction():
        for (name,) in connection.execute(_SCHEMAS).fetchall():
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
        connection.execute("CREATE SCHEMA public")
        connection.execute("DROP SCHEMA IF EXISTS towpath CASCADE")
