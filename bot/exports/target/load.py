"""Load an export into the next database and verify it."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from bot.domain.exports import Manifest, Progress
from bot.domain.ports.exports import Cancelled, ExportControl, ExportJob
from bot.exports.files import Files
from bot.exports.target.finish import analyze, refresh_views, set_sequences
from bot.exports.target.marker import Marker, require_marker, write_marker
from bot.exports.target.next_database import marker_of, owner_of, prepare_next
from bot.exports.target.rows import Loading
from bot.exports.target.same_database import refuse_same_database
from bot.exports.target.schema import SchemaDump
from bot.exports.target.server import Server
from bot.exports.target.settings import copy_settings
from bot.exports.target.verify import suspicious_columns, verify_constraints, verify_rows


def load(job: ExportJob, manifest: Manifest, files: Files, control: ExportControl) -> tuple[str, ...]:
    """Load the files next to the live database, and verify them. Goes on where a killed load stopped. Returns a sentence for
    each thing that is not as in the source, or that people should look at.

    Raises UserError without the target's marker, or if what was loaded is not exactly what was exported; Cancelled.
    """
    server = Server(job.secrets.target)
    refuse_same_database(job)
    live = require_marker(job, server)
    if live.export == job.export:
        return ()  # it was swapped already
    prepare_next(job, server)
    found = marker_of(server, server.next)
    if found is not None and found.state == "loaded":
        return ()
    with server.maintenance() as connection:
        owner = owner_of(connection, server.live)
        version = connection.info.server_version
    role = _role(server, owner)
    loading = Loading(server, server.next, files, manifest, role, control)
    notes = list(fill(loading, version))
    control.progress("verifying", Progress(total=manifest.rows))
    notes += _verify(job, loading)
    with server.maintenance() as connection:
        notes += copy_settings(connection, server)
    with server.connect(server.next) as connection:
        write_marker(connection, Marker(job.repository, job.environment, job.export, "loaded"))
    return tuple(notes)


def fill(loading: Loading, version: int, tables: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Restore the schema, load the rows and finish; return a sentence for each right that could not be granted. version: of the
    target's server. tables: only these, by name, none for all."""
    server, manifest, control = loading.server, loading.manifest, loading.control
    dump = loading.files.get(loading.directory + manifest.schema_key, manifest.schema_sha256)
    wanted = [one for one in manifest.tables if not tables or str(one.table) in tables]
    with tempfile.TemporaryDirectory() as made:
        schema = SchemaDump(
            dump,
            server.address(loading.database),
            max(version, manifest.server_version),
            loading.role,
            Path(made),
        )
        with closing(schema):
            if not loading.is_done("schema"):
                schema.before_rows()
                loading.done("schema")
            loading.rows(wanted)
            _refuse_cancelled(control)
            with server.connect(loading.database) as connection:
                set_sequences(connection, manifest)
            if not loading.is_done("constraints"):
                schema.after_rows()
                loading.done("constraints")
            notes = schema.rights()
    _refuse_cancelled(control)
    with server.connect(loading.database) as connection:
        refresh_views(connection)
        analyze(connection)
    return notes


def _verify(job: ExportJob, loading: Loading) -> tuple[str, ...]:
    tables = loading.manifest.tables
    with loading.server.connect(loading.database) as connection:
        verify_rows(connection, tables)
        return (*verify_constraints(connection), *suspicious_columns(connection, job.policy, tables))


def _role(server: Server, owner: str) -> str:
    """Return the live database's owner if the user may act as it, so that it owns the new tables as well; else ""."""
    with server.connect(server.live) as connection:
        row = connection.execute(
            "SELECT %s <> current_user AND pg_catalog.pg_has_role(current_user, %s, 'MEMBER')", (owner, owner)
        ).fetchone()
    return owner if row and row[0] else ""


def _refuse_cancelled(control: ExportControl) -> None:
    if control.cancelled():
        raise Cancelled
