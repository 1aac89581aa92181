"""A workflow run as GitHub shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class WorkflowRun:
    """title: from the workflow's `run-name`. actor: login of who started it. branch: whose version of the workflow runs.
    status: GitHub's word (`queued`, `in_progress`, `completed`, …). conclusion: "" until it is completed."""

    id: int
    title: str
    actor: str
    branch: str
    status: str
    conclusion: str
    url: str
    created_at: datetime

    @property
    def completed(self) -> bool:
        return self.status == "completed"

    @property
    def started(self) -> bool:
        """Whether a runner has taken it."""
        return self.status in ("in_progress", "completed")
