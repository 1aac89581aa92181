"""What the endpoints of the stand-in share."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bot.playground.github.faults import Faults
from bot.playground.github.state import State
from bot.playground.github.webhooks import Webhooks


@dataclass(frozen=True)
class Exchange:
    """One request and its response, for tests that check what was sent."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes
    content_type: str


@dataclass
class AppContext:
    """State, webhooks and faults, the latest 5,000 exchanges, and whether the server is closing."""

    state: State
    webhooks: Webhooks
    faults: Faults
    exchanges: deque[Exchange] = field(default_factory=lambda: deque(maxlen=5000))
    closing: bool = False
