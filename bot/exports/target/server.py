"""The server of the target: connections to its databases, and the names of those next to the live one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.errors import TransientError, UserError

LONGEST = 63
"""Bytes of a name: NAMEDATALEN - 1."""
_MAINTENANCE = ("postgres", "template1", "defaultdb")
"""Databases from which others are renamed: nobody can rename the one they are connected to."""
_SETTINGS = "-c statement_timeout=0 -c lock_timeout=60s -c idle_in_transaction_session_timeout=0 -c client_min_messages=warning"


@dataclass(frozen=True)
class Server:
    """url: of the live database."""

    url: str = field(repr=False)

    @property
    def live(self) -> str:
        """The name of the live database. libpq's default is the user's name."""
        settings = conninfo_to_dict(self.url)
        return str(settings.get("dbname") or settings.get("user") or "postgres")

    @property
    def next(self) -> str:
        return _beside(self.live, "_next")

    @property
    def previous(self) -> str:
        return _beside(self.live, "_prev")

    @property
    def host(self) -> str:
        settings = conninfo_to_dict(self.url)
        return f"{settings.get('host') or 'localhost'}:{settings.get('port') or 5432}"

    def address(self, database: str) -> str:
        """Return the address of another database of the server."""
        return make_conninfo(self.url, dbname=database, application_name="towpath export")

    @contextmanager
    def connect(self, database: str) -> Iterator[Connection]:
        """Connect to a database; each statement commits by itself unless it is in `connection.transaction()`.

        Errors of the driver become UserError or TransientError.
        """
        with translated(self.host, database):
            options = str(conninfo_to_dict(self.url).get("options") or "")
            with psycopg.connect(
                self.address(database),
                autocommit=True,
                connect_timeout=15,
                options=f"{options} {_SETTINGS}".strip(),
            ) as connection:
                yield connection

    @contextmanager
    def maintenance(self) -> Iterator[Connection]:
        """Connect to a database that is not part of any export."""
        refused: Exception | None = None
        for name in _MAINTENANCE:
            if name in (self.live, self.next, self.previous):
                continue
            try:
                connection = psycopg.connect(
                    self.address(name), autocommit=True, connect_timeout=15, options=_SETTINGS
                )
            except psycopg.OperationalError as error:
                refused = error
                continue
            with translated(self.host, name), connection:
                yield connection
            return
        with translated(self.host, _MAINTENANCE[0]):
            raise refused or psycopg.OperationalError("no maintenance database")


def _beside(name: str, ending: str) -> str:
    """Return a name next to another one, shortened without meeting that of a different long name."""
    if len(f"{name}{ending}".encode()) <= LONGEST:
        return f"{name}{ending}"
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    short = name.encode()[: LONGEST - len(ending) - 9].decode(errors="ignore")
    return f"{short}_{digest}{ending}"


@contextmanager
def translated(host: str, database: str) -> Iterator[None]:
    """Translate the driver's errors: those that another attempt may heal to TransientError, the others to UserError. Neither
    has an address with a password, nor values of rows."""
    where = f"`{database}` on {host}"
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise UserError(
            f"The export's user may not change {where}: {_said(error)}.",
            next_step="`ALTER ROLE <user> CREATEDB` and `GRANT <owner of the database> TO <user>` let it replace the database.",
        ) from error
    except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory) as error:
        raise UserError(
            f"{where} has no room for the export: {_said(error)}.",
            next_step="Free some space there and run the export again; the live database was not touched.",
        ) from error
    except psycopg.errors.UndefinedFile as error:
        raise UserError(
            f"{where} lacks an extension that the source has: {_said(error)}.",
            next_step="Install its package on the target's server, then run the export again.",
        ) from error
    except psycopg.OperationalError as error:
        if isinstance(
            error, psycopg.errors.InvalidPassword | psycopg.errors.InvalidAuthorizationSpecification
        ):
            raise UserError(
                f"{where} refuses the export's user.", next_step="Check the target's EXPORT_DATABASE_URL."
            ) from error
        raise TransientError(f"{where} does not answer or ended the connection: {_said(error)}") from error
    except psycopg.Error as error:
        raise UserError(
            f"{where} refused the export: {_said(error)}.",
            next_step="Correct that, then run the export again; the live database was not touched.",
        ) from error


def _said(error: psycopg.Error) -> str:
    """Return the server's message without its details, which may quote values of rows."""
    text = error.diag.message_primary or type(error).__name__
    return " ".join(text.split())[:200].rstrip(".")
