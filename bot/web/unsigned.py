"""Limit the bytes of bodies that are held in memory before anything proves who sent them."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_UNSIGNED = 64 * 1024 * 1024
"""Bytes of all unproven bodies together: two of the largest webhooks, or thousands of usual ones."""
PATIENCE = 5.0
"""Seconds that a body waits for room while the others are complete and being verified, which takes milliseconds."""

_STATE = "/state/"
_SIGN_IN = "/state/login"


def is_proven_first(path: str) -> bool:
    """Whether credentials are checked before the body is read: by the state backend, whose bodies are large."""
    return path.startswith(_STATE) and path != _SIGN_IN


class _Body:
    """A body that is being received or verified. size: its bytes so far."""

    def __init__(self) -> None:
        self.size = 0
        self.complete = False
        self.dropped = False
        self.turn: asyncio.Timeout | None = None

    def drop(self) -> None:
        """End its request, which is waiting for more of it."""
        self.dropped = True
        if self.turn is not None:
            self.turn.reschedule(asyncio.get_running_loop().time())


class UnsignedBodies:
    """ASGI middleware: where there are more bytes than `most`, the largest incomplete body is refused with 503.

    So a small webhook gets through however many large bodies are under way. The server's deadline ends those that stall.
    """

    def __init__(self, app: ASGIApp, most: int = MAX_UNSIGNED) -> None:
        self._app, self._most = app, most
        self._bodies: set[_Body] = set()
        self._held = 0
        self._freed = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_proven_first(scope["path"]):
            await self._app(scope, receive, send)
            return
        body = _Body()

        async def limited() -> Message:
            return await self._receive(body, receive)

        self._bodies.add(body)
        try:
            await self._app(scope, limited, send)
        finally:
            self._forget(body)

    async def _receive(self, body: _Body, receive: Receive) -> Message:
        try:
            async with asyncio.timeout(None) as body.turn:
                if body.dropped:
                    raise _full()
                message = await receive()
                await self._make_room(body, len(message.get("body", b"")))
        except TimeoutError:
            raise _full() from None
        finally:
            body.turn = None
        body.complete = not message.get("more_body", False)
        return message

    async def _make_room(self, body: _Body, more: int) -> None:
        body.size += more
        self._held += more
        while self._held > self._most:
            largest = max(
                (one for one in self._bodies if not one.complete), key=lambda one: one.size, default=None
            )
            if largest is not None:
                self._forget(largest)
                if largest is body:
                    raise _full()
                largest.drop()
            else:
                self._freed.clear()
                async with asyncio.timeout(PATIENCE):
                    await self._freed.wait()

    def _forget(self, body: _Body) -> None:
        if body in self._bodies:
            self._bodies.remove(body)
            self._held -= body.size
            self._freed.set()


def _full() -> HTTPException:
    headers: dict[str, Any] = {"Retry-After": "5", "Connection": "close"}
    return HTTPException(503, "too many requests are being received", headers)
