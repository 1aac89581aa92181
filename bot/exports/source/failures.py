"""What went wrong on the source, for people. The driver's own text is not shown: it may have the password or row values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import psycopg
from psycopg import errors

from bot.errors import TransientError, UserError


class Named(Protocol):
    """What is known of a server for people."""

    @property
    def label(self) -> str: ...
    @property
    def secret(self) -> str: ...


@contextmanager
def translated(server: Named) -> Iterator[None]:
    """Turn errors of the driver into UserError, or TransientError where trying again may help."""
    try:
        yield
    except psycopg.Error as error:
        raise _told(error, server) from None


def _told(error: psycopg.Error, server: Named) -> Exception:
    told = error.diag.message_primary or ""
    text = f"{told} {error}"
    if "unsupported startup parameter" in text:
        return pooler(server)
    if isinstance(error, errors.InsufficientPrivilege):
        return _denied(told, server)
    if isinstance(error, errors.QueryCanceled):
        return UserError(
            f"A query on {server.label} took longer than limits.statement allows.",
            next_step="Raise limits.statement in envs/export.toml, or add an index for the predicate or foreign key.",
        )
    if isinstance(error, errors.LockNotAvailable):
        return TransientError(f"A table of {server.label} was locked for 10 seconds.", retry_after=60)
    if isinstance(error, errors.SerializationFailure | errors.DeadlockDetected):
        return TransientError(
            f"{server.label} cancelled a query because of a conflict with replication; "
            "hot_standby_feedback = on on the replica avoids it.",
            retry_after=60,
        )
    if (error.sqlstate or "").startswith("42"):  # names and syntax, never a row's value
        return UserError(f"{server.label} does not accept a query: {told}.")
    if isinstance(error, errors.InvalidAuthorizationSpecification | errors.InvalidCatalogName) or any(
        said in text for said in _REFUSED
    ):
        return UserError(
            f"{server.label} refused the sign-in.",
            next_step=f"Check user, password and database in {server.secret}.",
        )
    if isinstance(error, psycopg.OperationalError):
        return TransientError(f"{server.label} does not answer, or ended the connection.")
    return UserError(
        f"A query on {server.label} failed: {type(error).__name__} ({error.sqlstate or 'no code'}).",
        next_step="Check the predicates in envs/export.toml.",
    )


_REFUSED = (
    "password authentication failed",
    "no password supplied",
    "pg_hba.conf",
    "does not exist",
    "permission denied for database",
    "certificate",
    "SSL",
)


def _denied(told: str, server: Named) -> UserError:
    if "row-level security" in told:
        table = told.partition('for table "')[2].rstrip('"') or "a table"
        return UserError(
            f"Row-level security hides rows of {table} from the role in {server.secret}, so an export would be incomplete.",
            next_step="Use the tables' owner, or run as an administrator: ALTER ROLE … BYPASSRLS.",
        )
    return UserError(
        f"The role in {server.secret} may not read everything that is exported: {told}.",
        next_step="Run as an administrator: GRANT pg_read_all_data TO …; (PostgreSQL 14 and later).",
    )


def pooler(server: Named) -> UserError:
    """The refusal of an address that does not lead to one server."""
    return UserError(
        f"{server.label} is a connection pooler (such as PgBouncer or RDS Proxy) or a load balancer: "
        "its connections do not share a snapshot.",
        next_step=f"Set {server.secret} to the direct address of the PostgreSQL server.",
    )
