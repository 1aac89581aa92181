"""Explain the failed GitHub Actions jobs of a pull request's latest commit, from their logs.

Whoever pushes to the pull request writes these logs: they are bounded, redacted, and shown as plain text.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.redaction import Redactor
from bot.domain.why import FailedJob, WorkflowJob, cause_of_job, failing_lines, last_lines
from bot.errors import TransientError, UserError
from bot.services.context import Context
from bot.services.targets import GLANCE, readable_policy

SHOWN = 3
"""Jobs whose logs are read."""
LOG_BYTES = 512 << 10
"""Bytes that are read of a log's end: the failing step is near it."""
LINES = 25
READ = 200
"""Lines of the failing step in which the cause is looked for."""


@dataclass(frozen=True)
class FailedJobs:
    """Failed jobs, and how many more there are. note: why they could not be read, "" if they were."""

    shown: tuple[FailedJob, ...] = ()
    more: int = 0
    note: str = ""


def explain_workflows(context: Context, pull: PullRequest) -> FailedJobs:
    """Explain the failed jobs of the pull request's latest commit.

    A problem with GitHub Actions must not hide what is known of the bot's own runs.
    """
    try:
        jobs = context.forge.failed_jobs(pull.repository, pull.head_sha)
    except ForgeError as error:
        if error.status in (403, 404):
            return FailedJobs(
                note="GitHub Actions cannot be read: the App needs the permission Actions: read."
            )
        return FailedJobs(note="GitHub Actions cannot be read right now; try again in a minute.")
    hidden = _hidden(context, pull.repository) if jobs else ()
    explained = tuple(_explain(context, pull.repository, job, hidden) for job in jobs[:SHOWN])
    return FailedJobs(explained, max(0, len(jobs) - SHOWN))


def _explain(context: Context, repository: str, job: WorkflowJob, hidden: tuple[str, ...]) -> FailedJob:
    if not job.id:
        return FailedJob(job, cause_of_job(job, (), repository))
    try:
        log = context.forge.job_log(repository, job.id, LOG_BYTES)
    except ForgeError as error:
        gone = "GitHub no longer has its log." if error.status in (404, 410) else str(error)
        return FailedJob(job, cause_of_job(job, (), repository), note=gone)
    redactor = Redactor(hidden)
    # redacted in order and as a whole, since a private key has many lines
    lines = tuple(redactor.line(line) for line in failing_lines(job, log))[-READ:]
    return FailedJob(job, cause_of_job(job, lines, repository), last_lines(lines, LINES))


def _hidden(context: Context, repository: str) -> tuple[str, ...]:
    """Return the values to redact: the bot's secrets and those of all environments, which a workflow may have printed."""
    try:
        policy = readable_policy(context, repository, GLANCE)
    except (ForgeError, TransientError, UserError):
        return context.hidden
    prefixes = {policy.secrets_prefix(name) for name in policy.environments} if policy else set()
    secrets = (value for prefix in sorted(prefixes) for value in context.secrets(prefix).values)
    return (*context.hidden, *secrets)
