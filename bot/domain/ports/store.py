"""The database as the services see it: one transaction, and the tables in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from bot.domain.lock import Lock, Waiter
from bot.domain.ports.forge import PullRequest, Repository
from bot.domain.ports.records import Approvals, Artifacts, Audit, Drifts, FollowUps, Holds
from bot.domain.ports.state import CredentialStore, StateStore, UnsavedStates
from bot.domain.ports.surfaces import Surfaces
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
    """A one-time link code. Only its sha256 is kept. `side`: who asked (`slack` user id, or `github` login)."""

    digest: str
    side: Literal["slack", "github"]
    who: str
    expires_at: datetime


class Pulls(Protocol):
    def save(self, pull: PullRequest) -> PullRequest | None:
        """Insert or replace; returns what was there before."""
        ...

    def get(self, repository: str, number: int) -> PullRequest | None: ...

    def open(self, repository: str) -> list[PullRequest]: ...

    def trust(self, repository: str, number: int, head_sha: str, login: str) -> None:
        """Somebody with write let this head of a fork be planned."""
        ...

    def trusted(self, repository: str, number: int, head_sha: str) -> bool: ...

    def save_repository(self, repository: Repository) -> None: ...

    def repository(self, name: str) -> Repository | None: ...

    def repositories(self) -> list[Repository]: ...


class Runs(Protocol):
    def add(self, run: Run) -> None: ...

    def get(self, run_id: str) -> Run | None: ...

    def update(self, run_id: str, **changes: Any) -> Run:
        """Change fields of Run by name; returns the new row. Raises KeyError where there is none."""
        ...

    def move(self, run_id: str, source: Sequence[str], phase: str, **changes: Any) -> bool:
        """Compare and set: to `phase` only if it is in one of `source`. The journal row before an action."""
        ...

    def active(
        self,
        *,
        target: Target | None = None,
        repository: str = "",
        pull: int | None = None,
        kind: Kind | None = None,
    ) -> list[Run]:
        """Unfinished ones, oldest first."""
        ...

    def applies(self, repository: str) -> dict[Target, Run]:
        """The oldest unfinished apply of each target that has one."""
        ...

    def others(self, run: Run) -> int:
        """How many runs of its pull request besides it are unfinished."""
        ...

    def known(self, ids: Iterable[str]) -> dict[str, Run]:
        """Those of the ids that there are, by id."""
        ...

    def newest(self, target: Target, *, pull: int | None = None, kind: Kind | None = None) -> Run | None:
        """A look for drift counts where it is asked for by its kind."""
        ...

    def newest_of(self, targets: Iterable[Target], *, pull: int) -> dict[Target, Run]:
        """The newest run of a pull request on each of the targets that has one; a look for drift does not count."""
        ...

    def looks_of(self, targets: Iterable[Target]) -> dict[Target, Run]:
        """The newest look for drift at each of the targets that has one, whoever asked for it."""
        ...

    def recent(self, repository: str, limit: int) -> list[Run]: ...

    def last_apply(self, target: Target) -> Run | None:
        """The newest apply there whose Terraform has begun, however it ended."""
        ...

    def last_apply_of(self, repository: str, pull: int) -> Run | None:
        """The newest one of a pull request, wherever it was."""
        ...

    def of_delivery(self, delivery: str, since: datetime) -> list[Run]:
        """Those that a delivery asked for, made since that time (UTC)."""
        ...

    def forget_logs(self, before: datetime, limit: int) -> int:
        """Delete the logs of `limit` runs at most that ended before that time (UTC); returns of how many."""
        ...

    def forget_looks(self, before: datetime, limit: int) -> int:
        """Delete `limit` looks for drift at most that ended before that time (UTC) and found nothing that is kept;
        never the newest of a target, nor one that has a log. Returns how many."""
        ...

    def add_log(self, run_id: str, lines: Sequence[str]) -> None:
        """Append (already redacted) lines; encrypted at rest."""
        ...

    def log(self, run_id: str, after: int = 0) -> tuple[int, list[str]]:
        """Lines after a position, and the position to ask with next."""
        ...


class Plans(Protocol):
    def add(self, plan: Plan, file: bytes) -> None:
        """Keep it with its file, compressed and encrypted."""
        ...

    def get(self, plan_id: str) -> Plan | None: ...

    def known(self, ids: Iterable[str]) -> dict[str, Plan]:
        """Those of the ids that there are, by id."""
        ...

    def file(self, plan_id: str) -> bytes:
        """Raises KeyError where it is gone, ValueError where it does not decrypt or its digest is wrong."""
        ...

    def newest(self, target: Target, pull: int) -> Plan | None: ...

    def newest_of(self, targets: Iterable[Target], pull: int) -> dict[Target, Plan]:
        """The newest plan of a pull request for each of the targets that has one."""
        ...

    def newest_at(self, target: Target) -> Plan | None:
        """The newest one there, whosever it is."""
        ...

    def elsewhere(self, repository: str, backend: dict[str, Any]) -> Target | None:
        """A target of another repository whose plans were made with the very same backend: one state for two."""
        ...

    def take(self, plan_id: str, source: PlanStatus, status: PlanStatus) -> bool:
        """Compare and set: a plan goes from fresh to applying once, whoever asks."""
        ...

    def supersede(self, target: Target, pull: int, *, except_id: str = "") -> int:
        """All fresh plans of the pull request there become superseded."""
        ...

    def worktrees(self) -> set[str]:
        """Those that fresh plans of open pull requests need."""
        ...

    def forget_files(self, before: datetime, limit: int) -> int:
        """Delete the files of `limit` plans at most that were made before that time (UTC) and can be applied no more;
        a fresh one of a closed pull request is discarded with its file. Returns how many."""
        ...


class Locks(Protocol):
    def alone(self, *targets: Target) -> None:
        """Until the end of this transaction no other one that asks the same goes on: what is read of the targets'
        runs and locks stays true. Several are taken in their order; name them in one call, so that no two wait for
        each other."""
        ...

    def get(self, target: Target) -> Lock | None:
        """The lock, expired or not (the caller knows the time)."""
        ...

    def take(self, lock: Lock, now: datetime) -> Lock:
        """Insert, or replace an expired one; returns the lock that is there afterwards (ours or another's)."""
        ...

    def release(self, target: Target) -> bool: ...

    def of_pull(self, repository: str, pull: int) -> list[Lock]: ...

    def all(self, repository: str = "") -> list[Lock]: ...

    def wait(self, waiter: Waiter) -> None: ...

    def waiters(self, target: Target) -> list[Waiter]: ...

    def waiting(self) -> list[Target]:
        """Targets that somebody waits for."""
        ...

    def forget_waiters(
        self, *, target: Target | None = None, repository: str = "", pull: int = 0
    ) -> None: ...


class Releases(Protocol):
    def add(self, release: Release) -> None: ...

    def newest(self, target: Target) -> Release | None: ...

    def of_target(self, target: Target, limit: int) -> list[Release]:
        """Newest first."""
        ...

    def get(self, release_id: str) -> Release | None: ...

    def update(self, release_id: str, **changes: Any) -> None:
        """Change fields by name."""
        ...

    def deactivate(self, target: Target) -> None:
        """Another apply has begun there: what stands there is no release's any more, until one is added."""
        ...

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Release]:
        """The newest of each of the targets that has one."""
        ...


