"""A state that Terraform could not upload: its `errored.tfstate`, stored until someone pushes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.states.backend_settings import BackendSettings
from bot.domain.states.model import StateInfo
from bot.domain.target import Target


def _no_backend() -> BackendSettings:
    return {"kind": "", "config": {}}


@dataclass(frozen=True)
class Unsaved:
    """The state that an apply left in its directory. Times are UTC; `size` is in bytes.

    backend: where the state belongs. base_known: whether the backend could be read when the state was stored;
    base_sha256: digest of the backend's state at that time, "" if it had none. plan_serial: serial of the state the plan
    was made from. ended_at: when there was nothing left to push, and `ending` why (`pushed`, `overtaken`).
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
    backend: BackendSettings = field(default_factory=_no_backend)
    ended_at: datetime | None = None
    ending: str = ""

    def backend_changed(self, current: StateInfo | None) -> bool:
        """Return whether the backend's state changed since: pushing this one would undo that change."""
        if self.base_known:
            return (current.sha256 if current else "") != self.base_sha256
        return (current.serial if current else 0) != self.plan_serial
