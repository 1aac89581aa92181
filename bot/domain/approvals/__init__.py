"""Approvals: a request to approve one plan, people's decisions, and what is still missing.

Start at `model`; `voting` decides which decisions count, `requirements` describes what is missing, `codeowners` finds who
owns the paths that a plan changes."""

from bot.domain.approvals.codeowners import PLACES, owned_paths
from bot.domain.approvals.model import (
    LIVE,
    Answer,
    Approval,
    ApprovalState,
    ApprovalStatus,
    Decision,
    Missing,
    OwnerSet,
    Voter,
)
from bot.domain.approvals.requirements import missing_approvals, name_people
from bot.domain.approvals.voting import approval_state_of, newest_decisions, refuse_voter

__all__ = [
    "LIVE",
    "PLACES",
    "Answer",
    "Approval",
    "ApprovalState",
    "ApprovalStatus",
    "Decision",
    "Missing",
    "OwnerSet",
    "Voter",
    "approval_state_of",
    "missing_approvals",
    "name_people",
    "newest_decisions",
    "owned_paths",
    "refuse_voter",
]
