"""From GitHub's JSON to the values of the port, the same for webhooks and for answers."""

from __future__ import annotations

from typing import Any, Literal

from bot.domain.ports.forge import Comment, PullRequest, Repository, Review
from bot.github.fields import REPOSITORY, Fields

_REVIEWS: dict[str, Literal["approved", "changes_requested", "commented", "dismissed", "pending"]] = {
    "approved": "approved",
    "changes_requested": "changes_requested",
    "commented": "commented",
    "dismissed": "dismissed",
    "pending": "pending",
}


def name_of(repository: Fields) -> str:
    """`owner/name`, lower-cased, since GitHub's names are case-insensitive."""
    return repository.matching("full_name", REPOSITORY).lower()


def repository(data: Fields) -> Repository:
    return Repository(
        name=name_of(data),
        default_branch=data.text("default_branch"),
        clone_url=data.text("clone_url"),
        url=data.text("html_url"),
        private=data.flag("private"),
    )


def pull_request(data: Fields) -> PullRequest:
    """Reads both the full and the simple form; a deleted fork leaves `head_repository` empty."""
    head, base = data.fields("head"), data.fields("base")
    merged = data.has("merged_at")
    return PullRequest(
        repository=name_of(base.fields("repo")),
        number=data.number("number"),
        title=data.text("title"),
        author=data.login("user"),
        state="merged" if merged else "open" if data.text("state") == "open" else "closed",
        draft=data.flag("draft"),
        head_sha=head.sha("sha"),
        head_ref=head.text("ref"),
        head_repository=name_of(head.fields("repo")) if head.has("repo") else "",
        base_ref=base.text("ref"),
        base_sha=base.sha("sha"),
        url=data.text("html_url"),
        merge_sha=data.text("merge_commit_sha", "") if merged else "",
        closed_at=data.time("closed_at") if data.has("closed_at") else None,
        labels=tuple(label.text("name", "") for label in data.items("labels")),
        updated_at=data.time("updated_at") if data.has("updated_at") else None,
    )


def comment(data: Fields) -> Comment:
    return Comment(
        id=data.number("id"),
        node_id=data.text("node_id"),
        author=data.login("user"),
        body=data.text("body", ""),
        url=data.text("html_url"),
        created_at=data.time("created_at"),
    )


def review(data: Fields) -> Review:
    """A review whose state GitHub may add in the future counts as a comment: it neither approves nor refuses."""
    user: Any = data.fields("user").text("type", "User") if data.has("user") else "User"
    return Review(
        id=data.number("id"),
        author=data.login("user"),
        bot=user == "Bot",
        state=_REVIEWS.get(data.text("state").lower(), "commented"),
        commit=data.text("commit_id", ""),
        body=data.text("body", ""),
        submitted_at=data.time("submitted_at") if data.has("submitted_at") else None,
    )
