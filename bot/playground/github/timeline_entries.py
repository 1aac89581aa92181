"""Entries of a pull request's timeline, one type for each kind."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from bot.playground.github.records import EventKind


class _Entry(TypedDict):
    """What all entries have. at: ISO 8601, UTC."""

    id: int
    at: str
    actor: str


class OpenedEntry(_Entry):
    kind: Literal["opened"]
    number: int
    title: str
    body: str
    head: str
    base: str
    from_fork: bool


class EventEntry(_Entry):
    """kind: closed, reopened, merged, converted_to_draft, ready_for_review or labeled. detail: the merge commit, or the label."""

    kind: EventKind
    detail: str


class CommitTitle(TypedDict):
    sha: str
    title: str


class CommitsEntry(_Entry):
    """A push. head: its latest commit."""

    kind: Literal["commits"]
    head: str
    forced: bool
    commits: list[CommitTitle]


class CommentEntry(_Entry):
    """minimised: the reason, if the comment is hidden. reactions: content to logins."""

    kind: Literal["comment"]
    bot: bool
    body: str
    edits: int
    edited_at: str | None
    minimised: str
    reactions: dict[str, list[str]]


class ReviewEntry(_Entry):
    kind: Literal["review"]
    state: str
    body: str
    commit: str


class CheckEntry(_Entry):
    kind: Literal["check"]
    name: str
    commit: str
    status: str
    conclusion: str | None
    title: str
    summary: str
    text: str
    url: str
    actions: list[dict[str, str]]
    annotations: list[dict[str, Any]]


class StatusEntry(_Entry):
    """A commit status."""

    kind: Literal["status"]
    name: str
    commit: str
    state: str
    description: str
    url: str


class DeploymentStatus(TypedDict):
    state: str
    description: str
    log_url: str
    environment_url: str
    at: str


class DeploymentEntry(_Entry):
    """state: the latest of `states`."""

    kind: Literal["deployment"]
    environment: str
    commit: str
    state: str
    states: list[DeploymentStatus]


Entry = (
    OpenedEntry
    | EventEntry
    | CommitsEntry
    | CommentEntry
    | ReviewEntry
    | CheckEntry
    | StatusEntry
    | DeploymentEntry
)
