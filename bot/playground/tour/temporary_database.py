"""A new Postgres database for each chapter."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import UserError

_USAGE = "Pass --database-url postgresql://user:password@host/name with a user that may create databases."


@contextmanager
def temporary_database(url: str) -> Iterator[str]:
    """Create an empty database on the server of `url`, yield its URL, and drop it at the end.

    Yields an empty text for an empty `url`: SQLite in the world's directory. Raises UserError if it cannot be created.
    """
    if not url:
        yield ""
        return
    server = _parsed(url)
    name = f"towpath_tour_{secrets.token_hex(6)}"
    _run(server, "CREATE DATABASE {}", name)
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # their messages could contain the password
        raise UserError("The database URL is malformed.", next_step=_USAGE) from None
    if parsed.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise UserError("The tour needs a Postgres URL, or none for SQLite.", next_step=_USAGE)
    return parsed.set(drivername="postgresql")


def _run(server: URL, statement: str, name: str) -> None:
    try:
        with psycopg.connect(
            server.render_as_string(hide_password=False), autocommit=True, connect_timeout=10
        ) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        raise UserError(
            f"User {server.username} may not create databases, and each chapter needs one.",
            next_step=f'Run `ALTER ROLE "{server.username}" CREATEDB` as an admin, or use another user.',
        ) from None
    except psycopg.OperationalError as error:
        raise UserError(
            f"Cannot connect to Postgres at {server.host or 'the local socket'}: {str(error).splitlines()[0]}.",
            next_step=_USAGE,
        ) from None
