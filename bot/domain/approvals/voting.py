"""Which decisions count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.actors import reaches
from bot.domain.approvals.model import Approval, ApprovalState, Decision, Missing, Voter
from bot.domain.approvals.requirements import WRITE_ROLE, missing_approvals, name_people
from bot.domain.refusal import Refused
from bot.domain.target import command


def newest_decisions(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Return the latest decision of each person, by login in lower case.

    GitHub reports whole seconds. Of two decisions in the same second a rejection counts, else the one received later.
    """
    latest: dict[str, Decision] = {}
    for decision in decisions:
        login = decision.login.lower()
        if login not in latest or _rank(decision) >= _rank(latest[login]):
            latest[login] = decision
    return latest


def _rank(decision: Decision) -> tuple[datetime, bool]:
    return decision.at.replace(microsecond=0), decision.answer != "approve"


def approval_state_of(
    approval: Approval, decisions: Iterable[Decision], voters: Sequence[Voter]
) -> ApprovalState:
    """Judge each person's latest decision by their current permissions. A person without a Voter does not count."""
    known = {voter.login.lower(): voter for voter in voters}
    latest = newest_decisions(decisions).values()
    approvals = [one for one in latest if one.answer == "approve"]
    rejections = [one for one in latest if one.answer == "reject" and one.login.lower() in known]
    valid = [
        one
        for one in approvals
        if (voter := known.get(one.login.lower())) and refuse_voter(approval, voter) is None
    ]
    approvers = [known[one.login.lower()] for one in valid]
    eligible = name_people(approval)
    counted = sum(1 for voter in approvers if not eligible or voter.among(eligible))
    owners = tuple(
        one for one in approval.owners if not any(voter.among(one["any_of"]) for voter in approvers)
    )
    return ApprovalState(
        approval,
        approved=tuple(valid),
        void=tuple(one for one in approvals if one not in valid),
        missing=Missing(max(approval.count - counted, 0), eligible, owners),
        rejected=tuple(one for one in rejections if reaches(known[one.login.lower()].role, "write")),
    )


def refuse_voter(approval: Approval, voter: Voter) -> Refused | None:
    """Return why this person's approval would not count, or None if it does."""
    if not reaches(voter.role, "write"):
        current = "no access to this repository" if voter.role == "none" else f"the `{voter.role}` role"
        return Refused(
            "permission",
            f"To approve, you need {WRITE_ROLE} on the repository; @{voter.login} has {current}.",
            "Ask a repository admin for the role.",
        )
    if voter.login.lower() in approval.excluded:
        return Refused(
            "self-approval",
            f"{approval.target.environment} needs approval from someone else: @{voter.login} requested this "
            f"{approval.word}, opened #{approval.pull}, or wrote or pushed one of its commits.",
            _whom_to_ask(approval),
        )
    eligible = name_people(approval)
    counts = approval.count > 0 and (not eligible or voter.among(eligible))
    if not counts and not any(voter.among(one["any_of"]) for one in approval.owners):
        return Refused(
            "not-asked",
            f"{approval.target} does not count approvals by @{voter.login}.",
            _whom_to_ask(approval),
        )
    return None


def _whom_to_ask(approval: Approval) -> str:
    approve = f"`{command('approve', approval.target)}`"
    return f"Required: {missing_approvals(approval)}. They can comment {approve}."
