"""Failures on demand: status codes, silence, lost answers, rate limits."""

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
    """What happens to the next `times` requests that match.

    what: a status; "timeout" (nothing is done and nothing answered); "drop_response" (the request is carried out,
    then the connection breaks). retry_after: seconds, for the header of that name.
    """

    method: str
    path: re.Pattern[str]
    what: int | Literal["timeout", "drop_response"]
    times: int
    retry_after: int | None
    message: str


class Faults:
    """Which requests fail, and GitHub's limit on writes.

    writes_per_minute: beyond it each actor's writes are refused (GitHub: 80); None for no limit.
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
        """Let the next `times` requests fail whose method is `method` (`*` for any) and whose path matches the
        regular expression `path` somewhere."""
        with self._lock:
            self._faults.append(Fault(method, re.compile(path), what, times, retry_after, message))

    def secondary_limit(self, *, times: int = 1, retry_after: int | None = None) -> None:
        """Refuse the next `times` writes as GitHub does who writes too fast."""
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            self.add(method, "/repos/", 403, times=times, retry_after=retry_after, message=SECONDARY)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._writes.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault for this request, if there is one; it counts down."""
        with self._lock:
            for fault in self._faults:
                if fault.times > 0 and fault.method in ("*", method) and fault.path.search(path):
                    fault.times -= 1
                    return fault
        return None

    def too_many(self, who: str, method: str) -> int | None:
        """Seconds to wait where this write is one too many for `who` within a minute."""
        if method == "GET" or self.writes_per_minute is None:
            return None
        with self._lock:
            now, writes = time.monotonic(), self._writes.setdefault(who, deque())
            while writes and writes[0] <= now - 60:
                writes.popleft()
            if len(writes) >= self.writes_per_minute:
                return int(writes[0] + 60 - now) + 1
            writes.append(now)
            return None
