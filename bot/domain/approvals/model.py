"""Approvals: the request to approve one plan, and each person's answer.

An approval is bound to one plan (its digest, commit and target), is used once, and expires. Whether it is complete is
computed from the decisions each time, with the permissions that people have at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypedDict

from bot.domain.actors import Actor, Platform, Role
from bot.domain.run import Origin
from bot.domain.target import Target, command

ApprovalStatus = Literal["planning", "open", "used", "rejected", "expired", "dead"]
"""`planning`: its plan is being made. `dead`: its plan can no longer be applied."""
Answer = Literal["approve", "reject", "withdraw"]

LIVE: tuple[ApprovalStatus, ...] = ("planning", "open")


class OwnerSet(TypedDict):
    """Code owners who own the same paths: one of `any_of` (`@ann`, `@acme/web`) must approve. Stored as JSON."""

    paths: list[str]
    any_of: list[str]


@dataclass(frozen=True)
class Approval:
    """A request to approve the apply of one plan. Times are UTC.

    run_id: the plan's run, and so the plan's id; plan_digest: "" while the plan is being made.
    actor: the requester; origin: where they made the request and get the reply. when_approved: apply automatically once
    complete. count, teams, users: as in the policy's ApprovalRules at that time. owners: the code owners of changed
    paths. excluded: logins (lower case) that may not approve. reverts, sync: see bot.domain.run.Run. destroys: number of
    resources that the plan destroys or replaces. why: how it ended, for people. ready_at: when it was complete and people
    were notified.
    """

    id: str
    target: Target
    pull: int
    run_id: str
    plan_digest: str
    commit: str
    actor: Actor
    origin: Origin
    created_at: datetime
    expires_at: datetime
    count: int = 1
    teams: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    owners: tuple[OwnerSet, ...] = ()
    excluded: tuple[str, ...] = ()
    when_approved: bool = False
    destroys: int = 0
    reverts: str = ""
    status: ApprovalStatus = "open"
    why: str = ""
    ended_at: datetime | None = None
    ready_at: datetime | None = None
    sync: str = ""

    @property
    def word(self) -> str:
        """The command that uses it."""
        return "revert" if self.reverts else "apply"

    @property
    def what(self) -> str:
        """What it approves, in words that follow "the"."""
        return f"revert of {self.target}" if self.reverts else f"apply to {self.target}"

    @property
    def ways(self) -> str:
        """How to approve it, in words that follow "Approve". Nobody reviews a commit that is merged already."""
        approve = f"with `{command('approve', self.target)}`"
        return (
            f"{approve} or in Slack"
            if self.sync
            else f"{approve}, an approving review of this commit, or in Slack"
        )

    @property
    def others_only(self) -> bool:
        """Whether people may not approve their own change. A revert is the work of its requester alone."""
        return bool(self.excluded) and not self.reverts

    @property
    def live(self) -> bool:
        return self.status in LIVE

    def expired(self, now: datetime) -> bool:
        return now >= self.expires_at


@dataclass(frozen=True)
class Voter:
    """A person as GitHub knows them now: the role on the repository, and `owner_names`: the CODEOWNERS and team names that
    mean this person, in lower case (`@ann`, `@acme/web`)."""

    login: str
    role: Role
    owner_names: frozenset[str] = frozenset()

    def among(self, owners: Iterable[str]) -> bool:
        """Return whether one of these names means this person."""
        return any(
            owner.lower() in self.owner_names or owner.lower() == f"@{self.login.lower()}" for owner in owners
        )


@dataclass(frozen=True)
class Decision:
    """One person's answer.

    id: `review:<id>` for a GitHub review, else derived from the delivery, so that a repeated delivery is the same
    decision. at: when it was given (UTC). `withdraw`: a review that was dismissed. role, groups: the person's, as of the
    last time GitHub was asked, see Voter.
    """

    id: str
    approval_id: str
    login: str
    answer: Answer
    reason: str
    via: Platform
    at: datetime
    role: Role = "none"
    groups: tuple[str, ...] = ()

    @property
    def voter(self) -> Voter:
        return Voter(self.login, self.role, frozenset(self.groups))


@dataclass(frozen=True)
class Missing:
    """What an approval still needs.

    count: number of approvals missing, from `eligible` (teams and users; empty: anyone with write access). owners: the
    sets of code owners of whom nobody has approved.
    """

    count: int = 0
    eligible: tuple[str, ...] = ()
    owners: tuple[OwnerSet, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.count and not self.owners


@dataclass(frozen=True)
class ApprovalState:
    """An approval with the latest decision of each person, and what is missing.

    void: approvals of people who may no longer approve. rejected: rejections of people with write access.
    """

    approval: Approval
    approved: tuple[Decision, ...] = ()
    void: tuple[Decision, ...] = ()
    missing: Missing = field(default_factory=Missing)
    rejected: tuple[Decision, ...] = ()
