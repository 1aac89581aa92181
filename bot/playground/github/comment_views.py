"""JSON of comments, of reactions, and of pull requests as issues."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.access import author_association
from bot.playground.github.records import Comment, Issue, Pull, Reaction
from bot.playground.github.state import State

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
"""The reactions that GitHub knows."""


def comment(state: State, one: Comment) -> dict[str, Any]:
    """Return a comment."""
    api = views.repo_api(state, one.repo)
    kind = "pull" if (one.repo.id, one.number) in state.pulls else "issues"
    page = f"{state.url}/{one.repo.full_name}/{kind}/{one.number}"
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


def issue(state: State, one: Pull | Issue) -> dict[str, Any]:
    """Return an issue, or a pull request as one: without its commits."""
    api, kind = views.repo_api(state, one.repo), "pull" if isinstance(one, Pull) else "issues"
    url, page = f"{api}/issues/{one.number}", f"{state.url}/{one.repo.full_name}/{kind}/{one.number}"
    comments = [
        each for each in state.comments.values() if (each.repo, each.number) == (one.repo, one.number)
    ]
    return {
        "url": url,
        "repository_url": api,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "id": one.id,
        "node_id": f"PR_{one.id}" if isinstance(one, Pull) else f"I_{one.id}",
        "number": one.number,
        "title": one.title,
        "user": views.user(state, one.author),
        "labels": [],
        "state": one.state,
        "locked": False,
        "active_lock_reason": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(comments),
        "created_at": views.timestamp(one.created_at),
        "updated_at": views.timestamp(one.updated_at),
        "closed_at": views.timestamp(one.closed_at),
        "author_association": author_association(one.repo, one.author),
        "body": one.body,
        "reactions": _rollup([], f"{url}/reactions"),
        **(_as_pull(api, page, one) if isinstance(one, Pull) else _as_issue(state, one)),
    }


def _as_pull(api: str, page: str, pull: Pull) -> dict[str, Any]:
    links = {
        "url": f"{api}/pulls/{pull.number}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "merged_at": views.timestamp(pull.merged_at),
    }
    return {"draft": pull.draft, "pull_request": links}


def _as_issue(state: State, one: Issue) -> dict[str, Any]:
    return {
        "state_reason": one.state_reason,
        "performed_via_github_app": views.app(state, one.app) if one.app else None,
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
