"""Records that the stand-in for GitHub keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from bot.playground.github.git import LogEntry

EventKind = Literal["closed", "reopened", "merged", "converted_to_draft", "ready_for_review", "labeled"]


@dataclass
class User:
    id: int
    login: str
    type: Literal["User", "Bot", "Organization"]
    created_at: datetime
    token: str = ""


@dataclass
class Hook:
    """A webhook. repository: the `owner/name` that it belongs to, empty for an App's webhook."""

    id: int
    url: str
    secret: str
    events: frozenset[str]
    repository: str = ""


@dataclass
class App:
    """An App with its one installation on `account`. An empty `repositories` means all of them."""

    id: int
    slug: str
    account: User
    owner: User
    bot: User
    installation_id: int
    public_key: str
    private_key: str
    permissions: dict[str, str]
    created_at: datetime
    hook: Hook | None = None
    repositories: set[str] = field(default_factory=set)
    suspended_at: datetime | None = None


@dataclass
class Team:
    """A team of an organisation. members: lower-case logins, without those of child teams."""

    id: int
    org: User
    slug: str
    created_at: datetime
    members: set[str]
    parent: Team | None = None
    children: list[Team] = field(default_factory=list)

    def all_members(self) -> set[str]:
        """Return the members, including those of child teams."""
        return self.members.union(*(team.all_members() for team in self.children))

    def with_parents(self) -> list[Team]:
        """Return the team and all its parents, whose roles it inherits."""
        return [self, *(self.parent.with_parents() if self.parent else [])]


@dataclass
class Repo:
    """A repository. roles: lower-case login to the role granted directly. teams: teams and their roles."""

    id: int
    owner: User
    name: str
    path: Path
    private: bool
    created_at: datetime
    default_branch: str = "main"
    roles: dict[str, str] = field(default_factory=dict)
    custom_roles: dict[str, str] = field(default_factory=dict)
    teams: list[tuple[Team, str]] = field(default_factory=list)
    parent: Repo | None = None
    next_number: int = 1

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"


@dataclass
class Push:
    """Commits pushed to a pull request, oldest first. head: the latest of them."""

    id: int
    at: datetime
    actor: User
    head: str
    commits: list[LogEntry]
    forced: bool = False


@dataclass
class Event:
    """An event of a pull request: closed, reopened, merged, converted to draft, ready for review."""

    id: int
    at: datetime
    kind: EventKind
    actor: User
    detail: str = ""


@dataclass
class Pull:
    id: int
    repo: Repo
    number: int
    title: str
    body: str
    author: User
    head_repo: Repo | None
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool
    created_at: datetime
    updated_at: datetime
    state: Literal["open", "closed"] = "open"
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    mergeable: bool = True
    labels: list[str] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def shas(self) -> set[str]:
        """All commits that were the head of this pull request, and its merge commit."""
        return {push.head for push in self.pushes} | ({self.merge_sha} if self.merge_sha else set())


@dataclass
class Reaction:
    id: int
    user: User
    content: str
    created_at: datetime


@dataclass
class Comment:
    id: int
    repo: Repo
    number: int
    author: User
    body: str
    created_at: datetime
    updated_at: datetime
    app: App | None = None
    edits: int = 0
    minimised: str = ""
    reactions: list[Reaction] = field(default_factory=list)


@dataclass
class Review:
    id: int
    pull: Pull
    author: User
    state: str
    body: str
    commit: str
    submitted_at: datetime


@dataclass
class Check:
    id: int
    repo: Repo
    app: App
    suite: int
    name: str
    head_sha: str
    status: str
    started_at: datetime
    conclusion: str | None = None
    completed_at: datetime | None = None
    external_id: str = ""
    details_url: str = ""
    output: dict[str, Any] = field(default_factory=dict)
    actions: list[dict[str, str]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Status:
    """A commit status, which clients without an App use in place of check runs."""

    id: int
    repo: Repo
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: User
    created_at: datetime


@dataclass
class DeploymentState:
    id: int
    state: str
    description: str
    log_url: str
    environment_url: str
    creator: User
    created_at: datetime


@dataclass
class Deployment:
    id: int
    repo: Repo
    sha: str
    ref: str
    task: str
    environment: str
    description: str | None
    payload: Any
    production: bool
    transient: bool
    creator: User
    created_at: datetime
    states: list[DeploymentState] = field(default_factory=list)


@dataclass
class InstallationToken:
    """A token of an App's installation. permissions: those it was made with. repositories: ids, None for all."""

    app: App
    expires_at: datetime
    permissions: dict[str, str]
    repositories: frozenset[int] | None = None
