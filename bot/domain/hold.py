"""A hold: an environment pinned to a release after a revert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.people import Actor
from bot.domain.target import Target


@dataclass(frozen=True)
class Hold:
    """What stands in a target after a revert, until somebody lifts it.

    release_id, commit: what it went back to. reverted: the commit that was taken back: nothing that contains it is
    applied there. run_id: the revert; pull: its pull request.
    """

    target: Target
    release_id: str
    commit: str
    reverted: str
    run_id: str
    pull: int
    actor: Actor
    since: datetime
