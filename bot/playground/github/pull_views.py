"""JSON of pull requests, as GitHub's API and its webhooks show it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.playground.github import git, views
from bot.playground.github.access import author_association
from bot.playground.github.records import Pull, Repo, User
from bot.playground.github.state import State


def emit(state: State, action: str, pull: Pull, sender: User, **more: Any) -> None:
    """Send a `pull_request` webhook with `more` on the top level of its payload."""
    payload = {"action": action, "number": pull.number, "pull_request": full(state, pull), **more}
    state.emit("pull_request", pull.repo, payload, sender)


def simple(state: State, pull: Pull) -> dict[str, Any]:
    """Return a pull request as it appears in lists and reviews."""
    api = views.repo_api(state, pull.repo)
    url, page = f"{api}/pulls/{pull.number}", f"{state.url}/{pull.repo.full_name}/pull/{pull.number}"
    issue = f"{api}/issues/{pull.number}"
    links = {
        "url": url,
        "html_url": page,
        "issue_url": issue,
        "comments_url": f"{issue}/comments",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "commits_url": f"{url}/commits",
        "statuses_url": f"{api}/statuses/{pull.head_sha}",
    }
    short = {"url": "self", "html_url": "html"}
    return {
        **links,
        "id": pull.id,
        "node_id": f"PR_{pull.id}",
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": views.user(state, pull.author),
        "body": pull.body or None,
        "labels": [label(api, name) for name in pull.labels],
        "milestone": None,
        "created_at": views.timestamp(pull.created_at),
        "updated_at": views.timestamp(pull.updated_at),
        "closed_at": views.timestamp(pull.closed_at),
        "merged_at": views.timestamp(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _branch(state, pull.head_repo, pull.head_ref, pull.head_sha),
        "base": _branch(state, pull.repo, pull.base_ref, pull.base_sha),
        "_links": {short.get(key, key.removesuffix("_url")): {"href": to} for key, to in links.items()},
        "author_association": author_association(pull.repo, pull.author),
        "auto_merge": None,
        "active_lock_reason": None,
        "draft": pull.draft,
    }


def label(api: str, name: str) -> dict[str, Any]:
    """Return a label of a repository. api: the repository's URL."""
    number = int.from_bytes(name.encode()[:6], "big")
    return {
        "id": number,
        "node_id": f"LA_{number}",
        "url": f"{api}/labels/{quote(name, safe='')}",
        "name": name,
        "description": None,
        "color": "ededed",
        "default": False,
    }


def _branch(state: State, repo: Repo | None, ref: str, sha: str) -> dict[str, Any]:
    """Return the head or base of a pull request. `repo` is None if the fork was deleted."""
    return {
        "label": f"{repo.owner.login}:{ref}" if repo else f"unknown repository:{ref}",
        "ref": ref,
        "sha": sha,
        "user": views.user(state, repo.owner) if repo else None,
        "repo": views.repo(state, repo) if repo else None,
    }


def full(state: State, pull: Pull) -> dict[str, Any]:
    """Return a pull request as it appears on its own, with its size and mergeability."""
    path = pull.repo.path
    changed = git.changes(path, pull.base_sha, pull.head_sha)
    mergeable = None if pull.state == "closed" else pull.mergeable
    blocked = "draft" if pull.draft else "clean" if mergeable else "dirty"
    comments = [c for c in state.comments.values() if c.repo is pull.repo and c.number == pull.number]
    return {
        **simple(state, pull),
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": "unknown" if mergeable is None else blocked,
        "merged_by": views.user(state, pull.merged_by) if pull.merged_by else None,
        "comments": len(comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(git.log(path, pull.head_sha, f"^{pull.base_sha}")),
        "additions": sum(file.added for file in changed),
        "deletions": sum(file.deleted for file in changed),
        "changed_files": len(changed),
    }
