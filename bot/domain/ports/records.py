"""More tables of a transaction: consent, artifacts, what a break-glass leaves to do, and the audit record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.domain.approval import Approval, ApprovalStatus, Decision
from bot.domain.audit import Entry
from bot.domain.drift import Drift
from bot.domain.hold import Hold
from bot.domain.people import Actor
from bot.domain.target import Target


@dataclass(frozen=True)
class Artifact:
    """A declared output that a release left, such as a kubeconfig. Its content is kept sealed, apart."""

    id: str
    target: Target
    release_id: str
    name: str
    digest: str
    size: int
    created_at: datetime


@dataclass(frozen=True)
class Ticket:
    """Lets one person fetch one artifact once. Only the sha256 of its token is kept."""

    digest: str
    artifact_id: str
    login: str
    expires_at: datetime


@dataclass(frozen=True)
class FollowUp:
    """What a break-glass leaves to do: somebody else must acknowledge it. acknowledged_by: a login, "" until then."""

    id: str
    target: Target
    pull: int
    run_id: str
    actor: Actor
    reason: str
    skipped: tuple[str, ...]
    created_at: datetime
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None


class Approvals(Protocol):
    def add(self, approval: Approval) -> None: ...

    def get(self, approval_id: str) -> Approval | None: ...

    def live(self, target: Target, pull: int) -> Approval | None:
        """The one that is planning or open: a target and pull request have one at most."""
        ...

    def newest(self, target: Target, pull: int) -> Approval | None: ...

    def newest_of(self, targets: Iterable[Target], pull: int) -> dict[Target, Approval]:
        """The newest of a pull request for each of the targets that has one."""
        ...

    def all_live(self) -> list[Approval]: ...

    def of_pull(self, repository: str, pull: int) -> list[Approval]:
        """Newest first."""
        ...

    def end(self, approval_id: str, status: ApprovalStatus, why: str, now: datetime) -> bool:
        """Compare and set: from planning or open to an end, once, whoever asks."""
        ...

    def update(self, approval_id: str, **changes: Any) -> None:
        """Change fields of a live one by name."""
        ...

    def decide(self, decision: Decision) -> bool:
        """Keep it; False where the very same is there. One with the same id and anything else in it is replaced in its
        place (a review that was dismissed, a role that was lost)."""
        ...

    def decisions(self, approval_id: str) -> list[Decision]:
        """In the order of their coming in."""
        ...


class Holds(Protocol):
    def get(self, target: Target) -> Hold | None: ...

    def pin(self, hold: Hold) -> None:
        """Insert, or replace the one that is there."""
        ...

    def lift(self, target: Target) -> bool: ...

    def of_repository(self, repository: str) -> list[Hold]: ...


class Drifts(Protocol):
    def add(self, drift: Drift) -> None:
        """Nothing happens where it is there already."""
        ...

    def get(self, drift_id: str) -> Drift | None: ...

    def of_target(self, target: Target, limit: int) -> list[Drift]:
        """Newest first."""
        ...

    def newest(self, target: Target) -> Drift | None: ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete `limit` at most that were found before that time (UTC), never the newest of a target; returns how
        many."""
        ...

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Drift]:
        """The newest of each of the targets that has one."""
        ...


class Artifacts(Protocol):
    def keep(self, artifact: Artifact, content: bytes) -> None:
        """Replaces an older one of the same target and name."""
        ...

    def get(self, target: Target, name: str) -> Artifact | None: ...

    def by_id(self, artifact_id: str) -> Artifact | None: ...

    def of_target(self, target: Target) -> list[Artifact]:
        """By name."""
        ...

    def of_repository(self, repository: str) -> list[Artifact]: ...

    def content(self, artifact_id: str) -> bytes:
        """Raises KeyError where it is gone."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete `limit` at most that were kept before that time, of instances whose pull request is not open any
        more; returns how many."""
        ...

    def forget_tickets(self, now: datetime, limit: int) -> int:
        """Delete `limit` at most that have expired; returns how many."""
        ...

    def issue(self, ticket: Ticket) -> None: ...

    def redeem(self, digest: str, now: datetime) -> Ticket | None:
        """The unexpired ticket, deleted: it works once."""
        ...


class FollowUps(Protocol):
    def add(self, one: FollowUp) -> None:
        """Nothing happens where it is there already."""
        ...

    def get(self, follow_up_id: str) -> FollowUp | None: ...

    def open(self, repository: str = "", target: Target | None = None) -> list[FollowUp]:
        """Not acknowledged yet, oldest first."""
        ...

    def acknowledge(self, follow_up_id: str, login: str, now: datetime) -> bool:
        """Once, whoever comes first."""
        ...


class Audit(Protocol):
    def add(self, entry: Entry) -> Entry:
        """Chain it to the last one, within this transaction; one writer at a time. Returns it as it was recorded."""
        ...

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """In order, from the number after `after`."""
        ...

    def head(self) -> Entry | None:
        """The last one."""
        ...
