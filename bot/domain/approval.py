"""Approvals: the request for consent to one plan, and what each person answered.

An approval is bound to one plan (its digest, commit and target), is used once, and expires. Whether it is complete is
computed from the decisions each time it matters, with what the people may do then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.domain.answers import Refused
from bot.domain.people import Actor, Platform, reaches
from bot.domain.ports.forge import Role
from bot.domain.run import Origin
from bot.domain.target import Target

ApprovalStatus = Literal["planning", "open", "used", "rejected", "expired", "dead"]
"""`planning`: the plan it is for is being made. `dead`: its plan may not be applied any more."""
Answer = Literal["approve", "reject", "withdraw"]

LIVE: tuple[ApprovalStatus, ...] = ("planning", "open")
SPELLED = "the `write` role"


@dataclass(frozen=True)
class Approval:
    """A request for consent to apply one plan. Times are UTC.

    run_id: the plan's run, and so the plan's id; plan_digest: "" while the plan is being made.
    actor: who asked; origin: where, so that they hear of the end. when_approved: apply by itself once complete.
    count, teams, users: as in bot.domain.policy.Consent when it was asked for. owners: `{"paths": […], "any_of": ["@ann", "@acme/web"]}`
    for each set of owners of changed paths, one of whom must approve. excluded: logins (lower case) that may not.
    reverts: see bot.domain.run.Run. destroys: how many resources the plan destroys or replaces. why: how it ended, for people.
    ready_at: when it was complete and people were told.
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
    owners: tuple[dict[str, Any], ...] = ()
    excluded: tuple[str, ...] = ()
    when_approved: bool = False
    destroys: int = 0
    reverts: str = ""
    status: ApprovalStatus = "open"
    why: str = ""
    ended_at: datetime | None = None
    ready_at: datetime | None = None

    @property
    def word(self) -> str:
        """The command that uses it."""
        return "revert" if self.reverts else "apply"

    @property
    def what(self) -> str:
        """What it is consent to, in words that follow "the"."""
        return f"revert of {self.target}" if self.reverts else f"apply to {self.target}"

    @property
    def live(self) -> bool:
        return self.status in LIVE

    def expired(self, now: datetime) -> bool:
        return now >= self.expires_at


@dataclass(frozen=True)
class Voter:
    """A person as GitHub knows them now: role on the repository, and `is_`: the owners' and teams' spellings that they
    are, lower case (`@ann`, `@acme/web`)."""

    login: str
    role: Role
    is_: frozenset[str] = frozenset()

    def among(self, owners: Iterable[str]) -> bool:
        return any(owner.lower() in self.is_ or owner.lower() == f"@{self.login.lower()}" for owner in owners)


@dataclass(frozen=True)
class Decision:
    """One person's answer. id: `review:<id>` of a GitHub review, else made of the delivery, so that a repetition is
    the same one. at: when it was given (UTC). `withdraw`: a review that was dismissed. role, groups: what this person was
    when GitHub was last asked, see Voter."""

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
    """What an approval still needs. more: approvals that `count` lacks, from `whom` (teams and users; empty: anybody
    with write). owners: those of its `owners` of whom nobody has approved."""

    more: int = 0
    whom: tuple[str, ...] = ()
    owners: tuple[dict[str, Any], ...] = ()

    @property
    def complete(self) -> bool:
        return not self.more and not self.owners


@dataclass(frozen=True)
class Standing:
    """An approval as it stands: the newest word of each person that counts, and what is missing."""

    approval: Approval
    approved: tuple[Decision, ...] = ()
    void: tuple[Decision, ...] = ()
    """Approvals of people who may not give them any more."""
    missing: Missing = field(default_factory=Missing)
    rejected: tuple[Decision, ...] = ()
    """Rejections by people with write."""


def newest(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """login (lower case) → their newest word. GitHub tells whole seconds: of two in one second a no counts, else the one
    that came in later."""
    latest: dict[str, Decision] = {}
    for decision in decisions:
        have = latest.get(decision.login.lower())
        if have is None or _rank(decision) >= _rank(have):
            latest[decision.login.lower()] = decision
    return latest


def _rank(decision: Decision) -> tuple[datetime, bool]:
    return decision.at.replace(microsecond=0), decision.answer != "approve"


def named(approval: Approval) -> tuple[str, ...]:
    """Whose approvals count for `count`, as owners are spelled; empty where anybody's with write do."""
    return tuple(f"@{name.lstrip('@')}" for name in (*approval.teams, *approval.users))


def standing(approval: Approval, decisions: Iterable[Decision], voters: Sequence[Voter]) -> Standing:
    """Judge the newest words by what their authors are now. A person without a Voter counts for nothing."""
    who = {voter.login.lower(): voter for voter in voters}
    words = newest(decisions).values()
    yes = [one for one in words if one.answer == "approve"]
    no = [one for one in words if one.answer == "reject" and one.login.lower() in who]
    good = [one for one in yes if (voter := who.get(one.login.lower())) and may(approval, voter) is None]
    voting = [who[one.login.lower()] for one in good]
    whom = named(approval)
    counted = sum(1 for voter in voting if not whom or voter.among(whom))
    lacking = tuple(one for one in approval.owners if not any(voter.among(one["any_of"]) for voter in voting))
    missing = Missing(max(approval.count - counted, 0), whom, lacking)
    void = tuple(one for one in yes if one not in good)
    rejected = tuple(one for one in no if reaches(who[one.login.lower()].role, "write"))
    return Standing(approval, tuple(good), void, missing, rejected)


def may(approval: Approval, voter: Voter) -> Refused | None:
    """Why this person's approval would not count, or None where it does."""
    if not reaches(voter.role, "write"):
        have = "no access to this repository" if voter.role == "none" else f"the `{voter.role}` role"
        return Refused(
            "permission",
            f"To approve you need {SPELLED} on the repository; @{voter.login} has {have}.",
            "Ask a repository admin for the role.",
        )
    if voter.login.lower() in approval.excluded:
        return Refused(
            "self-approval",
            f"@{voter.login} asked for this {approval.word}, opened #{approval.pull} or wrote one of its commits; "
            f"`{approval.target.environment}` wants somebody else's consent.",
            _whom_to_ask(approval),
        )
    whom = named(approval)
    counts = approval.count > 0 and (not whom or voter.among(whom))
    if not counts and not any(voter.among(one["any_of"]) for one in approval.owners):
        return Refused(
            "not-asked",
            f"An approval by @{voter.login} does not count for {approval.target}, which names others.",
            _whom_to_ask(approval),
        )
    return None


def _whom_to_ask(approval: Approval) -> str:
    return f"It waits for {wanted(approval)}; they comment `/approve {approval.target.environment}`."


def wanted(approval: Approval, missing: Missing | None = None) -> str:
    """Whom it waits for, in words: ``1 approval by anybody with the `write` role, and @bob (code owner of `infra/main.tf`)``."""
    lacks = missing or Missing(approval.count, named(approval), approval.owners)
    parts = []
    if lacks.more:
        by = " or ".join(lacks.whom) if lacks.whom else f"anybody with {SPELLED}"
        parts.append(f"{lacks.more} approval{'s' if lacks.more > 1 else ''} by {by}")
    for one in lacks.owners[:5]:
        paths = one["paths"]
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        parts.append(f"{' or '.join(one['any_of'])} (code owner of `{paths[0]}`{more})")
    if len(lacks.owners) > 5:
        parts.append(f"{len(lacks.owners) - 5} more code owners")
    return ", and ".join(parts) or "nobody"
