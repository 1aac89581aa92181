"""A hold: an environment pinned to a release after a revert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.actors import Actor
from bot.domain.target import Target


@dataclass(frozen=True)
class Hold:
    """What a target is pinned to after a revert, until someone lifts the hold.

    release_id, commit: the release reverted to. reverted: the reverted commit; no commit that contains it is applied.
    run_id: the revert; pull: its pull request. earlier: commits that earlier reverts took out and that are still held.
    """

    target: Target
    release_id: str
    commit: str
    reverted: str
    run_id: str
    pull: int
    actor: Actor
    since: datetime
    earlier: tuple[str, ...] = ()

    @property
    def fact(self) -> str:
        """The start of a sentence that refuses something because of it."""
        return (
            f"{self.target} is on hold at `{self.commit[:7]}` since {self.actor.name} reverted it on "
            f"{self.since:%Y-%m-%d %H:%M} UTC"
        )

    @property
    def held(self) -> tuple[str, ...]:
        """All commits that are kept out, the latest first."""
        return (self.reverted, *self.earlier)
