"""Who must approve an export before any data leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.actors import reaches
from bot.domain.approvals import Voter
from bot.domain.exports.model import Export
from bot.domain.policy import ApprovalRules
from bot.domain.refusal import Refused

ExportAnswer = Literal["approve", "reject"]
EXPIRES = timedelta(days=3)
"""After which a request ends where the source's approvals give no time."""


@dataclass(frozen=True)
class ExportDecision:
    """One person's answer to an export. id: of the request that gave it. at: UTC."""

    id: str
    export: str
    login: str
    answer: ExportAnswer
    at: datetime


def needs_approval(export: Export, approved: Iterable[str]) -> bool:
    """Whether people must approve it. approved: the policy digests of this environment's exports that were approved."""
    return export.kind == "export" and export.policy_digest not in set(approved)


def refuse_answer(rules: ApprovalRules | None, export: Export, voter: Voter) -> Refused | None:
    """Return why this person's approval would not count, None if it does. rules: of the source environment, whose data leaves."""
    environment = export.environment
    if not reaches(voter.role, "write"):
        return Refused(
            "permission",
            f"To approve an export you need the `write` role on the repository, which @{voter.login} does not have.",
            "Ask a repository admin for the role.",
        )
    if voter.login.lower() == export.actor.login.lower() and not (rules and rules.self_approval):
        return Refused(
            "self-approval",
            f"@{voter.login} requested this export, so somebody else must approve it.",
            f"They can run `/export {environment} approve`.",
        )
    eligible = eligible_people(rules)
    if eligible and not voter.among(eligible):
        return Refused(
            "not-asked",
            f"Exports of {export.source} do not count approvals by @{voter.login}.",
            f"{', '.join(eligible)} can run `/export {environment} approve`.",
        )
    return None


def eligible_people(rules: ApprovalRules | None) -> tuple[str, ...]:
    """Return the people and teams whose approval counts, () for everybody who may write."""
    if rules is None:
        return ()
    return tuple(f"@{name}" for name in (*rules.users, *rules.teams))


def missing_approval(rules: ApprovalRules | None, given: Sequence[str]) -> str:
    """Return what is still missing, in words that follow "Needs"; "" if nothing is. given: logins whose approval counts."""
    count = max(1, rules.count if rules else 1) - len({login.lower() for login in given})
    if count <= 0:
        return ""
    people = ", ".join(eligible_people(rules)) or "somebody with the `write` role"
    return f"approval by {people}" if count == 1 else f"{count} approvals by {people}"
