"""What comes in, kept before it is answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol


@dataclass(frozen=True)
class Delivery:
    """One incoming webhook or interaction, as it came. `conversation` keeps one pull request's work in order."""

    id: str
    platform: Literal["github", "slack"]
    event: str
    conversation: str
    body: bytes
    received_at: datetime
    headers: dict[str, str] = field(default_factory=dict)


class Inbox(Protocol):
    """Deliveries. On SQLite a file of its own, since sharing one with the queue cost p99 0.5 to 1.4 s at 100/s."""

    def accept(self, delivery: Delivery, *, done: bool = False) -> bool:
        """Keep it; False where its id is already known. Durable before it returns. What is `done`, since it asks for
        nothing, is never pending: it is kept to be known when it comes again."""
        ...

    def get(self, delivery_id: str) -> Delivery | None: ...

    def pending(self, limit: int) -> list[Delivery]:
        """Not yet dispatched, in the order of their arrival."""
        ...

    def dispatched(self, ids: Iterable[str]) -> None: ...

    def forget(self, before: datetime) -> int:
        """Delete what was dispatched before that time; returns how many."""
        ...
