"""ASGI middleware that makes requests fail as `Faults` says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from bot.playground.github.context import AppContext
from bot.playground.github.faults import Fault
from bot.playground.github.responses import error_response
from bot.playground.github.state import Refusal


class FaultMiddleware:
    """Sits below all routes and applies the faults that match a request."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], context: AppContext) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = self._context.faults.take(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.what == "timeout":
            while not self._context.closing and (await _next_message(receive)) != "http.disconnect":
                pass
        elif fault.what == "drop_response":
            await self._app(scope, receive, _discard)
            await _send_truncated(send)
        else:
            await _response(fault, int(fault.what))(scope, receive, send)


async def _next_message(receive: Receive) -> str:
    """Return the type of the next message, or an empty text if none comes within 0.2 s."""
    try:
        async with asyncio.timeout(0.2):
            return str((await receive())["type"])
    except TimeoutError:
        return ""


async def _discard(_message: Message) -> None:
    """Drop a message of the response."""


async def _send_truncated(send: Send) -> None:
    """Send less than the announced length, so that the server has to close the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})


def _response(fault: Fault, status: int) -> Response:
    headers = {"retry-after": str(fault.retry_after)} if fault.retry_after is not None else {}
    return error_response(Refusal(status, fault.message), headers)
