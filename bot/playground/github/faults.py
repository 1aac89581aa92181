"""Injected failures: status codes, timeouts, lost responses, rate limits."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass
class Fault:
    """A failure of the next `times` requests that match.

    what: a status, "timeout" (the request is neither processed nor answered), or "drop_response" (the request is
    processed, then the connection breaks). retry_after: value of the header of that name, in seconds.
    """

    method: str
    path: re.Pattern[str]
    what: int | Literal["timeout", "drop_response"]
    times: int
    retry_after: int | None
    message: str


class Faults:
    """Decides which requests fail, and applies GitHub's limit on writes.

    writes_per_minute: writes of each actor beyond it are refused (80 on GitHub); None for no limit.
    """

    def __init__(self) -> None:
        self.writes_per_minute: int | None = None
        self._faults: list[Fault] = []
        self._writes: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def add(
        self,
        method: str,
        path: str,
        what: int | Literal["timeout", "drop_response"],
        *,
        times: int = 1,
        retry_after: int | None = None,
        message: str = "Server Error",
    ) -> None:
        """Make the next `times` matching requests fail. method: `*` for any. path: a regular expression, unanchored."""
        with self._lock:
            self._faults.append(Fault(method, re.compile(path), what, times, retry_after, message))

    def secondary_limit(self, *, times: int = 1, retry_after: int | None = None) -> None:
        """Refuse the next `times` writes with GitHub's secondary rate limit."""
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            self.add(method, "/repos/", 403, times=times, retry_after=retry_after, message=SECONDARY)

    def clear(self) -> None:
        """Remove all faults and forget past writes."""
        with self._lock:
            self._faults.clear()
            self._writes.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, if any, and count it down."""
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and fault.method in ("*", method) and fault.path.search(path):
                    fault.times -= 1
                    return fault
        return None

    def seconds_to_wait(self, actor: str, method: str) -> int | None:
        """Count a write. Returns the seconds to wait if the actor has exceeded the limit, else None."""
        if method == "GET" or self.writes_per_minute is None:
            return None
        with self._lock:
            now, writes = time.monotonic(), self._writes.setdefault(actor, deque())
            while writes and writes[0] <= now - 60:
                writes.popleft()
            if len(writes) >= self.writes_per_minute:
                return int(writes[0] + 60 - now) + 1
            writes.append(now)
            return None
