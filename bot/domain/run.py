"""A run: one plan, apply, destroy, sync or drift check on a target, and the saved plan that it makes or uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict

from bot.domain.actors import SYSTEM, Actor
from bot.domain.plans import PlanSummaryJson
from bot.domain.sanitize import outside
from bot.domain.states import BackendSettings
from bot.domain.target import Target

Kind = Literal["plan", "apply", "destroy", "sleep", "wake", "drift", "sync"]
SLEEPING: tuple[Kind, ...] = ("sleep", "wake")
"""Kinds of runs that put an instance to sleep, and wake it, with the commands of the policy."""
CHANGING: tuple[Kind, ...] = ("apply", "destroy", *SLEEPING)
"""Kinds of runs that change what exists: one at a time on a target."""
Phase = Literal[
    "queued", "preparing", "initialising", "planning", "applying", "recording", "verifying", "finished"
]
Outcome = Literal[
    "planned",
    "applied",
    "destroyed",
    "checked",
    "done",
    "failed",
    "refused",
    "cancelled",
    "superseded",
    "interrupted",
    "timed_out",
]
FAILURES: tuple[Outcome, ...] = ("failed", "interrupted", "timed_out")
"""How a run ends whose Terraform did not succeed."""
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
    """Where a request was made, so that the reply can be posted there.

    delivery: id of the delivery; index: which of its commands. comment: GitHub comment id, or 0.
    channel, thread, user, response_url: Slack's, empty otherwise. url: a link for people. asked: when the person wrote
    or clicked, in seconds since 1970 by the platform's clock; 0 if no person made it.
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
        """The id of this request, from which the ids of its reply and its runs are derived."""
        return f"{self.delivery}:{self.index}"

    @property
    def written_at(self) -> datetime | None:
        """When the person wrote or clicked, by the platform's clock; None if no person made it."""
        return datetime.fromtimestamp(self.asked, UTC) if self.asked else None


class ResourceProgress(TypedDict, total=False):
    """Progress of one resource, or of one smoke check: its state (`started`, `progress`, `done`, `failed` …), the action
    and the seconds it has taken."""

    state: str
    action: str
    elapsed: float


class InputValue(TypedDict):
    """An input that a plan was made with: an output of another stack, its value then, and the id of the state version that
    had it."""

    stack: str
    output: str
    value: object
    version: str


@dataclass(frozen=True)
class Run:
    """One run. Times are UTC. `commit` is the pull request's latest commit, `base_commit` the base branch's, both when
    the run was requested.

    progress: by resource address, while Terraform runs; by name for smoke checks.
    message: one sentence for people if it did not succeed; reference: ties it to the log.
    approval: id of the approval it is applied with. forced: reason of a forced apply, empty otherwise.
    waits_for: id of the apply after which this run is enqueued, "" once it is.
    after: ids of the runs of other stacks after which it is enqueued, () once it is.
    reverts: id of the release to revert to, "" for all other runs; `commit` is then that release's, and `base_commit`
    the reverted one.
    sync: id of the sync that it makes the plan of, or whose plan it applies, "" for all other runs; `commit` is then one of
    the default branch, and `base_commit` the deployed one.
    dispatched_at: when GitHub Actions was asked to carry it out, None if it was not. workflow_run: GitHub's number of the
    workflow run that does, 0 until it is known.
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
    progress: dict[str, ResourceProgress] = field(default_factory=dict)
    approval: str = ""
    forced: str = ""
    reverts: str = ""
    waits_for: str = ""
    sync: str = ""
    after: tuple[str, ...] = ()
    dispatched_at: datetime | None = None
    workflow_run: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.phase != "finished"

    @property
    def word(self) -> str:
        """What people call it: the apply of a revert's plan is a revert."""
        if self.kind == "drift":
            return "drift check"
        return "revert" if self.reverts and self.kind == "apply" else self.kind

    @property
    def planned_by(self) -> str:
        """The command that makes its plan again."""
        return "revert" if self.reverts else "plan"

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None


def unfinished(progress: Mapping[str, object]) -> list[str]:
    """Return the addresses in a run's `progress` that Terraform started and did not complete."""
    return [
        address
        for address, entry in progress.items()
        if isinstance(entry, dict) and entry.get("state") in ("started", "progress", "failed")
    ]


def name_unfinished(addresses: Sequence[str], label: str = "Not completed") -> str:
    """Return a sentence, after a space, that names the first ten addresses; "" if there are none."""
    names = ", ".join(f"`{outside(address)}`" for address in addresses[:10])
    more = f" and {len(addresses) - 10} more" if len(addresses) > 10 else ""
    return f" {label}: {names}{more}." if addresses else ""


@dataclass(frozen=True)
class Plan:
    """A saved plan: people review it, and it is applied exactly as it is or not at all.

    digest: sha256 of the plan file; tree: git tree id of its worktree at `worktree`; policy: digest of the target's
    policy when the plan was made; engine: `Engine.identity`; summary: what PlanSummary.to_dict returned.
    backend: the verified settings it was made with. configuration: see bot.domain.policy.config_digest.
    reverts: see Run. additions: files that a revert needs besides the commit's own, by path in the root module.
    losses: addresses of the resources whose data a revert loses permanently. inputs: by variable, the outputs of other
    stacks that it was made with. published_at, posted_at: when it was first
    shown on GitHub (status comment, check) and in Slack (card), by the platforms' clocks; None until then. sync: see Run;
    the plan is then of a commit of the default branch, made after the merge.
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
    summary: PlanSummaryJson
    backend: BackendSettings
    created_at: datetime
    status: PlanStatus = "fresh"
    configuration: str = ""
    reverts: str = ""
    additions: dict[str, str] = field(default_factory=dict)
    losses: tuple[str, ...] = ()
    inputs: dict[str, InputValue] = field(default_factory=dict)
    published_at: datetime | None = None
    posted_at: datetime | None = None
    sync: str = ""

    def age(self, now: datetime) -> timedelta:
        return now - self.created_at

    @property
    def has_page(self) -> bool:
        """Whether all that it changes was stored: plans of earlier versions have no page."""
        return bool(self.summary.get("pages"))

    def visible_since(self, origin: Origin) -> datetime | None:
        """Return when people could first read it where a request was made; None if it was not shown yet. In Slack, people
        look at GitHub too."""
        times = (self.published_at, self.posted_at if origin.channel else None)
        return min((time for time in times if time is not None), default=None)
