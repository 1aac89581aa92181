"""A lock: the claim of a pull request or a person on a target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.actors import Actor
from bot.domain.target import Target

LAPTOP = timedelta(hours=1)
"""How long a local Terraform's lock lasts after its last write if it is never released: the process may have died."""


@dataclass(frozen=True)
class Lock:
    """A target's lock. `pull` is 0 for a lock taken by hand; `expires_at` is None if it lasts until it is released.

    restores: serial that a state-only revert writes again under this lock, 0 if none; restored: whether it was written,
    so that unlocking accepts the plan of that revert.
    """

    target: Target
    actor: Actor
    created_at: datetime
    pull: int = 0
    reason: str = ""
    url: str = ""
    expires_at: datetime | None = None
    restores: int = 0
    restored: bool = False

    @property
    def owner(self) -> str:
        """`#12`, or the name of a person."""
        return f"#{self.pull}" if self.pull else self.actor.name

    @property
    def laptop(self) -> bool:
        """Whether a person's own Terraform took it; it is released when that process ends."""
        return self.actor.via == "terraform"

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def admits(self, pull: int) -> bool:
        """Return whether pull request `pull` may apply under this lock: only the one that holds it.

        A lock taken by hand stops everyone's applies, its owner's too: it means "hands off", not "mine".
        """
        return self.pull != 0 and self.pull == pull

    def bars(self, pull: int, now: datetime) -> bool:
        """Return whether it stops that pull request's applies now."""
        return not self.expired(now) and not self.admits(pull)


@dataclass(frozen=True)
class Waiter:
    """A pull request that was refused because of another one's lock, and gets a new plan when that is released."""

    target: Target
    pull: int
    actor: Actor
    since: datetime
