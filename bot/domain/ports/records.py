"""Ports for tables of a transaction: approvals, holds, drift, artifacts, follow-ups and the audit record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.domain.actors import Actor
from bot.domain.approvals import Approval, ApprovalStatus, Decision
from bot.domain.audit import Entry
from bot.domain.drift import Baseline, Drift
from bot.domain.exports import Export, ExportDecision, ExportPhase, Manifest, Preview
from bot.domain.hold import Hold
from bot.domain.plans import PlanUse
from bot.domain.previews import Instance
from bot.domain.sync import Sync, SyncStatus
from bot.domain.target import Target


@dataclass(frozen=True)
class Artifact:
    """A declared output of a release, such as a kubeconfig. Its content is stored separately, encrypted."""

    id: str
    target: Target
    release_id: str
    name: str
    digest: str
    size: int
    created_at: datetime


@dataclass(frozen=True)
class Ticket:
    """Lets one person download one artifact once. digest: the sha256 of its token, which is not stored."""

    digest: str
    artifact_id: str
    login: str
    expires_at: datetime


@dataclass(frozen=True)
class FollowUp:
    """A break-glass apply that somebody else must acknowledge. acknowledged_by: a login, "" until then."""

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
        """Return the approval that is planning or open; a target and pull request have at most one."""
        ...

    def newest(self, target: Target, pull: int) -> Approval | None: ...

    def newest_of(self, targets: Iterable[Target], pull: int) -> dict[Target, Approval]:
        """Return target → the pull request's newest approval, for those that have one."""
        ...

    def all_live(self) -> list[Approval]:
        """Return all live approvals, oldest first."""
        ...

    def of_pull(self, repository: str, pull: int) -> list[Approval]:
        """Return a pull request's approvals, newest first."""
        ...

    def end(self, approval_id: str, status: ApprovalStatus, why: str, now: datetime) -> bool:
        """End a live approval; return False if it has ended already, so that only one caller ends it."""
        ...

    def update(self, approval_id: str, **changes: Any) -> None:
        """Change fields of a live approval by name; one that has ended is not changed."""
        ...

    def decide(self, decision: Decision) -> bool:
        """Store a decision; return False if an identical one exists.

        A different one with the same id is replaced in its position (a dismissed review, a lost role).
        """
        ...

    def decisions(self, approval_id: str) -> list[Decision]:
        """Return the decisions on an approval in order of arrival."""
        ...


class Pushers(Protocol):
    """Who pushed. Logins are stored and returned in lower case; adding one again changes nothing."""

    def add(self, repository: str, number: int, logins: Iterable[str]) -> None:
        """Record who pushed to a pull request, for ever."""
        ...

    def add_commits(self, repository: str, commits: Iterable[str], logins: Iterable[str]) -> None:
        """Record who pushed commits to any branch, for ever: they may become part of a pull request."""
        ...

    def of_pull(self, repository: str, number: int) -> frozenset[str]: ...

    def of_commits(self, repository: str, commits: Iterable[str]) -> frozenset[str]: ...


class PlanUses(Protocol):
    def add(self, use: PlanUse) -> bool:
        """Record a request for plans; return False if its id is known.

        Blocks other transactions that add one by the same person or for the same pull request until this one ends.
        """
        ...

    def by(self, login: str, limit: int) -> list[datetime]:
        """Return when a person made their newest `limit` requests, newest first."""
        ...

    def of_pull(self, repository: str, pull: int, limit: int) -> list[datetime]:
        """Return when the newest `limit` requests for a pull request were made, newest first."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` requests made before that time (UTC); return how many."""
        ...


class Holds(Protocol):
    def get(self, target: Target) -> Hold | None: ...

    def pin(self, hold: Hold) -> None:
        """Insert a hold, or replace the target's existing one."""
        ...

    def lift(self, target: Target) -> bool:
        """Remove the target's hold; return whether there was one."""
        ...

    def of_repository(self, repository: str) -> list[Hold]: ...


