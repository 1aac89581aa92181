"""Runs that a workflow of GitHub Actions carries out for the bot (`runner = "actions"`), so that cloud credentials stay there.

`request` is what the workflow is asked to do, signed; `result` what it hands back, sealed; `workflow_run` how GitHub runs it."""

from bot.domain.runner.request import RunnerRequest, read_request, write_request
from bot.domain.runner.result import (
    LOG_LINES,
    RemotePlan,
    RunnerResult,
    read_result,
    reviewed_content,
    sealed_for,
    write_result,
)
from bot.domain.runner.workflow_run import WorkflowRun

__all__ = [
    "LOG_LINES",
    "RemotePlan",
    "RunnerRequest",
    "RunnerResult",
    "WorkflowRun",
    "read_request",
    "read_result",
    "reviewed_content",
    "sealed_for",
    "write_request",
    "write_result",
]
