"""Slack's rate limits, as token buckets."""

from __future__ import annotations

import math
import threading

BURST = 10
"""Messages that a channel accepts at once before one per second. Slack allows bursts, but documents no number."""

_TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls per minute of Slack's tiers."""
_METHODS = {
    "conversations.list": 2,
    "users.list": 2,
    "reactions.add": 3,
    "chat.update": 3,
    "chat.delete": 3,
    "conversations.history": 3,
    "conversations.replies": 3,
    "conversations.info": 3,
    "conversations.join": 3,
    "conversations.open": 3,
}
_SPECIAL = {"apps.connections.open": 60, "auth.test": 600, "chat.getPermalink": 600}
"""Calls per minute of methods in Slack's special tier."""


class RateLimits:
    """Rate limits per method and channel, unless `on` is false. The buckets start full."""

    def __init__(self) -> None:
        self.on = True
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def reset(self) -> None:
        """All buckets are full."""
        with self._lock:
            self._buckets.clear()

    def wait(self, method: str, channel: str, now: float) -> int:
        """Return the seconds to wait before this call, or 0 if it may proceed, which counts it."""
        if not self.on:
            return 0
        if method == "chat.postMessage":
            return self._take(f"{method} {channel}", BURST, 1.0, now)
        tier = _SPECIAL.get(method) or _TIERS[_METHODS.get(method, 4)]
        return self._take(method, tier, tier / 60, now)

    def _take(self, name: str, size: float, rate: float, now: float) -> int:
        with self._lock:
            tokens, then = self._buckets.get(name, (size, now))
            tokens = min(size, tokens + max(0.0, now - then) * rate)
            enough = tokens >= 1
            self._buckets[name] = (tokens - 1 if enough else tokens, now)
            return 0 if enough else max(1, math.ceil((1 - tokens) / rate))
