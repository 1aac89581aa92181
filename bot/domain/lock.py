"""A target's claim by a pull request or a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.people import Actor
from bot.domain.target import Target

LAPTOP = timedelta(hours=1)
"""How long the claim of a laptop's Terraform lasts after its last write, where it never lets go: it may have died."""


@dataclass(frozen=True)
class Lock:
    """Who claims a target. `pull` is 0 for a person's lock by hand; `expires_at` None where it lasts till released."""

    target: Target
    actor: Actor
    created_at: datetime
    pull: int = 0
    reason: str = ""
    url: str = ""
    expires_at: datetime | None = None

    @property
    def owner(self) -> str:
        return f"#{self.pull}" if self.pull else self.actor.name

    @property
    def laptop(self) -> bool:
        """Whether it was taken by a person's own Terraform, and goes with it."""
        return self.actor.via == "terraform"

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def admits(self, pull: int) -> bool:
        """Whether pull request `pull` may apply under this lock: only the one that claims the target.

        A lock by hand stops everybody's applies, its owner's too: it says "hands off", not "mine".
        """
        return self.pull != 0 and self.pull == pull

    def bars(self, pull: int, now: datetime) -> bool:
        """Whether it keeps that pull request's applies out now."""
        return not self.expired(now) and not self.admits(pull)


@dataclass(frozen=True)
class Waiter:
    """A pull request that was refused because another one claims the target, and is told when it is free."""

    target: Target
    pull: int
    actor: Actor
    since: datetime
