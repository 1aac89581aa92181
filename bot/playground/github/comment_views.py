"""JSON of comments, of reactions, and of pull requests as issues."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.access import author_association
from bot.playground.github.records import Comment, Pull, Reaction
from bot.playground.github.state import State

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
"""The reactions that GitHub knows."""


def comment(state: State, one: Comment) -> dict[str, Any]:
    """Return a comment."""
    api = views.repo_api(state, one.repo)
    page = f"{state.url}/{one.repo.full_name}/pull/{one.number}"
    return {
        "url": f"{api}/issues/comments/{one.id}",
        "html_url": f"{page}#issuecomment-{one.id}",
        "issue_url": f"{api}/issues/{one.number}",
        "id": one.id,
        "node_id": f"IC_{one.id}",
        "user": views.user(state, one.author),
        "created_at": views.timestamp(one.created_at),
        "updated_at": views.timestamp(one.updated_at),
        "author_association": author_association(one.repo, one.author),
        "body": one.body,
        "reactions": _rollup(one.reactions, f"{api}/issues/comments/{one.id}/reactions"),
        "performed_via_github_app": views.app(state, one.app) if one.app else None,
    }


def _rollup(reactions: list[Reaction], url: str) -> dict[str, Any]:
    counts = {content: sum(one.content == content for one in reactions) for content in CONTENTS}
    return {"url": url, "total_count": len(reactions), **counts}


def issue(state: State, pull: Pull) -> dict[str, Any]:
    """Return a pull request as an issue, as webhooks of comments carry it: without its commits."""
    api = views.repo_api(state, pull.repo)
    url, page = f"{api}/issues/{pull.number}", f"{state.url}/{pull.repo.full_name}/pull/{pull.number}"
    comments = [one for one in state.comments.values() if one.repo is pull.repo and one.number == pull.number]
    return {
        "url": url,
        "repository_url": api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "id": pull.id,
        "node_id": f"PR_{pull.id}",
        "number": pull.number,
        "title": pull.title,
        "user": views.user(state, pull.author),
        "labels": [],
        "state": pull.state,
        "locked": False,
        "active_lock_reason": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(comments),
        "created_at": views.timestamp(pull.created_at),
        "updated_at": views.timestamp(pull.updated_at),
        "closed_at": views.timestamp(pull.closed_at),
        "author_association": author_association(pull.repo, pull.author),
        "draft": pull.draft,
        "pull_request": {
            "url": f"{api}/pulls/{pull.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": views.timestamp(pull.merged_at),
        },
        "body": pull.body,
        "reactions": _rollup([], f"{url}/reactions"),
    }


def reaction(state: State, one: Reaction) -> dict[str, Any]:
    """Return a reaction."""
    return {
        "id": one.id,
        "node_id": f"REA_{one.id}",
        "user": views.user(state, one.user),
        "content": one.content,
        "created_at": views.timestamp(one.created_at),
    }
