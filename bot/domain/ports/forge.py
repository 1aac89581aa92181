"""Port for GitHub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from bot.domain.actors import Role
from bot.domain.runner import WorkflowRun
from bot.domain.why import WorkflowJob

Reaction = Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]
Conclusion = Literal["success", "failure", "neutral", "cancelled", "timed_out", "action_required", "skipped"]


@dataclass(frozen=True)
class PullRequest:
    """A pull request as GitHub has it now. repository: `owner/name` in lower case. updated_at: by GitHub's clock, at or
    after its latest push; None for one that was stored."""

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
    closed_at: datetime | None = None
    """When it was closed or merged, by GitHub's clock; None while it is open."""
    labels: tuple[str, ...] = ()
    updated_at: datetime | None = field(default=None, compare=False)

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
class Issue:
    number: int
    body: str
    url: str
    open: bool


@dataclass(frozen=True)
class Review:
    """A review of a pull request at one commit. submitted_at: None while it is pending."""

    id: int
    author: str
    bot: bool
    state: Literal["approved", "changes_requested", "commented", "dismissed", "pending"]
    commit: str
    body: str
    submitted_at: datetime | None


@dataclass(frozen=True)
class Annotation:
    """A message at lines of a file of the commit. The renderer truncates texts: message to 64 KB, title to 255 characters."""

    path: str
    start_line: int
    end_line: int
    title: str
    message: str


@dataclass(frozen=True)
class CheckRun:
    """A check run to create. The renderer truncates texts: summary and text to 65,535 bytes each, title to 255.

    annotations: at most 50 (GitHub's limit for one request); they are added to those that the check has.
    """

    name: str
    head_sha: str
    status: Literal["queued", "in_progress", "completed"]
    conclusion: Conclusion | None
    title: str
    summary: str
    text: str = ""
    details_url: str = ""
    external_id: str = ""
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True)
class PostedCheckRun:
    """A check run that was created or updated. id: 0 for a commit status. at: when, by GitHub's clock; None if its answer
    does not say."""

    id: int
    at: datetime | None = None


@dataclass(frozen=True)
class Deployment:
    ref: str
    environment: str
    description: str
    payload: dict[str, str] = field(default_factory=dict)
    production: bool = False
    transient: bool = False


