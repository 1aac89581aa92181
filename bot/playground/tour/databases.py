"""A database for each chapter."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import UserError

_USE = "Give --database-url postgresql://user:password@host/name, of a user that may create databases."


@contextmanager
def fresh(url: str) -> Iterator[str]:
    """A new, empty database beside the one that `url` names, dropped at the end; for an empty `url` an empty text,
    which means SQLite in the world's directory. Raises UserError where it cannot be made."""
    if not url:
        yield ""
        return
    beside = _parsed(url)
    name = f"towpath_tour_{secrets.token_hex(6)}"
    _run(beside, "CREATE DATABASE {}", name)
    try:
        yield beside.set(database=name).render_as_string(hide_password=False)
    finally:
        _run(beside, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # their texts could hold the password
        raise UserError("The database URL cannot be read.", next_step=_USE) from None
    if parsed.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise UserError("The tour takes a Postgres URL, or none for SQLite.", next_step=_USE)
    return parsed.set(drivername="postgresql")


def _run(beside: URL, statement: str, name: str) -> None:
    try:
        with psycopg.connect(
            beside.render_as_string(hide_password=False), autocommit=True, connect_timeout=10
        ) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        raise UserError(
            f"The user {beside.username} may not create databases, and each chapter needs one of its own.",
            next_step=f'As an admin: `ALTER ROLE "{beside.username}" CREATEDB`, or name another user.',
        ) from None
    except psycopg.OperationalError as error:
        raise UserError(
            f"Postgres at {beside.host or 'the local socket'} does not answer: {str(error).splitlines()[0]}.",
            next_step=_USE,
        ) from None
