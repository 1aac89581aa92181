"""Connections to the source: read-only, with time limits, in one form for every client setting.

All settings are local to the transaction, so that nothing of them stays behind in a pooler that nobody told us about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlencode

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.domain.exports import Limits
from bot.domain.ports.exports import ExportJob
from bot.errors import UserError
from bot.exports.source.failures import translated

APPLICATION = "towpath export"

_LOCK = timedelta(seconds=10)
"""Queries wait at most this long behind a table lock, so that they do not make others queue behind them."""
_READ_ONLY = "-c default_transaction_read_only=on"


@dataclass(frozen=True)
class Server:
    """The database that is read. url: with its password. secret: the name of the secret that has it, for people."""

    url: str = field(repr=False)
    secret: str
    limits: Limits

    @property
    def label(self) -> str:
        """Database and address, for people; without user and password."""
        known = conninfo_to_dict(self.url)
        place = f"{known.get('host') or known.get('hostaddr') or 'localhost'}:{known.get('port') or 5432}"
        return f"{known.get('dbname') or known.get('user') or 'postgres'} at {place}"


def server_of(job: ExportJob) -> Server:
    """The replica if the job has one, else the source itself. Raises UserError if the address cannot be read."""
    kind, url = ("REPLICA", job.secrets.replica) if job.secrets.replica else ("DATABASE", job.secrets.source)
    secret = f"{job.policy.source.upper().replace('-', '_')}_EXPORT_{kind}_URL"
    try:
        conninfo_to_dict(url)
    except psycopg.Error:  # its text would show the address, and so the password
        raise UserError(
            f"The secret {secret} is not a PostgreSQL address.",
            next_step=f"Set {secret} to postgresql://user:password@host:5432/database.",
        ) from None
    return Server(url, secret, job.policy.limits)


def connect(server: Server) -> Connection:
    """Open a connection without a transaction. Raises UserError or TransientError."""
    known = conninfo_to_dict(server.url)
    options = {
        "application_name": APPLICATION,
        "client_encoding": "UTF8",
        "options": f"{known.get('options') or ''} {_READ_ONLY}".strip(),
        "connect_timeout": known.get("connect_timeout") or 15,
        "keepalives_idle": known.get("keepalives_idle") or 30,
    }
    with translated(server):
        connection = psycopg.connect(make_conninfo(server.url, **options), prepare_threshold=None)
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def begin(connection: Connection, limits: Limits, snapshot: str = "") -> None:
    """Begin a transaction, in that exported snapshot if one is given, and apply the settings to it."""
    if snapshot:  # must be the first statement
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
    settings = _SETTINGS | {
        "statement_timeout": _milliseconds(limits.statement),
        "lock_timeout": _milliseconds(_LOCK),
        "idle_in_transaction_session_timeout": _milliseconds(limits.total),
    }
    if connection.info.server_version >= 170000:
        settings["transaction_timeout"] = _milliseconds(limits.total)
    for name, value in settings.items():  # not one SELECT: it would fix the snapshot before locks are taken
        connection.execute(sql.SQL("SET LOCAL {} = {}").format(sql.Identifier(name), value))


_SETTINGS = {
    "row_security": "off",  # a policy that hides rows becomes an error
    "search_path": "",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "xmloption": "content",
    "jit": "off",  # compiling costs more than it saves on queries of 20,000 keys
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",  # limits.connections means so many processes
    "random_page_cost": "1.1",  # look keys up rather than read a whole table for each batch
    "work_mem": "32MB",
}


def address_of(connection: Connection, server: Server) -> str:
    """The address of exactly this connection's server: where several hosts are given, all connections must go to one."""
    known = conninfo_to_dict(server.url)
    if "," not in str(known.get("host") or known.get("hostaddr") or ""):
        return server.url
    pinned = {**known, "host": connection.info.host, "port": connection.info.port}
    pinned |= {"hostaddr": connection.info.hostaddr} if connection.info.hostaddr else {}
    given = {name: str(value) for name, value in pinned.items() if value is not None}
    return "postgresql://?" + urlencode(given, quote_via=quote)


def _milliseconds(time: timedelta) -> str:
    return str(max(1, int(time.total_seconds() * 1000)))
