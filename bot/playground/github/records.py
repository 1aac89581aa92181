"""What the stand-in remembers, record by record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal


@dataclass
class User:
    id: int
    login: str
    type: Literal["User", "Bot", "Organization"]
    created_at: datetime
    token: str = ""


@dataclass
class Hook:
    """Where webhooks go; `app` for an App's own hook, else `repository` (`owner/name`) whose hook it is."""

    id: int
    url: str
    secret: str
    events: frozenset[str]
    repository: str = ""


@dataclass
class App:
    """An App with its one installation on `account`. `repositories` empty means all of the account's."""

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
    """A team of an organisation. `members` are logins, lower case, without those of the teams below it."""

    id: int
    org: User
    slug: str
    created_at: datetime
    members: set[str]
    parent: Team | None = None
    below: list[Team] = field(default_factory=list)

    def all_members(self) -> set[str]:
        """Those of the teams below it count too."""
        return self.members.union(*(team.all_members() for team in self.below))

    def line(self) -> list[Team]:
        """The team itself, and those above it, whose roles it has too."""
        return [self, *(self.parent.line() if self.parent else [])]


@dataclass
class Repo:
    """`roles`: login (lower case) → what somebody has themselves; `teams`: what teams have."""

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
    """Commits that came to a pull request: `head` is the newest, `commits` are (sha, title), oldest first."""

    id: int
    at: datetime
    actor: User
    head: str
    commits: list[tuple[str, str]]
    forced: bool = False


@dataclass
class Event:
    """Something that happened to a pull request and has no other record: closed, reopened, merged, draft, ready."""

    id: int
    at: datetime
    kind: str
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
    pushes: list[Push] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def shas(self) -> set[str]:
        """Every commit that this pull request was at, and what it became."""
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


@dataclass
class Status:
    """A commit status (what is no App has instead of check runs)."""

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
    app: App
    expires_at: datetime
