"""A run: one plan or apply on a target, and the plan it leaves or uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.domain.people import SYSTEM, Actor
from bot.domain.target import Target

Kind = Literal["plan", "apply"]
Phase = Literal["queued", "preparing", "initialising", "planning", "applying", "recording", "finished"]
Outcome = Literal[
    "planned", "applied", "failed", "refused", "cancelled", "superseded", "interrupted", "timed_out"
]
PlanStatus = Literal["fresh", "superseded", "applying", "applied", "failed", "discarded"]

ACTIVE: tuple[Phase, ...] = ("queued", "preparing", "initialising", "planning", "applying", "recording")


@dataclass(frozen=True)
class Origin:
    """Where a request was made, so that its answer finds the way back.

    delivery: id of the delivery; index: which of its commands. comment: GitHub comment id (0 for none).
    channel, thread, user, response_url: Slack's, empty otherwise. url: a link people can open. asked: when it reached
    us, in seconds since 1970 by our own clock (0 for what nobody asked).
    """

    delivery: str = ""
    index: int = 0
    comment: int = 0
    channel: str = ""
    thread: str = ""
    user: str = ""
    response_url: str = ""
    url: str = ""
    asked: float = 0.0


@dataclass(frozen=True)
class Run:
    """One row of work. Times are UTC. `commit` is the head it is about; `base_commit` the base's tip at that time.

    progress: address → state (`started`, `done`, `failed`, …) while Terraform works.
    message: one sentence for people when it did not end well; reference: ties it to the log.
    left: after an interruption, what was left behind (addresses in flight).
    """

    id: str
    kind: Kind
    target: Target
    pull: int
    commit: str
    base_commit: str = ""
    actor: Actor = SYSTEM
    origin: Origin = Origin()
    phase: Phase = "queued"
    outcome: Outcome | None = None
    plan_id: str = ""
    message: str = ""
    next_step: str = ""
    reference: str = ""
    worker: str = ""
    cancel_by: str = ""
    superseded_by: str = ""
    progress: dict[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.phase != "finished"

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None


def unfinished(progress: Mapping[str, Any]) -> list[str]:
    """Addresses in a run's `progress` that Terraform began with and did not bring to a good end."""
    return [
        address
        for address, facts in progress.items()
        if isinstance(facts, dict) and facts.get("state") in ("started", "progress", "failed")
    ]


def left_behind(addresses: Sequence[str]) -> str:
    """A sentence (after a space) that names the first ten of them; nothing where there are none."""
    return f" Left unfinished: {', '.join(f'`{one}`' for one in addresses[:10])}." if addresses else ""


@dataclass(frozen=True)
class Plan:
    """A saved plan that people read, and that is applied exactly or not at all.

    digest: sha256 of the plan file; tree: git tree id of its worktree at `worktree`; policy: digest of the
    target's policy when it was made; engine: `Engine.identity`; summary: bot.domain.plan.PlanSummary.to_dict().
    backend: the proven settings it was made with.
    """

    id: str
    run_id: str
    target: Target
    pull: int
    commit: str
    base_commit: str
    digest: str
    policy: str
    engine: str
    lineage: str
    serial: int
    tree: str
    worktree: str
    root: str
    has_changes: bool
    summary: dict[str, Any]
    backend: dict[str, Any]
    created_at: datetime
    status: PlanStatus = "fresh"

    def age(self, now: datetime) -> timedelta:
        return now - self.created_at


@dataclass(frozen=True)
class Release:
    """What a successful apply leaves."""

    id: str
    target: Target
    run_id: str
    plan_digest: str
    commit: str
    pull: int
    actor: Actor
    serial: int
    created_at: datetime
