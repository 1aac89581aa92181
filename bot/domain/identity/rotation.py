"""Signing keys, and when they are made, used and dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SIGNS = timedelta(days=30)
"""How long a key signs."""
AHEAD = timedelta(days=2)
"""How long a key is published before it signs: clouds keep the keys that they fetched for up to a day."""
JWKS_MAX_AGE = 3600
"""Seconds for which caches on the way may keep the published keys."""
SKEW = timedelta(minutes=10)
"""By how much clocks may differ: a key is published for this long after its last token expired."""


@dataclass(frozen=True)
class SigningKey:
    """A key pair. Times are UTC.

    number: counts up, so that two processes that make the next key make one. id: the key's id in tokens (`kid`), its
    RFC 7638 thumbprint. public: the public half as a JSON Web Key. signs_from: when it begins to sign; it is published
    before. tokens_until: when the last token that it signed expires, None if it signed none.
    """

    number: int
    id: str
    public: dict[str, str]
    created_at: datetime
    signs_from: datetime
    tokens_until: datetime | None = None


def current_key(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """Return the key to sign with: the newest whose time has come. keys: oldest first."""
    ready = [key for key in keys if key.signs_from <= now] or keys[:1]  # by a clock behind that of the maker
    return ready[-1] if ready else None


def key_due(keys: Sequence[SigningKey], now: datetime) -> tuple[int, datetime] | None:
    """Return the number of the key to make now, and when it begins to sign; None while the present ones last.

    The first signs at once, as nobody can have fetched the keys before.
    """
    if not keys:
        return 1, now
    newest = keys[-1]
    if now < newest.signs_from + SIGNS - AHEAD:
        return None
    return newest.number + 1, max(now + AHEAD, newest.signs_from + SIGNS)


def expired_keys(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """Return the keys that no longer sign and whose last token has expired."""
    current = current_key(keys, now - SKEW)
    return [
        key
        for key in keys
        if current is not None
        and key.number < current.number
        and (key.tokens_until is None or key.tokens_until + SKEW < now)
    ]
