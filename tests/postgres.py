"""The Postgres of tests: the server that GIVEN names, whose user may create databases, else one that is started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import make_url

from bot.playground import postgres
from bot.playground.postgres import NoPostgres, Postgres

GIVEN = "TOWPATH_TEST_POSTGRES_URL"

__all__ = ["NoPostgres", "Postgres", "running"]


@contextmanager
def running() -> Iterator[Postgres]:
    """A server of the oldest version at hand. Raises NoPostgres."""
    if given := os.environ.get(GIVEN):
        yield Postgres(make_url(given).set(drivername="postgresql"))
        return
    with postgres.running(postgres.programs(*reversed(postgres.WHEELS))) as server:
        yield server
