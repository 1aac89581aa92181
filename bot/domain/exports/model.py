"""An export: one replacement of an environment's data by a masked part of another's, from request to swap."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.domain.actors import SYSTEM, Actor
from bot.domain.run import Origin

ExportKind = Literal["export", "preview", "rollback"]
"""`preview`: counts only. `rollback`: swaps back to the database that was replaced last."""
ExportPhase = Literal[
    "queued",  # waits for a worker
    "previewing",  # counts rows in prod
    "approval",  # people must approve; nothing runs
    "approved",  # waits for a worker again
    "extracting",  # snapshot, closure, masking, files
    "loading",  # into the next database
    "verifying",
    "swapping",
    "finished",
]
ExportOutcome = Literal["done", "failed", "refused", "rejected", "expired", "cancelled", "interrupted"]
RUNNING: tuple[ExportPhase, ...] = ("previewing", "extracting", "loading", "verifying", "swapping")


@dataclass(frozen=True)
class Progress:
    """How far the present phase is. Counts are of this phase: rows and bytes done, rows in all (0 if not known yet).
    table: the one at work, for people. rate: rows per second of the last seconds. remaining: seconds, None if not known. waiting: why it waits, "" if it does not."""

    rows: int = 0
    total: int = 0
    bytes: int = 0
    table: str = ""
    rate: float = 0.0
    remaining: float | None = None
    waiting: str = ""


@dataclass(frozen=True)
class Export:
    """One export. Times are UTC.

    id: also the name of its files' directory. environment: whose data is replaced; source: whose data is read.
    commit: of the default branch, whose policy it follows. due_at: the time of the schedule that asked for it, None if a
    person did. approved: whether people approved its policy digest; approved_by: their logins.
    notes: what people should look at, one sentence each. missed: due times of the schedule that passed while no worker ran, for
    people. policy_text: the file at `commit`, to show what changed since the last approved export. expires_at: when the
    request for approval ends, None if none is needed.
    message: one sentence for people if it did not succeed; reference: ties it to the log. previous: the name of the
    database that was replaced, "" once it is gone.
    """

    id: str
    kind: ExportKind
    repository: str
    environment: str
    source: str
    commit: str
    policy_digest: str
    actor: Actor = SYSTEM
    origin: Origin = field(default_factory=Origin)
    pull: int = 0
    phase: ExportPhase = "queued"
    outcome: ExportOutcome | None = None
    progress: Progress = field(default_factory=Progress)
    approved: bool = False
    approved_by: tuple[str, ...] = ()
    message: str = ""
    next_step: str = ""
    reference: str = ""
    worker: str = ""
    cancel_by: str = ""
    previous: str = ""
    notes: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    policy_text: str = ""
    expires_at: datetime | None = None
    due_at: datetime | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.phase != "finished"
