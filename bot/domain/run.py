"""A run: one plan, apply or look for drift on a target, and the plan it leaves or uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.domain.people import SYSTEM, Actor
from bot.domain.target import Target
from bot.domain.words import outside

Kind = Literal["plan", "apply", "drift"]
Phase = Literal[
    "queued", "preparing", "initialising", "planning", "applying", "recording", "verifying", "finished"
]
Outcome = Literal[
    "planned",
    "applied",
    "checked",
    "failed",
    "refused",
    "cancelled",
    "superseded",
    "interrupted",
    "timed_out",
]
PlanStatus = Literal["fresh", "superseded", "applying", "applied", "failed", "discarded"]

ACTIVE: tuple[Phase, ...] = (
    "queued",
    "preparing",
    "initialising",
    "planning",
    "applying",
    "recording",
    "verifying",
)


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

    @property
    def id(self) -> str:
        """This one request's: of its answer, and of what it makes."""
        return f"{self.delivery}:{self.index}"


@dataclass(frozen=True)
class Run:
    """One row of work. Times are UTC. `commit` is the head it is about; `base_commit` the base's tip at that time.

    progress: address → state (`started`, `done`, `failed`, …) while Terraform works.
    message: one sentence for people when it did not end well; reference: ties it to the log.
    approval: id of the consent that it is applied with. forced: the reason of a break-glass, empty otherwise.
    reverts: id of the release that a revert goes back to, "" for all other runs; `commit` is that release's
    then, and `base_commit` the one that it takes back.
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
    approval: str = ""
    forced: str = ""
    reverts: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.phase != "finished"

    @property
    def word(self) -> str:
        """What people call it: a revert is an apply of an older release's plan."""
        if self.kind == "drift":
            return "look for drift"
        return "revert" if self.reverts and self.kind == "apply" else self.kind

    @property
    def planned_by(self) -> str:
        """The command that makes its plan anew."""
        return "revert" if self.reverts else "plan"

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


def left_behind(addresses: Sequence[str], what: str = "Left unfinished") -> str:
    """A sentence (after a space) that names the first ten of them; nothing where there are none."""
    return f" {what}: {', '.join(f'`{outside(one)}`' for one in addresses[:10])}." if addresses else ""


@dataclass(frozen=True)
class Plan:
    """A saved plan that people read, and that is applied exactly or not at all.

    digest: sha256 of the plan file; tree: git tree id of its worktree at `worktree`; policy: digest of the
    target's policy when it was made; engine: `Engine.identity`; summary: bot.domain.plan.PlanSummary.to_dict().
    backend: the proven settings it was made with. configuration: see bot.domain.configuration.
    reverts: see Run. additions: files beside the commit's own that a revert needs, by path in the root module.
    losses: what applying a revert loses for good, an address each.
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
    configuration: str = ""
    reverts: str = ""
    additions: dict[str, Any] = field(default_factory=dict)
    losses: tuple[str, ...] = ()

    def age(self, now: datetime) -> timedelta:
        return now - self.created_at