class Identities(Protocol):
    def login(self, slack: str) -> str: ...

    def slack(self, login: str) -> str: ...

    def link(self, identity: Identity) -> None: ...

    def offer(self, code: Code) -> None: ...

    def redeem(self, digest: str, now: datetime) -> Code | None:
        """The unexpired code, deleted: it works once."""
        ...

    def forget_codes(self, now: datetime, limit: int) -> int:
        """Delete `limit` at most that have expired; returns how many."""
        ...

    def channel_repository(self, channel: str) -> str: ...

    def remember_channel(self, channel: str, repository: str) -> None: ...


class Workers(Protocol):
    """The processes that carry out durable work, by name, and when each was last seen alive."""

    def seen(self, name: str, now: datetime) -> None: ...

    def silent(self, since: datetime) -> list[str]:
        """Those not seen after that time, by name."""
        ...

    def living(self, since: datetime) -> int:
        """How many were seen after that time."""
        ...

    def forget(self, name: str) -> None: ...


class Tables(Protocol):
    """Everything within one transaction."""

    pulls: Pulls
    runs: Runs
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
    drifts: Drifts
    audit: Audit

    at_end: list[Callable[[], object]]
    """Called in order before the commit, in the same transaction: what must take its locks last."""

    connection: Any
    """The SQLAlchemy connection, for what must be enqueued with the rows or not at all."""


class Store(Protocol):
    def begin(self) -> AbstractContextManager[Tables]:
        """A writing transaction: committed at the end, rolled back on an exception. Keep it short."""
        ...

    def read(self) -> AbstractContextManager[Tables]:
        """A reading one."""
        ...
