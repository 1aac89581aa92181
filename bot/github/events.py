"""What GitHub's webhooks say, as small values. Everything that the bot does not act on is None."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.ports.forge import PullRequest, Repository, Review
from bot.github import values
from bot.github.fields import LOGIN, Fields, Malformed

__all__ = [
    "CheckRunEvent",
    "CommentEvent",
    "Event",
    "InstallationEvent",
    "Malformed",
    "MergeGroupEvent",
    "PullRequestEvent",
    "PushEvent",
    "ReviewEvent",
    "read",
]


@dataclass(frozen=True)
class PullRequestEvent:
    """`before` is the head before a synchronize, else empty. `sender_type` is User, Bot or Organization."""

    action: str
    repository: Repository
    pull: PullRequest
    sender: str
    sender_type: str
    before: str = ""

    @property
    def number(self) -> int:
        return self.pull.number

    @property
    def head_sha(self) -> str:
        return self.pull.head_sha


@dataclass(frozen=True)
class CommentEvent:
    """A comment on a pull request or an issue. `sender` did the action (an editor need not be the author)."""

    action: str
    repository: Repository
    number: int
    comment_id: int
    node_id: str
    body: str
    url: str
    author: str
    author_type: str
    sender: str
    created_at: datetime
    is_pull_request: bool


@dataclass(frozen=True)
class ReviewEvent:
    action: str
    repository: Repository
    pull: PullRequest
    review: Review
    sender: str


@dataclass(frozen=True)
class PushEvent:
    """`ref` is the full one (refs/heads/main); `after` is all zeros where it was deleted, `before` where it is new.

    pusher: empty where it is no login (a deploy key's). commits: those that no branch had before; GitHub lists 2,048.
    """

    repository: Repository
    ref: str
    before: str
    after: str
    sender: str
    pusher: str = ""
    commits: tuple[str, ...] = ()

    @property
    def deleted(self) -> bool:
        return not self.after.strip("0")


@dataclass(frozen=True)
class CheckRunEvent:
    """A click on a check: `requested_action` with its `identifier`, or `rerequested` (identifier empty)."""

    action: str
    repository: Repository
    check_id: int
    name: str
    head_sha: str
    external_id: str
    identifier: str
    pulls: tuple[int, ...]
    sender: str


@dataclass(frozen=True)
class MergeGroupEvent:
    """The merge queue asks for checks on `head_sha`, where it tries pull request `number` (0 where its branch does not
    say) on top of `base_sha`: the base branch's commit, or the group's ahead of it."""

    action: str
    repository: Repository
    head_sha: str
    base_ref: str
    sender: str
    number: int = 0
    base_sha: str = ""


@dataclass(frozen=True)
class InstallationEvent:
    """The App came to or left repositories (`owner/name`, lower-cased)."""

    action: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    sender: str


Event = (
    PullRequestEvent
    | CommentEvent
    | ReviewEvent
    | PushEvent
    | CheckRunEvent
    | MergeGroupEvent
    | InstallationEvent
)


def _pull_request(data: Fields) -> Event:
    return PullRequestEvent(
        action=data.text("action"),
        repository=values.repository(data.fields("repository")),
        pull=values.pull_request(data.fields("pull_request")),
        sender=data.login("sender"),
        sender_type=data.fields("sender").text("type"),
        before=data.text("before", ""),
    )


def _comment(data: Fields) -> Event:
    issue, comment = data.fields("issue"), values.comment(data.fields("comment"))
    user = data.fields("comment")
    return CommentEvent(
        action=data.text("action"),
        repository=values.repository(data.fields("repository")),
        number=issue.number("number"),
        comment_id=comment.id,
        node_id=comment.node_id,
        body=comment.body,
        url=comment.url,
        author=comment.author,
        author_type=user.fields("user").text("type") if user.has("user") else "User",
        sender=data.login("sender"),
        created_at=comment.created_at,
        is_pull_request=issue.has("pull_request"),
    )


def _review(data: Fields) -> Event:
    return ReviewEvent(
        action=data.text("action"),
        repository=values.repository(data.fields("repository")),
        pull=values.pull_request(data.fields("pull_request")),
        review=values.review(data.fields("review")),
        sender=data.login("sender"),
    )


def _push(data: Fields) -> Event:
    return PushEvent(
        repository=values.repository(data.fields("repository")),
        ref=data.text("ref"),
        before=data.sha("before"),
        after=data.sha("after"),
        sender=data.login("sender"),
        pusher=_pusher(data),
        commits=tuple(dict.fromkeys(_unseen(data))),
    )


def _unseen(data: Fields) -> Iterator[str]:
    heads = [data.fields("head_commit")] if data.has("head_commit") else []
    for commit in (*heads, *data.items("commits")):
        if commit.flag("distinct") or not commit.has("distinct"):
            yield commit.sha("id")


def _pusher(data: Fields) -> str:
    name = data.fields("pusher").text("name", "") if data.has("pusher") else ""
    return name if LOGIN.fullmatch(name) else ""


def _check_run(data: Fields) -> Event:
    check = data.fields("check_run")
    asked = data.has("requested_action")
    return CheckRunEvent(
        action=data.text("action"),
        repository=values.repository(data.fields("repository")),
        check_id=check.number("id"),
        name=check.text("name"),
        head_sha=check.sha("head_sha"),
        external_id=check.text("external_id", ""),
        identifier=data.fields("requested_action").text("identifier", "") if asked else "",
        pulls=tuple(pull.number("number") for pull in check.items("pull_requests")),
        sender=data.login("sender"),
    )


_GROUP = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-([1-9][0-9]{0,17})-[0-9a-f]{40,64}")
"""GitHub: a merge group's branch, named by the last of its pull requests."""


def _merge_group(data: Fields) -> Event:
    group = data.fields("merge_group")
    last = _GROUP.fullmatch(group.text("head_ref", ""))
    return MergeGroupEvent(
        action=data.text("action"),
        repository=values.repository(data.fields("repository")),
        head_sha=group.sha("head_sha"),
        base_ref=group.text("base_ref"),
        sender=data.login("sender"),
        number=int(last[1]) if last else 0,
        base_sha=group.sha("base_sha") if group.has("base_sha") else "",
    )


def _installation(data: Fields) -> Event:
    action = data.text("action")
    gone = action in ("deleted", "suspend")
    names = tuple(values.name_of(item) for item in data.items("repositories"))
    return InstallationEvent(
        action, added=() if gone else names, removed=names if gone else (), sender=data.login("sender")
    )


def _installation_repositories(data: Fields) -> Event:
    return InstallationEvent(
        action=data.text("action"),
        added=tuple(values.name_of(item) for item in data.items("repositories_added")),
        removed=tuple(values.name_of(item) for item in data.items("repositories_removed")),
        sender=data.login("sender"),
    )


_READERS: dict[str, tuple[frozenset[str], Callable[[Fields], Event]]] = {
    "pull_request": (
        frozenset(
            [
                "opened",
                "reopened",
                "synchronize",
                "closed",
                "edited",
                "ready_for_review",
                "converted_to_draft",
                "labeled",
            ]
        ),
        _pull_request,
    ),
    "issue_comment": (frozenset(["created", "edited", "deleted"]), _comment),
    "pull_request_review": (frozenset(["submitted", "edited", "dismissed"]), _review),
    "push": (frozenset(), _push),
    "check_run": (frozenset(["requested_action", "rerequested"]), _check_run),
    "merge_group": (frozenset(["checks_requested"]), _merge_group),
    "installation": (frozenset(["created", "deleted", "suspend", "unsuspend"]), _installation),
    "installation_repositories": (frozenset(["added", "removed"]), _installation_repositories),
}


def read(event_name: str, payload: Any) -> Event | None:
    """The event of X-GitHub-Event `event_name` and its decoded JSON; None where the bot does not act on it.

    Raises Malformed for a payload that is not what its name says, and nothing else.
    """
    if event_name not in _READERS:
        return None
    actions, reader = _READERS[event_name]
    data = Fields(payload)
    if actions and data.text("action") not in actions:
        return None
    return reader(data)
