"""Port for surfaces: what was posted where, and when each is projected next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from bot.domain.ports.surface_json import PostedContent, WantedContent

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
    "export",
    "issue",
]


@dataclass(frozen=True)
class Surface:
    """A surface, and what was last posted there.

    id: `kind:subject`, which makes it unique. repository, pull: what it belongs to.
    wanted: what to post, for replies and reactions, which are rendered when requested; other kinds render current rows.
    external: the platform's ids (`comment_id`, `node_id`, `check_id`, `channel`, `ts`, `deployment_id`).
    digest: of what was last posted. tried: a creation was attempted, so search before creating another.
    due_at: when to project next; None if it is up to date. settled_at: since when it is up to date.
    error: why it could not be posted. With an error, no attempts and a due_at it was given up, and is retried rarely.
    """

    id: str
    kind: SurfaceKind
    subject: str
    repository: str
    pull: int = 0
    wanted: WantedContent = field(default_factory=WantedContent)
    external: PostedContent = field(default_factory=PostedContent)
    digest: str = ""
    tried: bool = False
    attempts: int = 0
    due_at: datetime | None = None
    urgent: bool = True
    error: str = ""
    settled_at: datetime | None = None


class Surfaces(Protocol):
    def want(self, surface: Surface) -> None:
        """Insert a surface, or update `wanted` of the existing one (if not empty) and make it due at the earlier time."""
        ...

    def get(self, surface_id: str) -> Surface | None: ...

    def claim(self, now: datetime, until: datetime, worker: str = "", most: int = 1) -> list[Surface]:
        """Claim the most urgent due surface, and others of the same pull request, at most `most` in all.

        Other workers do not see them until `until`, which becomes their `due_at`.
        """
        ...

    def free(self, worker: str, now: datetime) -> int:
        """Release the claims of a worker that died, so that they are due at once; return how many."""
        ...

    def save(self, surface: Surface) -> None:
        """Insert or replace a surface, keeping what was requested since it was claimed."""
        ...

    def settle(self, surface: Surface, seen_due: datetime | None) -> None:
        """Save what was posted and end the claim; it stays due if it was requested again meanwhile.

        seen_due: the surface's `due_at` when it was claimed.
        """
        ...

    def in_thread(self, channel: str, ts: str) -> Surface | None:
        """Return the card that was posted as message `ts` of a Slack channel, whose thread belongs to its pull request."""
        ...

    def of_pull(self, repository: str, pull: int, kind: SurfaceKind | None = None) -> list[Surface]:
        """Return a pull request's surfaces, sorted by id."""
        ...

    def retry(self, now: datetime) -> int:
        """Make surfaces due that were given up; return how many."""
        ...

    def forget(self, kinds: Sequence[SurfaceKind], before: datetime, limit: int) -> int:
        """Delete at most `limit` surfaces of these kinds that were settled before that time (UTC); return how many."""
        ...
