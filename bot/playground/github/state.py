"""State of the stand-in for GitHub, and notifications of its changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.playground.github.records import (
    App,
    Check,
    Comment,
    Deployment,
    Hook,
    InstallationToken,
    Pull,
    Repo,
    Review,
    Status,
    Team,
    User,
)
from bot.playground.github.workflow_records import WorkflowRun

ROLES = ("none", "read", "triage", "write", "maintain", "admin")


class Refusal(Exception):
    """An error that GitHub answers with. `errors` holds the details of a 422."""

    def __init__(self, status: int, message: str, errors: list[Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


@dataclass
class State:
    """Everything that the stand-in knows. Readers and writers hold `lock`; writers use `change`."""

    root: Path
    url: str = "http://127.0.0.1"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    lock: threading.RLock = field(default_factory=threading.RLock)
    users: dict[str, User] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    tokens: dict[str, InstallationToken] = field(default_factory=dict)
    repos: dict[str, Repo] = field(default_factory=dict)
    teams: dict[int, Team] = field(default_factory=dict)
    pulls: dict[tuple[int, int], Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    checks: dict[int, Check] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    workflow_runs: dict[int, WorkflowRun] = field(default_factory=dict)
    log_addresses: dict[str, tuple[bytes, datetime]] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)
    emit: Callable[[str, Repo | None, dict[str, Any], User], None] = lambda *_: None
    revision: int = 0
    _last_id: int = 1000
    _listeners: list[Callable[[int], None]] = field(default_factory=list)

    def next_id(self) -> int:
        """Return the next id. All records share one counter, so ids follow the order of events."""
        self._last_id += 1
        return self._last_id

    def now(self) -> datetime:
        """Return the current time in whole seconds, as GitHub reports times."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener` with the new revision after each change. Returns a function that unsubscribes."""
        with self.lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self.lock:
                self._listeners.remove(listener)

        return unsubscribe

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold the lock for a change, then increase the revision and notify the listeners."""
        with self.lock:
            yield
            self.revision += 1
            revision, listeners = self.revision, list(self._listeners)
        for listener in listeners:
            listener(revision)

    def user(self, login: str) -> User:
        """Return a user by login, in any case. Raises Refusal 404."""
        try:
            return self.users[login.lower()]
        except KeyError:
            raise Refusal(404, "Not Found") from None

    def repo(self, full_name: str) -> Repo:
        """Return a repository by `owner/name`, in any case. Raises Refusal 404."""
        try:
            return self.repos[full_name.lower()]
        except KeyError:
            raise Refusal(404, "Not Found") from None

    def pull(self, repo: Repo, number: int) -> Pull:
        """Return a pull request. Raises Refusal 404."""
        try:
            return self.pulls[repo.id, number]
        except KeyError:
            raise Refusal(404, "Not Found") from None