class ForgeError(Exception):
    """GitHub refused a call, or did not answer. retry_after: seconds after which to retry, None if that does not help."""

    def __init__(self, message: str, *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Forge(Protocol):
    """All methods raise ForgeError. repository: always `owner/name`."""

    checks: bool
    """Whether check runs can be created, which only an App may; otherwise commit statuses replace them."""
    narrows: bool
    """Whether `git_credentials` read nothing but what they are asked for: an App's do, a user's token cannot."""

    def me(self) -> str:
        """Return the bot's own login (`name[bot]` for an App)."""
        ...

    def repository(self, repository: str) -> Repository: ...

    def repositories(self) -> list[Repository]:
        """Return the repositories that this installation or token can access."""
        ...

    def git_credentials(self, repository: str, modules: Sequence[str] = ()) -> tuple[str, str] | None:
        """Return user and password for cloning over HTTP, valid for at least some minutes.

        They read this repository and `modules` (`owner/name`, of the same owner), and nothing else if the forge
        `narrows`. Raises ForgeError with status 403 if the App does not reach one of them.
        """
        ...

    def pull(self, repository: str, number: int) -> PullRequest: ...

    def pulls(self, repository: str) -> list[PullRequest]:
        """Return the open pull requests."""
        ...

    def pulls_of(self, repository: str, commit: str) -> list[PullRequest]:
        """Return the pull requests that a commit belongs to, merged ones included."""
        ...

    def merged_pulls(self, repository: str, branch: str) -> list[PullRequest]:
        """Return the pull requests into a branch that were merged last, at most 100, in no particular order."""
        ...

    def reviews(self, repository: str, number: int) -> list[Review]:
        """Return all reviews, oldest first. Which of them count is up to the approval's rules."""
        ...

    def codeowners_errors(self, repository: str, ref: str) -> list[str]:
        """Return GitHub's errors in the CODEOWNERS file at `ref`, one line each; empty if there is no such file."""
        ...

    def members(self, team: str) -> frozenset[str] | None:
        """Return the logins (lower case) of a team (`acme/platform`) and its child teams.

        None if there is no such team, or if the bot may not see it.
        """
        ...

    def authors(self, repository: str, commits: Sequence[str]) -> frozenset[str]:
        """Return the logins (lower case) of the commits' authors, co-authors and committers, as far as GitHub knows them.

        GitHub's own web-flow is left out. Raises ForgeError with status 404 if a commit does not exist.
        """
        ...

    def head_of(self, repository: str, branch: str) -> str:
        """Return the commit that a branch points to."""
        ...

    def role(self, repository: str, login: str) -> Role:
        """Return a person's role: a custom role counts as the base role that it extends; `none` for strangers."""
        ...

    def person(self, repository: str, token: str) -> str:
        """Return the login of a token's owner (GitHub's `GET /user`), after checking that it can read the repository.

        The token is not stored. Raises ForgeError with status 401, 403 or 404 if it is not such a token.
        """
        ...

    def comment(self, repository: str, number: int, body: str) -> Comment: ...

    def edit_comment(self, repository: str, comment_id: int, body: str, *, final: bool = True) -> datetime:
        """Edit a comment; return when, by GitHub's clock. Raises ForgeError with status 404 if it was deleted.

        final: False for progress, which waits until final edits have been made.
        """
        ...

    def find_comment(self, repository: str, number: int, marker: str) -> Comment | None:
        """Return the bot's own comment that contains `marker`; needed after a lost response."""
        ...

    def open_issue(self, repository: str, title: str, body: str) -> Issue:
        """Open an issue. Raises ForgeError with status 410 if the repository has issues turned off."""
        ...

    def edit_issue(
        self,
        repository: str,
        number: int,
        *,
        title: str = "",
        body: str = "",
        state: Literal["", "open", "closed"] = "",
    ) -> None:
        """Change an issue; what is empty stays. Raises ForgeError with status 404 or 410 if it was deleted."""
        ...

    def find_issue(self, repository: str, marker: str) -> Issue | None:
        """Return the bot's own newest issue that contains `marker`; needed after a lost response."""
        ...

    def minimise(self, repository: str, node_id: str) -> None:
        """Minimise a comment as outdated. node_id: see Comment. repository: decides which installation is used."""
        ...

    def react(
        self, repository: str, comment_id: int, reaction: Reaction, *, instead_of: Sequence[Reaction] = ()
    ) -> None:
        """Add a reaction and remove the bot's own `instead_of`. Best effort: callers ignore ForgeError."""
        ...

    def check(self, repository: str, check: CheckRun, check_id: int | None = None) -> PostedCheckRun:
        """Create or update a check run. Without `checks`, set a commit status."""
        ...

    def find_check(self, repository: str, head_sha: str, name: str) -> int | None: ...

    def annotations_of(self, repository: str, check_id: int) -> int:
        """Return how many annotations a check run has; needed after a lost response, since each update adds more."""
        ...

    def failed_jobs(self, repository: str, head_sha: str) -> list[WorkflowJob]:
        """Return the failed jobs of the GitHub Actions runs of a commit: of the newest run of each workflow and event, in
        its latest attempt. Raises ForgeError with status 403 if the App may not read Actions."""
        ...

    def job_log(self, repository: str, job_id: int, most: int) -> str:
        """Return the last `most` bytes of a job's log as text. Raises ForgeError with status 404 or 410 if there is none (any
        more), and if it is too large or takes too long."""
        ...

    def dispatch_workflow(self, repository: str, file: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow (its file's name) of a branch. GitHub does not say which run that makes. Raises ForgeError with
        status 403, 404 or 422 if it certainly makes none."""
        ...

    def dispatched_runs(self, repository: str, file: str, since: datetime) -> list[WorkflowRun]:
        """Return the runs of a workflow that were started by a dispatch since then (UTC), oldest first, at most 100."""
        ...

    def workflow_run(self, repository: str, run_id: int) -> WorkflowRun: ...

    def cancel_workflow(self, repository: str, run_id: int) -> None:
        """Ask for a workflow run to be cancelled. Raises ForgeError with status 409 if it is completed."""
        ...

    def workflow_artifact(self, repository: str, run_id: int, name: str) -> bytes | None:
        """Return the content of the only file in a workflow run's artifact: None if there is no such artifact (any more), b"" if
        it is not one file, or a very large one."""
        ...

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
        """Return a file's bytes by the contents API; None if there is none."""
        ...
