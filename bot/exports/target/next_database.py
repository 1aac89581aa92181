"""The database next to the live one: made like it, and dropped again if it is of no use."""

from __future__ import annotations

from psycopg import Connection, sql

from bot.domain.ports.exports import ExportJob
from bot.errors import UserError
from bot.exports.target.marker import Marker, read_marker, write_marker
from bot.exports.target.server import Server

_LIKE = """
    SELECT pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
           t.spcname, to_jsonb(d) ->> 'datlocprovider',
           coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')
    FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
    WHERE d.datname = %s
"""
_PROVIDERS = {"i": "icu", "b": "builtin"}
"""pg_database.datlocprovider; libc is the default."""
_TABLES = """
    SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'towpath', 'pg_toast')
"""


def exists(connection: Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", (name,))
    return found.fetchone() is not None


def owner_of(connection: Connection, name: str) -> str:
    row = connection.execute(
        "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = %s", (name,)
    ).fetchone()
    return str(row[0]) if row else ""


def has_tables(connection: Connection) -> bool:
    """Whether the database has tables besides ours."""
    row = connection.execute(_TABLES).fetchone()
    return bool(row and row[0])


def marker_of(server: Server, name: str) -> Marker | None:
    """Return a database's marker. Raises UserError if it has tables but no marker: then it is not ours."""
    with server.connect(name) as connection:
        found = read_marker(connection)
        if found is None and has_tables(connection):
            raise UserError(
                f"There is a database `{name}` on {server.host} that Towpath did not make.",
                next_step=f"Rename or drop it: exports need that name next to `{server.live}`.",
            )
        return found


def prepare_next(job: ExportJob, server: Server) -> None:
    """Make the next database, marked as loading. One that an earlier attempt for the same export left is kept, to go on; one
    that is ours and of another export is dropped."""
    with server.maintenance() as connection:
        if exists(connection, server.next):
            found = marker_of(server, server.next)
            if found is not None and not found.is_of(job):
                raise UserError(
                    f"The database `{server.next}` belongs to {found.environment} of {found.repository}.",
                    next_step="Use one server user and database for each environment.",
                )
            if found is not None and found.export == job.export and _has_schema(server):
                return
            drop(connection, server.next)
        _create(connection, server)
    with server.connect(server.next) as connection:
        write_marker(connection, Marker(job.repository, job.environment, job.export, "loading"))


def drop(connection: Connection, name: str) -> None:
    """Drop a database with all connections to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _has_schema(server: Server) -> bool:
    with server.connect(server.next) as connection:
        return connection.execute("SELECT 1 FROM towpath.loaded WHERE part = 'schema'").fetchone() is not None


def _create(connection: Connection, server: Server) -> None:
    row = connection.execute(_LIKE, (server.live,)).fetchone()
    if row is None:
        raise UserError(
            f"There is no database `{server.live}` on {server.host}.",
            next_step="Create it, or correct the target's EXPORT_DATABASE_URL.",
        )
    owner, encoding, collate, ctype, tablespace, provider, locale = row
    options = [
        sql.SQL("OWNER {}").format(sql.Identifier(owner)),
        sql.SQL("TEMPLATE template0"),
        sql.SQL("ENCODING {}").format(sql.Literal(encoding)),
        sql.SQL("LC_COLLATE {}").format(sql.Literal(collate)),
        sql.SQL("LC_CTYPE {}").format(sql.Literal(ctype)),
    ]
    if tablespace != "pg_default":  # the template's, which nobody but a superuser may name
        options.append(sql.SQL("TABLESPACE {}").format(sql.Identifier(tablespace)))
    if provider in _PROVIDERS:
        options.append(sql.SQL(f"LOCALE_PROVIDER {_PROVIDERS[provider]}"))
        name = "ICU_LOCALE" if provider == "i" else "BUILTIN_LOCALE"
        options.append(sql.SQL(name + " {}").format(sql.Literal(locale)))
    connection.execute(
        sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(server.next), sql.SQL(" ").join(options))
    )
