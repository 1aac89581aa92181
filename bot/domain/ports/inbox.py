"""Port for incoming deliveries, which are stored before they are answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol


@dataclass(frozen=True)
class Delivery:
    """One incoming webhook or interaction, unchanged. conversation: deliveries with the same one are handled in order."""

    id: str
    platform: Literal["github", "slack"]
    event: str
    conversation: str
    body: bytes
    received_at: datetime
    headers: dict[str, str] = field(default_factory=dict)


class Inbox(Protocol):
    """Stored deliveries."""

    def accept(self, delivery: Delivery, *, done: bool = False) -> bool:
        """Store a delivery durably; return False if its id exists.

        done: it requests nothing, so it is never pending, and stored only to be recognised if it is delivered again.
        """
        ...

    def get(self, delivery_id: str) -> Delivery | None: ...

    def pending(self, limit: int) -> list[Delivery]:
        """Return deliveries that are not dispatched yet, in order of arrival."""
        ...

    def dispatched(self, ids: Iterable[str]) -> None:
        """Mark deliveries as dispatched."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete deliveries dispatched before that time; return how many."""
        ...