class Drifts(Protocol):
    def add(self, drift: Drift) -> None:
        """Add a drift report, if its id does not exist."""
        ...

    def get(self, drift_id: str) -> Drift | None: ...

    def of_target(self, target: Target, limit: int) -> list[Drift]:
        """Return a target's drift reports, newest first."""
        ...

    def newest(self, target: Target) -> Drift | None: ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` reports found before that time (UTC), never a target's newest; return how many."""
        ...

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Drift]:
        """Return target → newest report, for those that have one."""
        ...


class Baselines(Protocol):
    def record(self, baseline: Baseline) -> None:
        """Record a target's baseline, replacing the one of an older state."""
        ...

    def at(self, target: Target, lineage: str, serial: int) -> Baseline | None:
        """Return the baseline of exactly this state."""
        ...


class Syncs(Protocol):
    def add(self, sync: Sync) -> bool:
        """Add a sync; return False if its id exists."""
        ...

    def get(self, sync_id: str) -> Sync | None: ...

    def update(self, sync_id: str, **changes: Any) -> None:
        """Change fields of a sync by name, if it exists."""
        ...

    def move(self, sync_id: str, source: Sequence[SyncStatus], status: SyncStatus, **changes: Any) -> bool:
        """Change to `status` if the sync has one of the statuses `source`, else return False."""
        ...

    def newest(self, target: Target) -> Sync | None: ...

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Sync]:
        """Return target → newest sync, for those that have one."""
        ...

    def of_target(self, target: Target, limit: int) -> list[Sync]:
        """Return a target's syncs, newest first."""
        ...

    def of_pull(self, targets: Iterable[Target], pull: int, limit: int) -> dict[Target, Sync]:
        """Return target → the newest sync that speaks for the pull request, among the newest `limit` for each target."""
        ...

    def in_status(self, *statuses: SyncStatus) -> list[Sync]:
        """Return all syncs with one of these statuses, oldest first."""
        ...


class Exports(Protocol):
    def lock(self, repository: str, environment: str) -> None:
        """Block other transactions that lock the same environment's exports until this one ends."""
        ...

    def add(self, export: Export) -> bool:
        """Add an export; return False if its id exists."""
        ...

    def get(self, export_id: str) -> Export | None: ...

    def update(self, export_id: str, **changes: Any) -> None:
        """Change fields of an export by name, if it exists."""
        ...

    def move(self, export_id: str, source: Sequence[ExportPhase], phase: ExportPhase, **changes: Any) -> bool:
        """Change to `phase` if the export is in one of the phases `source`, else return False."""
        ...

    def of_environment(self, repository: str, environment: str, limit: int) -> list[Export]:
        """Return an environment's exports, newest first."""
        ...

    def active(self, repository: str = "", environment: str = "") -> list[Export]:
        """Return what has not ended, of one environment or of all, oldest first."""
        ...

    def approved(self, repository: str, environment: str) -> Export | None:
        """Return the environment's newest export that people approved."""
        ...

    def preview(self, export_id: str) -> Preview | None: ...

    def keep_preview(self, export_id: str, preview: Preview) -> None: ...

    def manifest(self, export_id: str) -> Manifest | None: ...

    def keep_manifest(self, export_id: str, manifest: Manifest) -> None: ...

    def decide(self, decision: ExportDecision) -> bool:
        """Add a person's answer; return False if it is there."""
        ...

    def decisions(self, export_id: str) -> list[ExportDecision]:
        """Return the answers to an export, oldest first."""
        ...

    def ticked_at(self, repository: str, environment: str, schedule: str) -> datetime | None:
        """Return until when (UTC) this schedule's due times are dealt with, None if it is new or was changed."""
        ...

    def tick(self, repository: str, environment: str, schedule: str, at: datetime) -> None:
        """Record until when they are."""
        ...


class Artifacts(Protocol):
    def keep(self, artifact: Artifact, content: bytes) -> None:
        """Store an artifact, replacing an older one of the same target and name."""
        ...

    def get(self, target: Target, name: str) -> Artifact | None: ...

    def by_id(self, artifact_id: str) -> Artifact | None: ...

    def of_target(self, target: Target) -> list[Artifact]:
        """Return a target's artifacts, sorted by name."""
        ...

    def of_repository(self, repository: str) -> list[Artifact]:
        """Return a repository's artifacts, sorted by target and name."""
        ...

    def content(self, artifact_id: str) -> bytes:
        """Return an artifact's content. Raises KeyError if it does not exist."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` artifacts of instances whose pull request is closed, stored before that time.

        Returns how many.
        """
        ...

    def forget_tickets(self, now: datetime, limit: int) -> int:
        """Delete at most `limit` expired tickets; return how many."""
        ...

    def issue(self, ticket: Ticket) -> None: ...

    def redeem(self, digest: str, now: datetime) -> Ticket | None:
        """Delete and return an unexpired ticket, so that it works once."""
        ...


class FollowUps(Protocol):
    def add(self, one: FollowUp) -> None:
        """Add a follow-up, if its id does not exist."""
        ...

    def get(self, follow_up_id: str) -> FollowUp | None: ...

    def open(self, repository: str = "", target: Target | None = None) -> list[FollowUp]:
        """Return follow-ups that are not acknowledged, oldest first; without arguments, all of them."""
        ...

    def acknowledge(self, follow_up_id: str, login: str, now: datetime) -> bool:
        """Acknowledge a follow-up; return False if it was acknowledged before."""
        ...


class Audit(Protocol):
    def add(self, entry: Entry) -> Entry:
        """Append an entry, chained to the last one, with one writer at a time; return it as recorded."""
        ...

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the entries with numbers above `after`, in order."""
        ...

    def head(self) -> Entry | None:
        """Return the last entry."""
        ...

    def newest(self, action: str, repository: str, pull: int) -> Entry | None:
        """Return a pull request's newest entry of this kind."""
        ...


class Instances(Protocol):
    """Instances of pull requests, one row a target; see bot.domain.previews.Instance."""

    def get(self, target: Target) -> Instance | None: ...

    def save(self, instance: Instance) -> None:
        """Insert or replace the target's row."""
        ...

    def of_targets(self, targets: Iterable[Target]) -> dict[Target, Instance]:
        """Return target → its instance, for those that have one."""
        ...

    def of_pull(self, repository: str, pull: int) -> list[Instance]: ...

    def of_environment(self, repository: str, environment: str) -> list[Instance]:
        """Return a repository's instances of an environment that are not gone."""
        ...

    def present(self) -> list[Instance]:
        """Return all instances that are not gone, the oldest first."""
        ...

    def unrecorded(self) -> list[str]:
        """Return the target keys of instances whose state has resources, but that have no row, or one that is gone."""
        ...

    def ended(self, before: datetime, limit: int) -> list[Instance]:
        """Return at most `limit` instances that were gone before that time (UTC)."""
        ...

    def forget(self, target: Target) -> None: ...
