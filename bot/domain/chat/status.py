"""The state of targets, for the status comment, the Slack card, the checks and `/status`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.approvals import ApprovalState
from bot.domain.drift import Drift
from bot.domain.hold import Hold
from bot.domain.lock import Lock, Waiter
from bot.domain.policy import Environment, Frozen
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.previews import Instance
from bot.domain.refusal import GateAnswer, Refused
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.states import Unsaved
from bot.domain.sync import Sync
from bot.domain.target import Target


@dataclass(frozen=True)
class TargetStatus:
    """One target for one pull request, or for none (`pull` 0).

    plan: the latest plan of that pull request; stale: why it can no longer be applied, or "".
    run: the latest run of that pull request there; active_run: the run that is applying there, whoever's it is.
    release: what is deployed. next_step: the command to use next, or "". pull_closed: the pull request is merged or closed.
    gates: for a guarded environment, what each gate of bot.domain.gates.promotion.PROMOTION answers now, and
    blocked: their first refusal. approval_state: the latest approval of this pull request there.
    frozen, next_freeze: the freeze in effect, or one that begins within a day. follow_ups: forced applies that nobody has
    acknowledged. hold: what a revert left, whoever's it was. reverted: the revert deployed now reverted what this pull
    request had applied. unsaved: a state there that has to be pushed. drift: the drift found in what is deployed, or None;
    drift_check: the latest check for it. instance: of an environment that exists once per pull request, once it was wanted.
    sync: how it compares with the default branch, for a merged pull request.
    after: where the runs are that its queued run waits for; first: what this pull request has to apply before, or None.
    """

    target: Target
    environment: Environment
    pull: int = 0
    plan: Plan | None = None
    stale: str = ""
    run: Run | None = None
    active_run: Run | None = None
    lock: Lock | None = None
    waiters: tuple[Waiter, ...] = ()
    release: Release | None = None
    next_step: str = ""
    pull_closed: bool = False
    gates: tuple[GateAnswer, ...] = ()
    blocked: Refused | None = None
    approval_state: ApprovalState | None = None
    frozen: Frozen | None = None
    next_freeze: Frozen | None = None
    follow_ups: tuple[FollowUp, ...] = ()
    hold: Hold | None = None
    reverted: bool = False
    unsaved: Unsaved | None = None
    drift: Drift | None = None
    drift_check: Run | None = None
    instance: Instance | None = None
    sync: Sync | None = None
    after: tuple[Target, ...] = ()
    first: Target | None = None

    @property
    def revert_pending(self) -> bool:
        """Whether the latest plan is a revert that is ready to apply, or was applied in part. It may be applied after the
        merge, too."""
        if self.plan is None or not self.plan.reverts:
            return False
        release = self.release
        partial = release is not None and (not release.active or release.commit == self.plan.base_commit)
        return self.plan.status == "fresh" or (self.plan.status == "failed" and partial)

    @property
    def applies_itself(self) -> bool:
        """Whether Towpath applies the latest plan by itself: it is that of an instance which should exist."""
        return self.instance is not None and self.instance.wanted != "gone"

    @property
    def own_release(self) -> Release | None:
        """The release, if it was applied with this very plan."""
        release = self.release
        same = release is not None and self.plan is not None and release.plan_digest == self.plan.digest
        return release if same else None


@dataclass(frozen=True)
class Status:
    """The targets of a pull request (the status comment, the card, `/status`), or of a repository (`pull` None).

    links: run id → address of its live log. plans: plan id → address of the page with all that it changes. warnings:
    sentences that come before everything else. unread: the latest commit was not read, so that what the pull request
    affects is not known; `notes` say why.
    """

    repository: str
    targets: tuple[TargetStatus, ...]
    pull: PullRequest | None = None
    notes: tuple[str, ...] = ()
    now: datetime | None = None
    links: dict[str, str] | None = None
    warnings: tuple[str, ...] = ()
    unread: bool = False
    plans: dict[str, str] | None = None
