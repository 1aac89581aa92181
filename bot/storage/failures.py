"""The database's own failures, in words that the services know."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from bot.errors import TransientError


class Unavailable(TransientError):
    """The database does not answer, or is busy for too long. Nothing of the transaction is kept."""


class DiskFull(Unavailable):
    """The database has no room, or its disk fails. Nothing of the transaction is kept."""


_FULL = ("database or disk is full", "disk i/o error", "no space left on device")
_BUSY = ("locked", "busy", "unable to open")  # SQLite's other operational errors are faults of ours


@contextmanager
def told() -> Iterator[None]:
    """Tell SQLAlchemy's operational errors apart; all others (a broken rule, a broken statement) are faults."""
    try:
        yield
    except NoConnection as error:
        raise Unavailable("no connection to the database was free in time") from error
    except OperationalError as error:
        text = str(error.orig).strip()
        if any(sign in text.lower() for sign in _FULL):
            raise DiskFull(f"the database's disk is full or fails: {text}", retry_after=60) from error
        if isinstance(error.orig, sqlite3.Error) and not any(sign in text.lower() for sign in _BUSY):
            raise
        raise Unavailable(f"the database does not answer: {text}") from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise Unavailable(f"the database closed the connection: {error.orig}") from error
