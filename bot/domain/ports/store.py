"""Port for the database: transactions, and the tables in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from bot.domain.lock import Lock, Waiter
from bot.domain.ports.forge import PullRequest, Repository
from bot.domain.ports.identity import SigningKeys
from bot.domain.ports.records import (
    Approvals,
    Artifacts,
    Audit,
    Baselines,
    Drifts,
    Exports,
    FollowUps,
    Holds,
    Instances,
    PlanUses,
    Pushers,
    Syncs,
)
from bot.domain.ports.state import CredentialStore, StateStore, UnsavedStates
from bot.domain.ports.surfaces import Surfaces
from bot.domain.ports.why import Failures
from bot.domain.release import Release
from bot.domain.run import Kind, Plan, PlanStatus, Run
from bot.domain.target import Target


@dataclass(frozen=True)
class Identity:
    """A Slack user (`team/user`) linked to a GitHub login."""

    slack: str
    login: str
    linked_at: datetime
    how: str


@dataclass(frozen=True)
class Code:
    """A one-time code to link accounts. digest: its sha256. side: whether `who` is a Slack user id or a GitHub login.
    login, asked: the GitHub login that gave it first, which alone may confirm it, and the delivery in which that was; ""
    before."""

    digest: str
    side: Literal["slack", "github"]
    who: str
    expires_at: datetime
    login: str = ""
    asked: str = ""


class Pulls(Protocol):
    def save(self, pull: PullRequest) -> PullRequest | None:
        """Insert or replace a pull request; return the previous one."""
        ...

    def get(self, repository: str, number: int) -> PullRequest | None: ...

    def open(self, repository: str) -> list[PullRequest]:
        """Return the open pull requests of a repository, sorted by number."""
        ...

    def trust(self, repository: str, number: int, head_sha: str, login: str) -> None:
        """Record that somebody with write access allowed plans of this commit of a fork."""
        ...

    def trusted(self, repository: str, number: int, head_sha: str) -> bool:
        """Whether plans of this commit of a fork were allowed."""
        ...

    def saw_head(self, repository: str, number: int, head_sha: str, at: datetime) -> None:
        """Record that the pull request was at this commit at `at`, by GitHub's clock. The earliest time counts."""
        ...

    def head_seen(self, repository: str, number: int, head_sha: str) -> datetime | None:
        """Return the earliest time at which the pull request is known to have been at this commit, by GitHub's clock."""
        ...

    def save_repository(self, repository: Repository) -> None: ...

    def repository(self, name: str) -> Repository | None: ...

    def repositories(self) -> list[Repository]: ...


