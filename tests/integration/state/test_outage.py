"""A database that does not answer for a while."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from starlette.applications import Starlette

from bot.domain.ports.state import StateTables
from bot.errors import TransientError
from bot.state import Backend
from bot.state.routes import routes
from tests.integration.state.conftest import served


class _Away:
    @contextmanager
    def begin(self) -> Iterator[StateTables]:
        raise TransientError("the database is away", retry_after=7)
        yield

    read = begin


def test_terraform_is_told_to_try_again() -> None:
    with served(Starlette(routes=routes(Backend(_Away())))) as url:
        login = base64.b64encode(b"r1:x").decode()
        connection = HTTPConnection(url.removeprefix("http://"))
        connection.request("GET", "/state/acme/infra/infra/prod", headers={"Authorization": f"Basic {login}"})
        answer = connection.getresponse()
        connection.close()
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
