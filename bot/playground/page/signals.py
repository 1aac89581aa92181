"""Tells every open page which of its parts changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

GATHER = 0.04
"""Seconds in which changes are gathered into one event."""
QUIET = 15.0
"""Seconds of silence after which a line is sent, so that a lost connection is noticed."""


@dataclass(eq=False)
class _Listener:
    loop: asyncio.AbstractEventLoop
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    parts: set[str] = field(default_factory=set)


class Signals:
    """`tell` from any thread; each page follows `stream`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[_Listener] = []
        self._closed = False

    def tell(self, part: str) -> None:
        """`part` (pull, slack or bar) is different now."""
        with self._lock:
            for listener in self._listeners:
                listener.parts.add(part)
                self._wake(listener)

    def close(self) -> None:
        """End all streams, now and later."""
        with self._lock:
            self._closed = True
            for listener in self._listeners:
                self._wake(listener)

    def _wake(self, listener: _Listener) -> None:
        with contextlib.suppress(RuntimeError):  # its loop has ended
            listener.loop.call_soon_threadsafe(listener.woken.set)

    async def stream(self) -> AsyncIterator[str]:
        """Server-sent events `changed`, whose data is a JSON list of parts; the first names them all."""
        listener = _Listener(asyncio.get_running_loop(), parts={"pull", "slack", "bar"})
        listener.woken.set()
        with self._lock:
            self._listeners.append(listener)
        try:
            yield "retry: 500\n\n"
            while not self._closed:
                try:
                    await asyncio.wait_for(listener.woken.wait(), QUIET)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                await asyncio.sleep(GATHER)
                listener.woken.clear()
                with self._lock:
                    parts, listener.parts = sorted(listener.parts), set()
                if parts:
                    yield f"event: changed\ndata: {json.dumps(parts)}\n\n"
        finally:
            with self._lock:
                self._listeners.remove(listener)
