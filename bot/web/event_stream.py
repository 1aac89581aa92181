"""Server-sent events from what is read again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

T = TypeVar("T")

POLL_INTERVAL = 0.5
"""Seconds between two reads."""
MAX_STREAM = 6 * 3600
"""Seconds after which a stream ends; the page reopens it at the same position."""


async def polled(read: Callable[[], T]) -> AsyncIterator[T]:
    """Yield what `read` returns, at each interval, until the stream has lasted long enough. read: runs in a thread."""
    waited = 0.0
    while waited < MAX_STREAM:
        yield await run_in_threadpool(read)
        await asyncio.sleep(POLL_INTERVAL)
        waited += POLL_INTERVAL


def event_stream(events: AsyncIterator[str]) -> StreamingResponse:
    """Return the response that sends these events."""
    return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-store"})
