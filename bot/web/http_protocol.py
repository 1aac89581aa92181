"""uvicorn's HTTP protocol with limits on connections, and deadlines for headers and bodies."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.web.connections import Connections
from bot.web.unsigned import is_proven_first

HEADERS = 10.0
"""Seconds from a connection, or from the first byte of its next request, until the headers are complete."""
BODY = 30.0
"""Seconds from the headers until a body without proven credentials is complete; platforms wait 3 or 10 s for an answer."""
PAUSE = 60.0
"""Seconds without a byte of a body with proven credentials, such as a state, which may take as long as it needs."""
REST = 5.0
"""Seconds in which the rest of a body is received, and dropped, after the response: a client may read that only then."""

Phase = Literal["idle", "headers", "body", "proven body", "rest"]
_SECONDS: dict[Phase, float] = {"headers": HEADERS, "body": BODY, "proven body": PAUSE, "rest": REST}
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class DeadlineProtocol(H11Protocol):
    """One connection. uvicorn itself only limits the pause between two requests (`timeout_keep_alive`)."""

    admitted: ClassVar[Connections]
    """All connections of the server, set by `limited_by`."""

    _phase: Phase = "idle"
    _timer: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def waiting(self) -> bool:
        """Whether the client has yet to send a whole request, and to read nothing."""
        if self.transport.get_write_buffer_size():
            return False
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return True
        return cycle.more_body and not is_proven_first(self.scope["path"])

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.admitted.admit(self):
            self._enter("headers")
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.admitted.remove(self)
        self._enter("idle")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def drop(self) -> None:
        """Close it now, also if the client reads nothing."""
        self.transport.abort()

    def _watch(self) -> None:
        """Start, keep or end the deadline, according to what the client has to send next."""
        if self.transport.is_closing():
            return
        state = self.conn.their_state
        if state is h11.IDLE and self.conn.trailing_data[0]:
            phase: Phase = "headers"
        elif state is h11.IDLE and self.cycle is None:
            phase = "headers"
        elif state is h11.SEND_BODY and self.cycle.response_complete:
            phase = "rest"
        elif state is h11.SEND_BODY:
            phase = "proven body" if is_proven_first(self.scope["path"]) else "body"
        else:
            phase = "idle"
        if phase != self._phase or phase == "proven body":
            self._enter(phase)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if phase in _SECONDS:
            self._timer = self.loop.call_later(_SECONDS[phase], self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # to close it would wait for a client that reads nothing
        elif not self.transport.is_closing():
            if self._phase == "headers" or not self.cycle.response_started:
                self.transport.write(_TIMEOUT)
            self.transport.close()


def limited_by(connections: Connections) -> type[DeadlineProtocol]:
    """Return the protocol for one server, which has one set of connections."""
    return type("LimitedProtocol", (DeadlineProtocol,), {"admitted": connections})
