"""Pull requests as the API and webhooks show them, and their routes."""

from __future__ import annotations

from typing import Any

from bot.playground.github import merging, plumbing, repos, reviews, views
from bot.playground.github.call import Call, Reply, Routes, invalid
from bot.playground.github.people import association
from bot.playground.github.records import Pull, Repo, User
from bot.playground.github.state import Refusal, State

MOST_COMMITS = 250
"""GitHub: the list of a pull request's commits has no more."""


def emit(state: State, action: str, pull: Pull, sender: User, more: dict[str, Any] | None = None) -> None:
    payload = {"action": action, "number": pull.number, "pull_request": full(state, pull), **(more or {})}
    state.emit("pull_request", pull.repo, payload, sender)


def simple(state: State, pull: Pull) -> dict[str, Any]:
    """A pull request as lists and reviews show it."""
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
        "labels": [],
        "milestone": None,
        "created_at": views.stamp(pull.created_at),
        "updated_at": views.stamp(pull.updated_at),
        "closed_at": views.stamp(pull.closed_at),
        "merged_at": views.stamp(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _end(state, pull.head_repo, pull.head_ref, pull.head_sha),
        "base": _end(state, pull.repo, pull.base_ref, pull.base_sha),
        "_links": {short.get(key, key.removesuffix("_url")): {"href": to} for key, to in links.items()},
        "author_association": association(pull.repo, pull.author),
        "auto_merge": None,
        "active_lock_reason": None,
        "draft": pull.draft,
    }


def _end(state: State, repo: Repo | None, ref: str, sha: str) -> dict[str, Any]:
    """One end of a pull request; `repo` is None where a fork was deleted."""
    return {
        "label": f"{repo.owner.login}:{ref}" if repo else f"unknown repository:{ref}",
        "ref": ref,
        "sha": sha,
        "user": views.user(state, repo.owner) if repo else None,
        "repo": views.repo(state, repo) if repo else None,
    }


def full(state: State, pull: Pull) -> dict[str, Any]:
    """A pull request by itself."""
    path = pull.repo.path
    changed = plumbing.changes(path, pull.base_sha, pull.head_sha)
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
        "commits": len(plumbing.log(path, pull.head_sha, f"^{pull.base_sha}")),
        "additions": sum(one[2] for one in changed),
        "deletions": sum(one[3] for one in changed),
        "changed_files": len(changed),
    }


def _list(call: Call) -> Reply:
    repo, query = call.repo("pull_requests:read"), call.query
    wanted = query.get("state", "open")
    mine = [
        pull
        for pull in reversed(call.state.pulls.values())
        if pull.repo is repo
        and wanted in ("all", pull.state)
        and query.get("base") in (None, pull.base_ref)
        and query.get("head")
        in (None, f"{pull.author.login}:{pull.head_ref}", f"{repo.owner.login}:{pull.head_ref}")
    ]
    return call.page(mine, lambda pull: simple(call.state, pull))


def _create(call: Call) -> Reply:
    repo = call.repo("pull_requests:write")
    owner, colon, branch = call.text("head", of="PullRequest").rpartition(":")
    head = next(
        (r for r in call.state.repos.values() if colon and r.parent is repo and r.owner.login == owner), repo
    )
    pull = merging.open_pull(
        call.state,
        repo,
        call.user,
        head_repo=head,
        head=branch,
        base=call.text("base", of="PullRequest"),
        title=call.text("title", of="PullRequest"),
        body=call.text("body", "", of="PullRequest"),
        draft=bool(call.body.get("draft")),
    )
    return Reply(full(call.state, pull), 201)


def _edit(call: Call) -> Reply:
    pull, state = call.pull("pull_requests:write"), call.state
    if pull.author is not call.user:
        call.repo("pull_requests:write", "triage")
    wanted = call.text("state", "", of="PullRequest")
    if wanted not in ("", "open", "closed"):
        raise invalid("PullRequest", "state", "invalid")
    if wanted == "closed" and pull.state == "open":
        merging.close(state, pull, call.user)
    elif wanted == "open" and pull.state == "closed":
        merging.reopen(state, pull, call.user)
    with state.change():
        pull.title = call.text("title", pull.title, of="PullRequest")
        pull.body = call.text("body", pull.body, of="PullRequest")
    return Reply(full(state, pull))


def _files(call: Call) -> Reply:
    pull = call.pull()
    changed = plumbing.changes(pull.repo.path, pull.base_sha, pull.head_sha)
    return call.page(changed, lambda one: repos.file_view(call.state, pull.repo, pull.head_sha, one))


def _commits(call: Call) -> Reply:
    pull = call.pull()
    mine = plumbing.log(pull.repo.path, pull.head_sha, f"^{pull.base_sha}")[:MOST_COMMITS]
    return call.page(mine, lambda one: repos.commit_view(call.state, pull.repo, one[0]))


def _merge(call: Call) -> Reply:
    pull = call.pull("contents:write", "write")
    if call.body.get("sha") not in (None, pull.head_sha):
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    sha = merging.merge(call.state, pull, call.user, call.text("merge_method", "merge", of="PullRequest"))
    return Reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _reviews(call: Call) -> Reply:
    pull = call.pull()
    mine = [one for one in call.state.reviews.values() if one.pull is pull]
    return call.page(mine, lambda one: reviews.view(call.state, one))


def _review(call: Call) -> Reply:
    pull = call.pull("pull_requests:write")
    words = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
    state = words.get(call.text("event", of="PullRequestReview"))
    if state is None:
        raise invalid("PullRequestReview", "event", "invalid")
    made = reviews.review(
        call.state, pull, call.user, state, call.text("body", ""), call.text("commit_id", pull.head_sha)
    )
    return Reply(reviews.view(call.state, made))


def _edit_review(call: Call) -> Reply:
    pull = call.pull("pull_requests:write")
    one = reviews.find(call.state, pull, call.number("review"))
    reviews.edit(call.state, one, call.user, call.text("body", of="PullRequestReview"))
    return Reply(reviews.view(call.state, one))


def _dismiss_review(call: Call) -> Reply:
    pull = call.pull("pull_requests:write", "write")
    one = reviews.find(call.state, pull, call.number("review"))
    reviews.dismiss(call.state, one, call.user, call.text("message", of="PullRequestReview"))
    return Reply(reviews.view(call.state, one))


_AT = "/repos/{owner}/{repo}/pulls"
ROUTES: Routes = [
    ("GET", _AT, _list),
    ("POST", _AT, _create),
    ("GET", _AT + "/{number}", lambda call: Reply(full(call.state, call.pull()))),
    ("PATCH", _AT + "/{number}", _edit),
    ("GET", _AT + "/{number}/files", _files),
    ("GET", _AT + "/{number}/commits", _commits),
    ("PUT", _AT + "/{number}/merge", _merge),
    ("GET", _AT + "/{number}/reviews", _reviews),
    ("POST", _AT + "/{number}/reviews", _review),
    ("PUT", _AT + "/{number}/reviews/{review}", _edit_review),
    ("PUT", _AT + "/{number}/reviews/{review}/dismissals", _dismiss_review),
]
