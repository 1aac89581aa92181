"""A state that Terraform could not upload: its `errored.tfstate`, kept until somebody pushes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.state import StateInfo
from bot.domain.target import Target


@dataclass(frozen=True)
class Unsaved:
    """What a run left in its directory. Times are UTC; `size` is in bytes.

    backend: where it belongs, as a plan keeps it. base_known: whether the backend could be read when it was kept;
    base_sha256: digest of the state there then (empty: there was none). plan_serial: of the state that the plan was
    made of. ended_at: since when there is nothing to push any more, and `ending` why (`pushed`, `overtaken`).
    """

    id: str
    target: Target
    run_id: str
    pull: int
    commit: str
    login: str
    lineage: str
    serial: int
    sha256: str
    size: int
    plan_serial: int
    base_known: bool
    base_sha256: str
    created_at: datetime
    backend: dict[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None
    ending: str = ""

    def moved_on(self, current: StateInfo | None) -> bool:
        """Whether the backend has another state than it had: pushing this one would undo what was done meanwhile."""
        if self.base_known:
            return (current.sha256 if current else "") != self.base_sha256
        return (current.serial if current else 0) != self.plan_serial
