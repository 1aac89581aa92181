"""Applies: exactly the reviewed plan, at exactly its commit, once.

Start at `request` (a person asks) and `execute` (a worker carries it out)."""

from bot.services.applies.attempt import REPLANNED, attempt_apply, verdict_of
from bot.services.applies.execute import ApplySteps, apply_here, execute_apply, restore
from bot.services.applies.facts import recorded_state
from bot.services.applies.failures import end_failed_run
from bot.services.applies.options import ApplyOptions, ApplyRequest
from bot.services.applies.queue import apply_run_id
from bot.services.applies.record import FinishedApply, record_apply, record_state
from bot.services.applies.recovery import await_orphan
from bot.services.applies.request import reply, request_apply
from bot.services.applies.when_approved import apply_approved, decide_and_apply, refresh_gates, tend_approvals

__all__ = [
    "REPLANNED",
    "ApplyOptions",
    "ApplyRequest",
    "ApplySteps",
    "FinishedApply",
    "apply_approved",
    "apply_here",
    "apply_run_id",
    "attempt_apply",
    "await_orphan",
    "decide_and_apply",
    "end_failed_run",
    "execute_apply",
    "record_apply",
    "record_state",
    "recorded_state",
    "refresh_gates",
    "reply",
    "request_apply",
    "restore",
    "tend_approvals",
    "verdict_of",
]
