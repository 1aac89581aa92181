"""GitHub as the services see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
Reaction = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]
Conclusion = Literal["success", "failure", "neutral", "cancelled", "timed_out", "action_required", "skipped"]


@dataclass(frozen=True)
class PullRequest:
    """A pull request as the forge has it now. `repository` is `owner/name`, lower-cased; times are UTC."""

    repository: str
    number: int
    title: str
    author: str
    state: Literal["open", "closed", "merged"]
    draft: bool
    head_sha: str
    head_ref: str
    head_repository: str
    base_ref: str
    base_sha: str
    url: str
    merge_sha: str = ""

    @property
    def from_fork(self) -> bool:
        return self.head_repository != self.repository


@dataclass(frozen=True)
class Repository:
    name: str
    default_branch: str
    clone_url: str
    url: str
    private: bool = False


@dataclass(frozen=True)
class Comment:
    id: int
    node_id: str
    author: str
    body: str
    url: str
    created_at: datetime


@dataclass(frozen=True)
class Review:
    """A review of a pull request at one commit. `submitted_at` is None while it is pending."""

    id: int
    author: str
    bot: bool
    state: Literal["approved", "changes_requested", "commented", "dismissed", "pending"]
    commit: str
    body: str
    submitted_at: datetime | None


@dataclass(frozen=True)
class CheckRun:
    """A check to show. Texts are cut by the renderer: summary and text 65,535 bytes each, title 255."""

    name: str
    head_sha: str
    status: Literal["queued", "in_progress", "completed"]
    conclusion: Conclusion | None
    title: str
    summary: str
    text: str = ""
    details_url: str = ""
    external_id: str = ""


@dataclass(frozen=True)
class Deployment:
    ref: str
    environment: str
    description: str
    payload: dict[str, str] = field(default_factory=dict)
    production: bool = False
    transient: bool = False


class ForgeError(Exception):
    """GitHub refused or did not answer. `retry_after` in seconds where waiting helps, else None (a final no)."""

    def __init__(self, message: str, *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Forge(Protocol):
    """Every method raises ForgeError. `repository` is always `owner/name`."""

    checks: bool
    """Whether check runs can be created (an App); else commit statuses stand in for them."""

    def me(self) -> str:
        """The bot's own login (`name[bot]` for an App)."""
        ...

    def repository(self, repository: str) -> Repository: ...

    def repositories(self) -> list[Repository]:
        """The repositories this installation or token reaches."""
        ...

    def git_credentials(self, repository: str) -> tuple[str, str] | None:
        """User and password for cloning over HTTP, valid for some minutes at least."""
        ...

    def pull(self, repository: str, number: int) -> PullRequest: ...

    def pulls(self, repository: str) -> list[PullRequest]:
        """The open ones."""
        ...

    def reviews(self, repository: str, number: int) -> list[Review]:
        """All reviews, oldest first. Whose newest one counts, and on which commit, is the approval's rule."""
        ...

    def codeowners_errors(self, repository: str, ref: str) -> list[str]:
        """What GitHub finds wrong in the CODEOWNERS file at `ref`, a line each; empty where all is well or none is."""
        ...

    def members(self, team: str) -> frozenset[str] | None:
        """Logins (lower case) of a team, `acme/platform`, and of the teams below it; None where there is no such team
        or the bot may not see it."""
        ...

    def authors(self, repository: str, commits: Sequence[str]) -> frozenset[str]:
        """Logins (lower case) of the commits' authors, co-authors and committers, as far as GitHub knows them; its own
        web-flow is nobody. ForgeError with status 404 where it does not know one of the commits."""
        ...

    def head_of(self, repository: str, branch: str) -> str:
        """The commit a branch points to."""
        ...

    def role(self, repository: str, login: str) -> Role:
        """By `role_name`; a custom role counts as the base role GitHub folds it into; `none` for a stranger."""
        ...

    def person(self, repository: str, token: str) -> str:
        """The login of the person whose token it is (GitHub's `GET /user`), who must see the repository with it. It is
        used for these two questions and not kept. ForgeError with 401, 403 or 404 where it is no such token."""
        ...

    def comment(self, repository: str, number: int, body: str) -> Comment: ...

    def edit_comment(self, repository: str, comment_id: int, body: str, *, final: bool = True) -> None:
        """Raises ForgeError with status 404 where it was deleted. Edits that show progress (`final=False`) wait
        until the final ones went out."""
        ...

    def find_comment(self, repository: str, number: int, marker: str) -> Comment | None:
        """The bot's own comment that contains `marker`, after a response was lost."""
        ...

    def minimise(self, repository: str, node_id: str) -> None:
        """Fold a comment as outdated. `node_id` is `Comment.node_id`; the repository says by whose installation."""
        ...

    def react(
        self, repository: str, comment_id: int, reaction: Reaction, *, instead_of: Sequence[Reaction] = ()
    ) -> None:
        """Add a reaction and take the bot's own `instead_of` away. Best effort: the caller ignores ForgeError."""
        ...

    def check(self, repository: str, check: CheckRun, check_id: int | None = None) -> int:
        """Create or update; returns the id. Without checks: a commit status (context = name), id 0."""
        ...

    def find_check(self, repository: str, head_sha: str, name: str) -> int | None: ...

    def deploy(self, repository: str, deployment: Deployment) -> int: ...

    def deployment_state(
        self,
        repository: str,
        deployment_id: int,
        state: Literal["error", "failure", "inactive", "in_progress", "queued", "pending", "success"],
        *,
        description: str = "",
        log_url: str = "",
        environment_url: str = "",
    ) -> None: ...

    def file(self, repository: str, ref: str, path: str) -> bytes | None:
        """A file's bytes by the contents API; None where there is none."""
        ...
