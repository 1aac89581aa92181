"""A sync: how one target compares with one commit of the default branch, and what became of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.run import FAILURES, Kind, Outcome
from bot.domain.target import Target

SyncStatus = Literal[
    "baseline",
    "planning",
    "in_sync",
    "differs",
    "waiting",
    "approval",
    "applying",
    "applied",
    "failed",
    "unverified",
    "cancelled",
    "superseded",
]
UNSETTLED: tuple[SyncStatus, ...] = (
    "planning",
    "differs",
    "waiting",
    "approval",
    "applying",
    "failed",
    "cancelled",
)
"""What is not known to be deployed: the next sync of the target speaks for the pull requests of such a sync too."""
FAILED: tuple[SyncStatus, ...] = ("failed", "unverified")
CONCLUDED: tuple[SyncStatus, ...] = ("in_sync", "applied", *FAILED)
"""What says whether the default branch is applied: an issue is open while the newest of these is one of FAILED."""


@dataclass(frozen=True)
class Sync:
    """One comparison of a target with a commit of the default branch.

    id: also that of its run, and of the plan that this makes. pulls: numbers of the merged pull requests that it speaks
    for, in the order of their merges; the last one's plan it is. mode: the environment's `on_merge`. status: `baseline`
    where nothing was compared yet; `unverified` where it was applied and its smoke checks failed; `waiting` where it is applied as soon as a gate lets it; `approval` where people are
    asked first. message: why it is not applied, or did not succeed. digest: of what differs, "" if nothing does. news:
    whether that differs from what the sync before it reported. hint: what a waiting apply depends on, as of the last
    attempt. seen: the newest commit of the default branch that is known to change nothing here since `commit`.
    """

    id: str
    target: Target
    commit: str
    pulls: tuple[int, ...]
    mode: Literal["", "sync", "apply"]
    created_at: datetime
    status: SyncStatus = "planning"
    message: str = ""
    digest: str = ""
    news: bool = False
    hint: str = ""
    seen: str = ""

    @property
    def pull(self) -> int:
        """The pull request that its plan belongs to; 0 if main was pushed to without one."""
        return self.pulls[-1] if self.pulls else 0

    @property
    def unsettled(self) -> bool:
        return self.status in UNSETTLED


def status_after(kind: Kind, outcome: Outcome, *, verified: bool = True) -> SyncStatus | None:
    """Return the status of a sync after its plan's or its apply's run ended; None where somebody else decides.

    verified: whether the smoke checks of what was applied passed.
    """
    if outcome == "superseded":
        return "superseded"
    if outcome in FAILURES or (kind == "sync" and outcome == "refused"):
        return "failed"
    if kind == "sync":
        return "cancelled" if outcome == "cancelled" else None
    if outcome == "applied":
        return "applied" if verified else "unverified"
    return "waiting" if outcome == "refused" else "differs"


def is_news(digest: str, earlier: Iterable[Sync]) -> bool:
    """Return whether a difference was not reported since the target was in sync last. earlier: newest first."""
    for one in earlier:
        if one.status in ("in_sync", "applied", "unverified"):
            return True
        if one.digest:
            return one.digest != digest
    return True
