"""Server-sent events that tell every open page which of its parts changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

BATCH_SECONDS = 0.04
"""How long changes are collected before they are sent as one event."""
KEEPALIVE_SECONDS = 15.0
"""Silence after which a comment line is sent, so that a broken connection is noticed."""


@dataclass(eq=False)
class _Listener:
    """One open page."""

    loop: asyncio.AbstractEventLoop
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    parts: set[str] = field(default_factory=set)


class ChangeStream:
    """`publish` may be called from any thread; each page reads its own `stream`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[_Listener] = []
        self._closed = False

    def publish(self, part: str) -> None:
        """Tell all pages that a part (pull, slack, bar or databases) has changed."""
        with self._lock:
            for listener in self._listeners:
                listener.parts.add(part)
                self._wake(listener)

    def close(self) -> None:
        """End all streams, including those opened later."""
        with self._lock:
            self._closed = True
            for listener in self._listeners:
                self._wake(listener)

    def _wake(self, listener: _Listener) -> None:
        with contextlib.suppress(RuntimeError):  # its event loop is closed
            listener.loop.call_soon_threadsafe(listener.woken.set)

    async def stream(self) -> AsyncIterator[str]:
        """Yield `changed` events, whose data is a JSON list of parts. The first one names all parts."""
        listener = _Listener(asyncio.get_running_loop(), parts={"pull", "slack", "bar", "databases"})
        listener.woken.set()
        with self._lock:
            self._listeners.append(listener)
        try:
            yield "retry: 500\n\n"
            while not self._closed:
                try:
                    await asyncio.wait_for(listener.woken.wait(), KEEPALIVE_SECONDS)
                except TimeoutError:
                    yield ": keepalive\n\n"
                    continue
                await asyncio.sleep(BATCH_SECONDS)
                listener.woken.clear()
                with self._lock:
                    parts, listener.parts = sorted(listener.parts), set()
                if parts:
                    yield f"event: changed\ndata: {json.dumps(parts)}\n\n"
        finally:
            with self._lock:
                self._listeners.remove(listener)
