"""What all kinds of runs share: end, live progress, cancellation and reactions."""

from bot.services.runs.cancel import cancel_runs
from bot.services.runs.lifecycle import (
    fail_run,
    failure_reason,
    finish_in,
    finish_run,
    interrupt_run,
    replan_command,
    stop_outcome,
    sweep_waiting_runs,
)
from bot.services.runs.progress import ProgressRecorder
from bot.services.runs.reactions import RANK, react, reply_to_requester
from bot.services.runs.run_end import RunEnd

__all__ = [
    "RANK",
    "ProgressRecorder",
    "RunEnd",
    "cancel_runs",
    "fail_run",
    "failure_reason",
    "finish_in",
    "finish_run",
    "interrupt_run",
    "react",
    "replan_command",
    "reply_to_requester",
    "stop_outcome",
    "sweep_waiting_runs",
]
