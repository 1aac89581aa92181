"""Places where people see something, and when each is shown next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

SurfaceKind = Literal[
    "status",
    "check",
    "card",
    "reply",
    "reaction",
    "deployment",
    "queue",
    "gate",
    "approval",
    "follow_up",
    "drift",
]


@dataclass(frozen=True)
class Surface:
    """A place where people see something, and what was last posted there.

    id: `kind:subject`, the identity that makes a second one impossible. repository, pull: what it belongs to.
    wanted: for a reply or reaction, what to post (rendered when it was said; other kinds render from current rows).
    external: the platform's ids (`comment_id`, `node_id`, `check_id`, `channel`, `ts`, `deployment_id`).
    digest: of what was last posted. tried: a creation was attempted, so look before creating again.
    due_at: when to project next; None where it is as it should be. settled_at: since when it is.
    error: why it could not be shown. With no attempts and a due_at it was given up: it is tried now and then only.
    """

    id: str
    kind: SurfaceKind
    subject: str
    repository: str
    pull: int = 0
    wanted: dict[str, Any] = field(default_factory=dict)
    external: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    tried: bool = False
    attempts: int = 0
    due_at: datetime | None = None
    urgent: bool = True
    error: str = ""
    settled_at: datetime | None = None


class Surfaces(Protocol):
    def want(self, surface: Surface) -> None:
        """Insert, or for an existing id: take over `wanted` (where not empty), and make it due at the earlier time."""
        ...

    def get(self, surface_id: str) -> Surface | None: ...

    def claim(self, now: datetime, until: datetime, worker: str = "", most: int = 1) -> list[Surface]:
        """The most urgent due one, and with it due ones of the same pull request, `most` in all: hidden from other
        workers until `until`, which is their `due_at` then."""
        ...

    def free(self, worker: str, now: datetime) -> int:
        """End the claims of a worker that died: what it was about to show is due. Returns how many."""
        ...

    def save(self, surface: Surface) -> None: ...

    def settle(self, surface: Surface, seen_due: datetime | None) -> None:
        """Save what was posted; it stays due where somebody wanted it again meanwhile (due_at differs from seen_due)."""
        ...

    def in_thread(self, channel: str, ts: str) -> Surface | None:
        """The card that was posted as message `ts` of a Slack channel: its thread speaks of that pull request."""
        ...

    def of_pull(self, repository: str, pull: int, kind: SurfaceKind | None = None) -> list[Surface]: ...

    def retry(self, now: datetime) -> int:
        """Make due what was given up and is only tried now and then; returns how many."""
        ...

    def forget(self, kinds: Sequence[SurfaceKind], before: datetime, limit: int) -> int:
        """Delete `limit` of these kinds at most that are settled since before that time (UTC); returns how many."""
        ...
