"""Which connections and bodies are refused or closed for others."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from bot.web.addresses import counted_as, trusts
from bot.web.connections import Connections
from bot.web.unsigned import UnsignedBodies, is_proven_first


class Fake:
    """A connection whose client sends nothing, unless it is busy."""

    def __init__(self, address: str = "203.0.113.1", *, busy: bool = False) -> None:
        self.address, self.waiting, self.dropped = address, not busy, False

    def drop(self) -> None:
        self.dropped = True


def opened(connections: Connections, *fakes: Fake) -> list[bool]:
    return [connections.admit(fake) for fake in fakes]


def test_the_oldest_that_waits_is_closed_for_a_new_one() -> None:
    connections = Connections(3, 3, trusts([]))
    busy, *waiting = Fake(busy=True), Fake(), Fake(), Fake(), Fake()
    assert opened(connections, busy, *waiting) == [True] * 5
    assert [one.dropped for one in (busy, *waiting)] == [False, True, True, False, False]


def test_nothing_busy_is_closed() -> None:
    connections = Connections(2, 2, trusts([]))
    busy = [Fake(busy=True), Fake(busy=True)]
    assert opened(connections, *busy, Fake()) == [True, True, False]
    connections.remove(busy[0])
    assert opened(connections, Fake()) == [True]
    assert not any(one.dropped for one in busy)


def test_an_address_closes_its_own() -> None:
    connections = Connections(100, 2, trusts(["10.0.0.0/8"]))
    other, first, second, third = Fake("203.0.113.2"), Fake(), Fake(), Fake()
    assert opened(connections, other, first, second, third) == [True] * 4
    assert [one.dropped for one in (other, first, second, third)] == [False, True, False, False]
    proxied = [Fake("10.1.2.3") for _ in range(50)]
    assert all(opened(connections, *proxied))
    assert not any(one.dropped for one in (*proxied, other))


def test_a_network_of_ipv6_counts_as_one() -> None:
    assert counted_as("2001:db8:1:2:3::4") == counted_as("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert counted_as("::ffff:203.0.113.1") == counted_as("203.0.113.1") == "203.0.113.1"
    assert counted_as("unix:") == "unix:"


@pytest.mark.parametrize(
    ("path", "proven"),
    [
        ("/state/acme/infra/infra/prod", True),
        ("/state/login", False),
        ("/github/webhook", False),
        ("/", False),
    ],
)
def test_where_credentials_are_checked_before_the_body(path: str, proven: bool) -> None:
    assert is_proven_first(path) == proven


class Sender:
    """A request to an application that reads bodies, a piece at a time."""

    def __init__(self, app: Starlette, path: str = "/hook") -> None:
        self._app, self._path = app, path
        self._pieces: asyncio.Queue[Message] = asyncio.Queue()
        self.status = 0

    def start(self) -> Sender:
        scope = {
            "type": "http",
            "method": "POST",
            "path": self._path,
            "headers": [],
            "query_string": b"",
            "root_path": "",
        }
        self._task = asyncio.create_task(self._app(scope, self._pieces.get, self._send))  # type: ignore[arg-type]
        return self

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]

    async def piece(self, size: int, *, last: bool = False) -> None:
        self._pieces.put_nowait({"type": "http.request", "body": b"x" * size, "more_body": not last})
        for _ in range(10):
            await asyncio.sleep(0)

    async def end(self) -> int:
        await asyncio.wait_for(self._task, 30)
        return self.status


def small(most: int) -> Starlette:
    async def read(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    paths = ("/hook", "/state/acme/infra")
    return Starlette(
        routes=[Route(path, read, methods=["POST"]) for path in paths],
        middleware=[Middleware(UnsignedBodies, most=most)],
    )


def test_the_largest_body_goes_when_there_are_too_many_bytes() -> None:
    async def story() -> list[int]:
        app = small(100)
        large, middle, webhook, state = (
            Sender(app, path).start() for path in ("/hook", "/hook", "/hook", "/state/acme/infra")
        )
        await state.piece(1000)
        await large.piece(50)
        await middle.piece(40)
        await webhook.piece(20)
        ended = [await large.end()]
        await webhook.piece(20, last=True)
        await middle.piece(20, last=True)
        await state.piece(1000, last=True)
        return [*ended, *[await one.end() for one in (webhook, middle, state)]]

    assert asyncio.run(story()) == [503, 200, 200, 200]


def test_a_body_may_be_the_largest_itself() -> None:
    async def story() -> list[int]:
        app = small(100)
        first, second = Sender(app).start(), Sender(app).start()
        await first.piece(40)
        await second.piece(70)
        ended = [await second.end()]
        await first.piece(60, last=True)
        return [*ended, await first.end()]

    assert asyncio.run(story()) == [503, 200]
