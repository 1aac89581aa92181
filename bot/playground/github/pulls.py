"""API routes of pull requests."""

from __future__ import annotations

from bot.playground.github import commits, git, merges, pull_lifecycle, reviews
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.pull_views import full, simple
from bot.playground.github.state import Refusal

MOST_COMMITS = 250
"""GitHub lists no more commits of a pull request."""


def _list(call: Call) -> Reply:
    repo, query = call.repo("pull_requests:read"), call.query
    state = query.get("state", "open")
    listed = [
        pull
        for pull in reversed(call.state.pulls.values())
        if pull.repo is repo
        and state in ("all", pull.state)
        and query.get("base") in (None, pull.base_ref)
        and query.get("head")
        in (None, f"{pull.author.login}:{pull.head_ref}", f"{repo.owner.login}:{pull.head_ref}")
    ]
    return call.page(listed, lambda pull: simple(call.state, pull))


def _create(call: Call) -> Reply:
    repo = call.repo("pull_requests:write")
    owner, colon, branch = call.text("head", of="PullRequest").rpartition(":")
    head = next(
        (r for r in call.state.repos.values() if colon and r.parent is repo and r.owner.login == owner), repo
    )
    new = pull_lifecycle.NewPull(
        title=call.text("title", of="PullRequest"),
        head=branch,
        base=call.text("base", of="PullRequest"),
        body=call.text("body", "", of="PullRequest"),
        draft=bool(call.body.get("draft")),
        head_repo=head,
    )
    pull = pull_lifecycle.open_pull(call.state, repo, call.user, new)
    return Reply(full(call.state, pull), 201)


def _edit(call: Call) -> Reply:
    pull, state = call.pull("pull_requests:write"), call.state
    if pull.author is not call.user:
        call.repo("pull_requests:write", "triage")
    wanted = call.text("state", "", of="PullRequest")
    if wanted not in ("", "open", "closed"):
        raise validation_failed("PullRequest", "state", "invalid")
    if wanted == "closed" and pull.state == "open":
        pull_lifecycle.close(state, pull, call.user)
    elif wanted == "open" and pull.state == "closed":
        pull_lifecycle.reopen(state, pull, call.user)
    with state.change():
        pull.title = call.text("title", pull.title, of="PullRequest")
        pull.body = call.text("body", pull.body, of="PullRequest")
    return Reply(full(state, pull))


def _files(call: Call) -> Reply:
    pull = call.pull()
    changed = git.changes(pull.repo.path, pull.base_sha, pull.head_sha)
    return call.page(changed, lambda one: commits.file_view(call.state, pull.repo, pull.head_sha, one))


def _commits(call: Call) -> Reply:
    pull = call.pull()
    listed = git.log(pull.repo.path, pull.head_sha, f"^{pull.base_sha}")[:MOST_COMMITS]
    return call.page(listed, lambda one: commits.commit_view(call.state, pull.repo, one.sha))


def _merge(call: Call) -> Reply:
    pull = call.pull("contents:write", "write")
    if call.body.get("sha") not in (None, pull.head_sha):
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    sha = merges.merge(call.state, pull, call.user, call.text("merge_method", "merge", of="PullRequest"))
    return Reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _of_commit(call: Call) -> Reply:
    repo, sha = call.repo("pull_requests:read"), call.path["sha"]
    listed = [pull for pull in call.state.pulls.values() if pull.repo is repo and sha in pull.shas]
    return call.page(listed, lambda pull: simple(call.state, pull))


def _reviews(call: Call) -> Reply:
    pull = call.pull()
    listed = [one for one in call.state.reviews.values() if one.pull is pull]
    return call.page(listed, lambda one: reviews.view(call.state, one))


def _review(call: Call) -> Reply:
    pull = call.pull("pull_requests:write")
    states = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
    state = states.get(call.text("event", of="PullRequestReview"))
    if state is None:
        raise validation_failed("PullRequestReview", "event", "invalid")
    review = reviews.submit(
        call.state, pull, call.user, state, call.text("body", ""), call.text("commit_id", pull.head_sha)
    )
    return Reply(reviews.view(call.state, review))


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


_PATH = "/repos/{owner}/{repo}/pulls"
ROUTES: Routes = [
    ("GET", _PATH, _list),
    ("GET", "/repos/{owner}/{repo}/commits/{sha}/pulls", _of_commit),
    ("POST", _PATH, _create),
    ("GET", _PATH + "/{number}", lambda call: Reply(full(call.state, call.pull()))),
    ("PATCH", _PATH + "/{number}", _edit),
    ("GET", _PATH + "/{number}/files", _files),
    ("GET", _PATH + "/{number}/commits", _commits),
    ("PUT", _PATH + "/{number}/merge", _merge),
    ("GET", _PATH + "/{number}/reviews", _reviews),
    ("POST", _PATH + "/{number}/reviews", _review),
    ("PUT", _PATH + "/{number}/reviews/{review}", _edit_review),
    ("PUT", _PATH + "/{number}/reviews/{review}/dismissals", _dismiss_review),
]
