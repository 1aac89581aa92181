"""Why a run failed: Terraform's errors, what is recorded at the end of a run, and the cause that is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.domain.run import Phase, Run

MAX_SUMMARY, MAX_DETAIL = 500, 4000
"""Characters kept of a diagnostic's summary and of its detail: a provider may print a whole response there."""
MAX_PATH = 500
"""Characters kept of a file's path and of an address."""

CauseKind = Literal[
    "state-locked",
    "credentials",
    "permission",
    "quota",
    "rate-limited",
    "download",
    "lock-file",
    "network",
    "provider-not-allowed",
    "backend-changed",
    "plan-outdated",
    "missing-variable",
    "missing-var-file",
    "provider-bug",
    "provider-timeout",
    "already-exists",
    "workflow-invalid",
    "configuration",
    "timed-out",
    "cancelled",
    "interrupted",
    "disk-full",
    "sandbox",
    "smoke-failed",
    "refused",
    "internal",
    "unknown",
]


@dataclass(frozen=True)
class Diagnostic:
    """One error of Terraform's, already redacted.

    file: path from the top of the repository, "" if the error names none. line, end_line: counted from 1, 0 if not known.
    address: of the resource, "" if none. tracked: whether the file is part of the repository at the run's commit;
    downloaded modules are not.
    """

    summary: str
    detail: str = ""
    file: str = ""
    line: int = 0
    end_line: int = 0
    address: str = ""
    tracked: bool = False

    @property
    def text(self) -> str:
        return f"{self.summary}\n{self.detail}"


@dataclass(frozen=True)
class Reason:
    """What a run ended with. code: of the refusal, "" if nothing refused. exit_code: Terraform's, None if it did not run."""

    code: str = ""
    exit_code: int | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Failure:
    """The record of a run that did not succeed. phase: the one in which it ended."""

    run_id: str
    phase: Phase
    recorded_at: datetime
    reason: Reason = Reason()


@dataclass(frozen=True)
class Cause:
    """A cause in one sentence, and the next step, in the markup of the bot's own texts."""

    kind: CauseKind
    explanation: str
    next_step: str


@dataclass(frozen=True)
class FailedRun:
    """A failed run, explained. step: what was being done. log: its last lines, already redacted. link: address of its log.
    later: a newer run of the same kind on the same target that succeeded."""

    run: Run
    cause: Cause
    step: str
    diagnostics: tuple[Diagnostic, ...] = ()
    log: tuple[str, ...] = ()
    link: str = ""
    repository_url: str = ""
    later: Run | None = None


@dataclass(frozen=True)
class RefusedApply:
    """An apply that was refused before there was a run: when, for which target, and what the gate answered."""

    target: str
    at: datetime
    cause: Cause


@dataclass(frozen=True)
class WorkflowJob:
    """A failed job of a GitHub Actions workflow. Everything in it is somebody else's text.

    id, run_id: GitHub's; id is 0 if the run never started, so that it has no log. steps: names of the failed steps. started_at, ended_at: of the first of them, None if not known.
    """

    id: int
    run_id: int
    workflow: str
    name: str
    conclusion: str
    url: str = ""
    steps: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class FailedJob:
    """A failed job, explained. log: the last lines of the failing step. note: why there is no log, "" if there is one."""

    job: WorkflowJob
    cause: Cause
    log: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Why:
    """The answer to `/why`: what failed, newest first. commit: whose jobs they are. note: what could not be read."""

    run: FailedRun | None = None
    refused: RefusedApply | None = None
    jobs: tuple[FailedJob, ...] = field(default_factory=tuple)
    commit: str = ""
    more_jobs: int = 0
    note: str = ""
