"""Translate database failures to errors that the services know."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from bot.errors import TransientError


class Unavailable(TransientError):
    """The database does not answer, or was busy for too long. The transaction was rolled back."""


class DiskFull(Unavailable):
    """The database's disk is full or failing. The transaction was rolled back."""


_FULL = ("database or disk is full", "disk i/o error", "no space left on device")
_BUSY = ("locked", "busy", "unable to open")  # SQLite's other operational errors are bugs


@contextmanager
def translated_errors() -> Iterator[None]:
    """Translate SQLAlchemy's operational errors; all others (a violated constraint, an invalid statement) are bugs."""
    try:
        yield
    except NoConnection as error:
        raise Unavailable("all connections to the database were in use for too long") from error
    except OperationalError as error:
        text = str(error.orig).strip()
        if any(words in text.lower() for words in _FULL):
            raise DiskFull(f"the database's disk is full or failing: {text}", retry_after=60) from error
        if isinstance(error.orig, sqlite3.Error) and not any(words in text.lower() for words in _BUSY):
            raise
        raise Unavailable(f"the database does not answer: {text}") from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise Unavailable(f"the database closed the connection: {error.orig}") from error