class Runs(Protocol):
    def add(self, run: Run) -> None: ...

    def get(self, run_id: str) -> Run | None: ...

    def update(self, run_id: str, **changes: Any) -> Run:
        """Change fields of a run by name; return the new run. Raises KeyError if it does not exist."""
        ...

    def move(self, run_id: str, source: Sequence[str], phase: str, **changes: Any) -> bool:
        """Change to `phase` if the run is in one of the phases `source`, else return False.

        It is committed before an action starts, as the action's journal.
        """
        ...

    def active(
        self,
        *,
        target: Target | None = None,
        repository: str = "",
        pull: int | None = None,
        kind: Kind | None = None,
    ) -> list[Run]:
        """Return unfinished runs, oldest first."""
        ...

    def changing(self, target: Target) -> list[Run]:
        """Return the target's unfinished runs of kinds that change what exists, oldest first."""
        ...

    def applies(self, repository: str) -> dict[Target, Run]:
        """Return target → its oldest unfinished run of a kind that changes what exists, for those that have one."""
        ...

    def others(self, run: Run) -> int:
        """Return how many other runs of its pull request are unfinished."""
        ...

    def known(self, ids: Iterable[str]) -> dict[str, Run]:
        """Return id → run, for the ids that exist."""
        ...

    def newest(self, target: Target, *, pull: int | None = None, kind: Kind | None = None) -> Run | None:
        """Return the newest run; drift checks, destroys, and what puts instances to sleep count only if `kind` asks for them."""
        ...

    def newest_of(self, targets: Iterable[Target], *, pull: int) -> dict[Target, Run]:
        """Return target → the pull request's newest run, for those that have one. What `newest` leaves out does not
        count."""
        ...

    def drift_checks_of(self, targets: Iterable[Target]) -> dict[Target, Run]:
        """Return target → its newest drift check, for those that have one."""
        ...

    def recent(self, repository: str, limit: int) -> list[Run]:
        """Return a repository's newest runs, newest first."""
        ...

    def last_apply(self, target: Target) -> Run | None:
        """Return the target's newest apply whose Terraform was started, however it ended."""
        ...

    def last_apply_of(self, repository: str, pull: int) -> Run | None:
        """Return a pull request's newest apply whose Terraform was started, on any target."""
        ...

    def of_delivery(self, delivery: str, since: datetime) -> list[Run]:
        """Return the runs that a delivery requested, created since that time (UTC)."""
        ...

    def forget_logs(self, before: datetime, limit: int) -> int:
        """Delete the logs of at most `limit` runs that ended before that time (UTC); return of how many."""
        ...

    def forget_drift_checks(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` drift checks that ended before that time (UTC); return how many.

        Never one with a stored report or log, nor a target's newest.
        """
        ...

    def add_log(self, run_id: str, lines: Sequence[str]) -> None:
        """Append redacted lines to a run's log, which is encrypted at rest."""
        ...

    def log(self, run_id: str, after: int = 0) -> tuple[int, list[str]]:
        """Return (position to continue from, lines after the position `after`)."""
        ...


class PlanDamaged(Exception):
    """A plan file is missing, cannot be decrypted or does not match its digest, so it can never be applied."""


class Plans(Protocol):
    def add(self, plan: Plan, file: bytes, pages: Sequence[bytes] = ()) -> None:
        """Store a plan, its file and its pages, encrypted."""
        ...

    def get(self, plan_id: str) -> Plan | None: ...

    def page(self, plan_id: str, number: int) -> bytes | None:
        """Return a page of the plan, counted from 1; None if there is none."""
        ...

    def known(self, ids: Iterable[str]) -> dict[str, Plan]:
        """Return id → plan, for the ids that exist."""
        ...

    def file(self, plan_id: str) -> bytes:
        """Return the plan file. Raises PlanDamaged."""
        ...

    def newest(self, target: Target, pull: int) -> Plan | None: ...

    def newest_of(self, targets: Iterable[Target], pull: int) -> dict[Target, Plan]:
        """Return target → the pull request's newest plan, for those that have one."""
        ...

    def of_pull(self, target: Target, pull: int, limit: int) -> list[Plan]:
        """Return the pull request's newest plans of a target, newest first."""
        ...

    def newest_at(self, target: Target) -> Plan | None:
        """Return the target's newest plan, of any pull request."""
        ...

    def elsewhere(self, repository: str, backend: Mapping[str, Any]) -> Target | None:
        """Return a target of another repository with plans for the same backend, and so the same state."""
        ...

    def take(self, plan_id: str, source: PlanStatus, status: PlanStatus) -> bool:
        """Change a plan's status from `source` to `status`, else return False, so that only one caller applies it."""
        ...

    def publish(self, ids: Collection[str], at: datetime, *, in_slack: bool = False) -> None:
        """Record that plans were shown to people on GitHub, or in Slack, at `at` by the platform's clock. The earliest
        time counts."""
        ...

    def supersede(self, target: Target, pull: int, *, except_id: str = "") -> int:
        """Mark the pull request's fresh plans of a target as superseded; return how many."""
        ...

    def worktrees(self) -> set[str]:
        """Return the worktrees needed by plans being applied, and by fresh plans unless their pull request is closed."""
        ...

    def forget_pages(self, before: datetime, limit: int) -> int:
        """Delete the pages of at most `limit` plans created before that time (UTC) that cannot be applied any more.
        Returns how many plans."""
        ...

    def forget_files(self, before: datetime, limit: int) -> int:
        """Delete the files of at most `limit` plans created before that time (UTC) that cannot be applied any more.

        Fresh plans of closed pull requests are discarded as well. Returns how many files were deleted.
        """
        ...


class Locks(Protocol):
    def lock_targets(self, *targets: Target) -> None:
        """Block other transactions that lock the same targets until this one ends.

        What is read of the targets' runs and locks stays true until then. Pass all targets in one call: they are locked
        in a fixed order, which avoids deadlocks.
        """
        ...

    def get(self, target: Target) -> Lock | None:
        """Return the target's lock, even if it has expired."""
        ...

    def take(self, lock: Lock, now: datetime) -> Lock:
        """Insert a lock, or replace an expired one; return the lock that the target has now, which may be another's."""
        ...

    def release(self, target: Target) -> bool:
        """Remove the target's lock; return whether there was one."""
        ...

    def of_pull(self, repository: str, pull: int) -> list[Lock]: ...

    def all(self, repository: str = "") -> list[Lock]: ...

    def wait(self, waiter: Waiter) -> None:
        """Let a pull request wait for a target's lock."""
        ...

    def waiters(self, target: Target) -> list[Waiter]:
        """Return who waits for a target's lock, longest wait first."""
        ...

    def waiting(self) -> list[Target]:
        """Return the targets whose locks are waited for."""
        ...

    def forget_waiters(self, *, target: Target | None = None, repository: str = "", pull: int = 0) -> None:
        """Delete those who wait for a target, those of a repository or pull request, or those who match both."""
        ...


class Releases(Protocol):
    def add(self, release: Release) -> None: ...

    def newest(self, target: Target) -> Release | None: ...

    def of_target(self, target: Target, limit: int) -> list[Release]:
        """Return a target's releases, newest first."""
        ...

    def get(self, release_id: str) -> Release | None: ...

    def of_run(self, run_id: str) -> Release | None:
        """Return the release that an apply left."""
        ...

    def update(self, release_id: str, **changes: Any) -> None:
        """Change fields of a release by name. Raises KeyError if it does not exist."""
        ...

    def deactivate(self, target: Target) -> None:
        """Mark the target's active release as inactive: another apply has started, so what is deployed is not known."""
        ...

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Release]:
        """Return target → newest release, for those that have one."""
        ...


class Identities(Protocol):
    def login(self, slack: str) -> str:
        """Return the GitHub login of a Slack user (`team/user`), or "" if they are not linked."""
        ...

    def slack(self, login: str) -> str:
        """Return the Slack user that was last linked to a login (in any case), or ""."""
        ...

    def linked_to(self, login: str) -> list[str]:
        """Return all Slack users that are linked to a login (in any case), oldest link first."""
        ...

    def unlink(self, slack: str) -> None:
        """Remove a Slack user's link, and the codes that were offered to them."""
        ...

    def link(self, identity: Identity) -> None:
        """Link a Slack user to a login, replacing an earlier link."""
        ...

    def offer(self, code: Code) -> None:
        """Store a link code."""
        ...

    def claim(self, digest: str, login: str, asked: str, now: datetime) -> Code | None:
        """Bind an unexpired code to a login and delivery unless it is bound already; return it as it is then."""
        ...

    def redeem(self, digest: str, now: datetime) -> Code | None:
        """Delete and return an unexpired code, so that it works once."""
        ...

    def forget_codes(self, now: datetime, limit: int) -> int:
        """Delete at most `limit` expired codes; return how many."""
        ...

    def channel_repository(self, channel: str) -> str:
        """Return the repository that a Slack channel last used, or ""."""
        ...

    def remember_channel(self, channel: str, repository: str) -> None:
        """Record the repository that a Slack channel last used."""
        ...


class Workers(Protocol):
    """The worker processes, by name, and when each was last alive."""

    def seen(self, name: str, now: datetime) -> None:
        """Record a heartbeat."""
        ...

    def silent(self, since: datetime) -> list[str]:
        """Return the names of workers without a heartbeat since that time."""
        ...

    def living(self, since: datetime) -> int:
        """Return how many workers have had a heartbeat since that time."""
        ...

    def forget(self, name: str) -> None: ...


class Tables(Protocol):
    """Everything within one transaction."""

    pulls: Pulls
    pushers: Pushers
    runs: Runs
    failures: Failures
    plans: Plans
    locks: Locks
    releases: Releases
    surfaces: Surfaces
    identities: Identities
    states: StateStore
    credentials: CredentialStore
    unsaved: UnsavedStates
    workers: Workers
    approvals: Approvals
    artifacts: Artifacts
    follow_ups: FollowUps
    holds: Holds
    instances: Instances
    drifts: Drifts
    syncs: Syncs
    exports: Exports
    signing_keys: SigningKeys
    baselines: Baselines
    plan_uses: PlanUses
    audit: Audit

    wakes: set[str]
    """Topics to wake after the commit: `surfaces` if some became due, and the queues of enqueued work.

    Set by the tables and queues; see `Store.listen`.
    """

    at_end: list[Callable[[], object]]
    """Called in order before the commit, in the same transaction, for work that must take its locks last."""

    connection: Any
    """The SQLAlchemy connection, to enqueue work in the same transaction as the rows."""


class Store(Protocol):
    def listen(self, topic: str, wake: Callable[[], object]) -> None:
        """Call `wake` after each commit of this process that marked `topic` in `Tables.wakes`."""
        ...

    def begin(self) -> AbstractContextManager[Tables]:
        """Start a writing transaction: committed at the end, rolled back on an exception. Keep it short."""
        ...

    def read(self) -> AbstractContextManager[Tables]:
        """Start a read-only transaction."""
        ...
