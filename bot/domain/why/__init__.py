"""Why something failed: Terraform's errors as typed values, known causes, and what to do about each."""

from bot.domain.why.evidence import Evidence, step_of
from bot.domain.why.job_cause import cause_of_job
from bot.domain.why.model import (
    MAX_DETAIL,
    MAX_PATH,
    MAX_SUMMARY,
    Cause,
    CauseKind,
    Diagnostic,
    FailedJob,
    FailedRun,
    Failure,
    Reason,
    RefusedApply,
    Why,
    WorkflowJob,
)
from bot.domain.why.run_cause import cause_of_refusal, cause_of_run
from bot.domain.why.terraform_errors import parse_error, split_errors
from bot.domain.why.workflow_log import failing_lines, last_lines

__all__ = [
    "MAX_DETAIL",
    "MAX_PATH",
    "MAX_SUMMARY",
    "Cause",
    "CauseKind",
    "Diagnostic",
    "Evidence",
    "FailedJob",
    "FailedRun",
    "Failure",
    "Reason",
    "RefusedApply",
    "Why",
    "WorkflowJob",
    "cause_of_job",
    "cause_of_refusal",
    "cause_of_run",
    "failing_lines",
    "last_lines",
    "parse_error",
    "split_errors",
    "step_of",
]
