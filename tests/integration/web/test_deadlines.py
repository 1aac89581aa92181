"""The HTTP server: deadlines for what clients send, and none for what they may take their time with."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.settings import Settings
from bot.web import http_protocol
from bot.web.server import http_server
from bot.web.sockets import listening_socket

SHORT = 0.6


async def read(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def refuse(_request: Request) -> Response:
    return PlainTextResponse("no", 401)


async def stream(_request: Request) -> Response:
    async def lines() -> AsyncIterator[str]:
        for number in range(8):
            yield f"{number}\n"
            await asyncio.sleep(SHORT / 3)

    return StreamingResponse(lines())


APP = Starlette(
    routes=[
        Route("/hook", read, methods=["POST"]),
        Route("/state/acme/infra", read, methods=["POST"]),
        Route("/refused", refuse, methods=["POST"]),
        Route("/stream", stream),
    ],
    exception_handlers={ClientDisconnect: lambda _request, _error: Response(status_code=400)},
)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for phase in http_protocol._SECONDS:
        monkeypatch.setitem(http_protocol._SECONDS, phase, SHORT)
    listener = listening_socket("127.0.0.1", 0)
    server = http_server(APP, Settings(), 4096)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(20)
    listener.close()


@pytest.fixture
def connect(port: int) -> Iterator[Client]:
    with ExitStack() as ending:
        yield Client(port, ending)


class Client:
    """Opens connections that are closed at the end of the test."""

    def __init__(self, port: int, ending: ExitStack) -> None:
        self._port, self._ending = port, ending

    def __call__(self, *parts: str) -> socket.socket:
        """Sends the parts, with a pause that is shorter than a deadline after each."""
        made = self._ending.enter_context(socket.create_connection(("127.0.0.1", self._port), timeout=30))
        send(made, *parts)
        return made


def send(connection: socket.socket, *parts: str) -> None:
    for part in parts:
        connection.sendall(part.encode())
        if len(parts) > 1:
            time.sleep(SHORT / 4)


def rest(connection: socket.socket) -> str:
    """Everything until the server closes the connection."""
    found = b""
    while data := connection.recv(65536):
        found += data
    return found.decode()


def answer(connection: socket.socket) -> str:
    """The next response, which must have a short body."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += connection.recv(65536)
    head, _, body = found.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode().splitlines()[0].partition(" ")[2] + " " + body.decode()


def post(path: str, length: int) -> str:
    return f"POST {path} HTTP/1.1\r\nHost: bot\r\nContent-Length: {length}\r\n\r\n"


@pytest.mark.parametrize("start", ["", "POST /hook HT", "POST /hook HTTP/1.1\r\nHost: bot\r\nX-More: "])
def test_headers_that_do_not_end(connect: Client, start: str) -> None:
    assert rest(connect(start)).startswith("HTTP/1.1 408 ")


def test_headers_that_come_slowly(connect: Client) -> None:
    slow = connect("POST /hook HT", "TP/1.1\r\nHost: bot\r\nX-More: a", "b")
    assert rest(slow).startswith("HTTP/1.1 408 ")


def test_a_body_that_does_not_end(connect: Client) -> None:
    assert rest(connect(post("/hook", 100) + "{")).startswith("HTTP/1.1 408 ")


def test_a_body_that_comes_slowly_is_waited_for_where_its_sender_is_known(connect: Client) -> None:
    assert answer(connect(post("/state/acme/infra", 5), *"abcde")) == "200 OK 5"
    assert rest(connect(post("/state/acme/infra", 5), *"abcd")).startswith("HTTP/1.1 408 ")
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        connect(post("/hook", 100), *("a" * 99))


def test_a_connection_is_used_again(connect: Client) -> None:
    kept = connect(post("/hook", 1) + "{")
    assert answer(kept) == "200 OK 1"
    time.sleep(2 * SHORT)
    send(kept, post("/hook", 2) + "{}")
    assert answer(kept) == "200 OK 2"
    send(kept, "POST /hook")
    assert rest(kept).startswith("HTTP/1.1 408 ")


def test_the_rest_of_a_refused_body(connect: Client) -> None:
    refused = connect(post("/refused", 4) + "ab")
    assert answer(refused) == "401 Unauthorized no"
    send(refused, "cd" + post("/hook", 1) + "{")
    assert answer(refused) == "200 OK 1"
    stalled = connect(post("/refused", 4) + "ab")
    assert rest(stalled).endswith("no")


def test_a_response_may_take_its_time(connect: Client) -> None:
    streaming = connect("GET /stream HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n")
    assert rest(streaming).count("\n") > 8
    assert "7\n" in rest(connect("GET /stream HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n"))
