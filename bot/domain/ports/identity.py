"""Port for the keys that sign runs' tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.identity import SigningKey


class SigningKeys(Protocol):
    """The private halves are encrypted at rest."""

    def all(self) -> list[SigningKey]:
        """Return all keys, oldest first."""
        ...

    def add(self, key: SigningKey, private: bytes) -> bool:
        """Store a key; return False, changing nothing, if there is one with its number."""
        ...

    def private(self, number: int) -> bytes:
        """Return the private half. Raises KeyError if the key does not exist."""
        ...

    def signed(self, number: int, until: datetime) -> bool:
        """Record that the key signs tokens that expire at `until`; return False if it does not exist any more."""
        ...

    def drop(self, number: int, before: datetime) -> bool:
        """Delete a key if its last token expired before that time; return whether it was deleted."""
        ...
