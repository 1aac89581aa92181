"""What the worker of an export may reach: the ports of its databases and its bucket, and the files that their addresses name."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bot.errors import UserError

_POSTGRES = 5432
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
"""Parameters of libpq that name files."""
_WEB = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Reach:
    """ports: TCP ports to connect to. readable: files. sockets: directories of Unix sockets."""

    ports: tuple[int, ...] = ()
    readable: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()

    def __or__(self, other: Reach) -> Reach:
        return Reach(
            tuple(dict.fromkeys((*self.ports, *other.ports))),
            tuple(dict.fromkeys((*self.readable, *other.readable))),
            tuple(dict.fromkeys((*self.sockets, *other.sockets))),
        )


def reach_of_database(url: str) -> Reach:
    """Return what a connection to a database needs. Raises UserError, without the address, if it is not valid."""
    if not url:
        return Reach()
    try:
        settings = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
        ports = [int(port or _POSTGRES) for port in settings.get("port", "").split(",")]
    except (psycopg.Error, ValueError):
        raise UserError(
            "An export's database address cannot be read.",
            next_step="Set it as `postgresql://user:password@host:5432/database`.",
        ) from None
    hosts = [*settings.get("host", "").split(","), *settings.get("hostaddr", "").split(",")]
    return Reach(
        tuple(ports),
        tuple(settings[name] for name in _FILES if settings.get(name, "").startswith("/")),
        tuple(host for host in hosts if host.startswith("/")),
    )


def reach_of_web(url: str) -> Reach:
    """Return the port of a bucket's endpoint or of a proxy, "" for none."""
    parts = urlsplit(url)
    return Reach((parts.port or _WEB.get(parts.scheme, 443),)) if parts.hostname else Reach()
