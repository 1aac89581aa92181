"""What the gates judge an apply by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.approvals import ApprovalState
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.policy import Environment, Frozen
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Allowed, Refused
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.states import LockInfo, Unsaved
from bot.domain.target import Target, command


@dataclass(frozen=True)
class Source:
    """The environment that a target is promoted from, as it is now.

    release: the latest one there. applying_pull: number of the pull request that is applying there, or 0. state_change:
    how others changed the state since that release, or "".
    """

    target: Target
    release: Release | None = None
    applying_pull: int = 0
    state_change: str = ""


@dataclass(frozen=True)
class Upstream:
    """A target that the apply's target comes after. plan: the pull request's newest plan there. touched: whether it changes
    that stack."""

    target: Target
    plan: Plan | None = None
    touched: bool = False

    def unapplied(self, head: str) -> bool:
        """Whether the pull request, at commit `head`, has changes there that are not applied, or may have some."""
        if self.plan is None:
            return self.touched
        if self.plan.reverts or not (self.touched or self.plan.commit == head):
            return False
        return self.plan.has_changes and self.plan.status not in ("applying", "applied")


@dataclass(frozen=True)
class ApplyFacts:
    """Everything that the gates judge an apply by, read immediately before.

    policy: digest of the target's policy now. base_changes: paths of this stack that changed on the base branch and are
    not in the pull request. state: lineage and serial now; None if the backend is not built in and Terraform itself
    compares them. requested_at: when the request was written, by the platform's clock; None if no person made it.
    visible_since: when its author could first read the plan, by the same clock; None if not yet. pushed_at: when the plan's
    commit was pushed, None if that is not known. source: the environment
    it is promoted from, or None. configuration: of the pull request's latest commit, see bot.domain.policy.config_digest.
    frozen: the current freeze. approval_state: the approval of this plan. forced: the reason of a forced apply, which
    passes bot.domain.gates.promotion.PROMOTION and nothing else. hold: the target's hold, if what would be applied
    contains a commit that it blocks. state_lock: a lock on the state that is not from an apply of the bot. unsaved: a state of
    the target that could not be uploaded and has not been pushed. revert: whether a revert was requested, rather than an
    apply. losing: the number of lost resources that the requester confirmed, or None. upstream: what the target comes
    after, without what the same request applies. upstream_applying: an apply that has started there. outdated_inputs: the
    plan's inputs that have another value by now (`network.vpc_id`). full: why there is no room for another instance, or
    None.
    """

    pull: PullRequest
    target: Target
    environment: Environment
    plan: Plan | None
    lock: Lock | None
    now: datetime
    engine: str
    policy: str
    base_changes: Sequence[str] = ()
    state: tuple[str, int] | None = None
    requested_at: datetime | None = None
    visible_since: datetime | None = None
    pushed_at: datetime | None = None
    source: Source | None = None
    configuration: str = ""
    frozen: Frozen | None = None
    approval_state: ApprovalState | None = None
    forced: str = ""
    hold: Hold | None = None
    state_lock: LockInfo | None = None
    unsaved: Unsaved | None = None
    revert: bool = False
    losing: int | None = None
    upstream: tuple[Upstream, ...] = ()
    upstream_applying: Run | None = None
    outdated_inputs: tuple[str, ...] = ()
    full: Refused | None = None
    merged: bool = False

    @property
    def reverting(self) -> bool:
        """Whether the plan is a revert's, which is made for an older commit than the pull request's."""
        return self.plan is not None and bool(self.plan.reverts)

    @property
    def syncing(self) -> bool:
        """Whether the plan is of the default branch, made after the merge; `pull.head_sha` is then that commit."""
        return self.plan is not None and bool(self.plan.sync)

    @property
    def plan_command(self) -> str:
        return command("revert" if self.reverting else "plan", self.target)

    @property
    def apply_command(self) -> str:
        return command("revert" if self.reverting else "apply", self.target)


class Gate(Protocol):
    """One rule that lets an apply pass or refuses it."""

    def check(self, facts: ApplyFacts) -> Allowed | Refused: ...
