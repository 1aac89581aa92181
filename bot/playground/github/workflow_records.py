"""Records of GitHub Actions that the stand-in keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.playground.github.records import Repo, User


@dataclass(frozen=True)
class WorkflowStep:
    """One step of a job. lines: what it printed."""

    name: str
    conclusion: str = "success"
    lines: tuple[str, ...] = ()


@dataclass
class Job:
    id: int
    name: str
    steps: tuple[WorkflowStep, ...]
    started_at: datetime
    log: bytes | None
    """None once GitHub has deleted it, as it does after 90 days."""

    @property
    def conclusion(self) -> str:
        bad = [step.conclusion for step in self.steps if step.conclusion not in ("success", "skipped")]
        return bad[0] if bad else "success"

    def times_of(self, number: int) -> tuple[datetime, datetime]:
        """When the step with this number (from 1) started and ended: each takes ten seconds."""
        start = self.started_at + timedelta(seconds=10 * (number - 1))
        return start, start + timedelta(seconds=10)


@dataclass
class WorkflowRun:
    """A run of a workflow. event: what started it. title: from `run-name`. ended: how it ended where its jobs do not say;
    "" while it is under way. inputs: of a dispatch. artifacts: name → the packed file."""

    id: int
    repo: Repo
    workflow: str
    workflow_id: int
    number: int
    sha: str
    branch: str
    event: str
    created_at: datetime
    jobs: list[Job] = field(default_factory=list)
    title: str = ""
    actor: User | None = None
    status: str = "completed"
    ended: str = ""
    cancelled: bool = False
    inputs: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def conclusion(self) -> str | None:
        """A completed run without jobs is of a workflow file that GitHub does not accept."""
        if self.ended or self.status != "completed":
            return self.ended or None
        if not self.jobs:
            return "startup_failure"
        return next((job.conclusion for job in self.jobs if job.conclusion != "success"), "success")
