"""Approvals: requested with a plan, decided on GitHub or in Slack, ended with the plan."""

from bot.services.approvals.break_glass import acknowledge_force, refuse_force
from bot.services.approvals.decisions import Decided, GivenDecision, decide, read_reviews, recorded_decision
from bot.services.approvals.outcomes import import_reviews, refresh_approval, void_pushers
from bot.services.approvals.requests import (
    ApprovalTerms,
    NewApproval,
    approval_plan_failed,
    approval_plan_ready,
    approval_request,
    approval_terms,
    end_approval,
    end_outdated_approvals,
    notify_approvers,
    open_approval,
    outdated_because,
    refuse_ended,
)
from bot.services.approvals.voters import approval_state

__all__ = [
    "ApprovalTerms",
    "Decided",
    "GivenDecision",
    "NewApproval",
    "acknowledge_force",
    "approval_plan_failed",
    "approval_plan_ready",
    "approval_request",
    "approval_state",
    "approval_terms",
    "decide",
    "end_approval",
    "end_outdated_approvals",
    "import_reviews",
    "notify_approvers",
    "open_approval",
    "outdated_because",
    "read_reviews",
    "recorded_decision",
    "refresh_approval",
    "refuse_ended",
    "refuse_force",
    "void_pushers",
]
