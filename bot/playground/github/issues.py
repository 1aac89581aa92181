"""Issues: opened, edited, closed and listed."""

from __future__ import annotations

from typing import Any

from bot.playground.github import comment_views
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.comments import BODY
from bot.playground.github.records import Issue, Pull, Repo
from bot.playground.github.state import Refusal

TITLE = 256
"""GitHub's limit of characters in a title."""
REASONS = ("completed", "not_planned", "duplicate", "reopened")


def _repo(call: Call, permission: str) -> Repo:
    repo = call.repo(permission)
    if not repo.has_issues:
        raise Refusal(410, "Issues has been disabled in this repository.")
    return repo


def _list(call: Call) -> Reply:
    """Pull requests are issues too, and listed with them, as on GitHub."""
    repo, query, state = _repo(call, "issues:read"), call.query, call.state
    wanted, creator = query.get("state", "open"), query.get("creator", "").lower()
    if wanted not in ("open", "closed", "all"):
        raise validation_failed("Issue", "state", "invalid")
    every: list[Issue | Pull] = [*state.issues.values(), *state.pulls.values()]
    found = [
        one
        for one in every
        if one.repo is repo and wanted in ("all", one.state) and creator in ("", one.author.login.lower())
    ]
    found.sort(key=lambda one: one.number, reverse=query.get("direction", "desc") == "desc")
    return call.page(found, lambda one: comment_views.issue(state, one))


def _create(call: Call) -> Reply:
    repo, state = _repo(call, "issues:write"), call.state
    title, body = _title(call.text("title", of="Issue")), _body(call.text("body", "", of="Issue"))
    with state.change():
        number, repo.next_number = repo.next_number, repo.next_number + 1
        now = state.now()
        one = Issue(state.next_id(), repo, number, title, body, call.user, now, now, app=call.actor.app)
        state.issues[repo.id, number] = one
    return Reply(_view(call, one), 201)


def _edit(call: Call) -> Reply:
    one = _one(call, "issues:write")
    if one.author is not call.user:
        call.repo("issues:write", "triage")
    wanted = call.text("state", one.state, of="Issue")
    reason = call.text("state_reason", "", of="Issue")
    if wanted not in ("open", "closed"):
        raise validation_failed("Issue", "state", "invalid")
    if reason not in ("", *REASONS):
        raise validation_failed("Issue", "state_reason", "invalid")
    title, body = (
        _title(call.text("title", one.title, of="Issue")),
        _body(call.text("body", one.body, of="Issue")),
    )
    with call.state.change():
        one.title, one.body, one.updated_at = title, body, call.state.now()
        if wanted != one.state:
            one.state = "closed" if wanted == "closed" else "open"
            one.closed_at = call.state.now() if wanted == "closed" else None
            one.closed_by = call.user if wanted == "closed" else None
            one.state_reason = reason or ("completed" if wanted == "closed" else "reopened")
    return Reply(_view(call, one))


def _one(call: Call, permission: str = "issues:read") -> Issue:
    one = call.state.issue(_repo(call, permission), call.number("number"))
    if isinstance(one, Pull):
        raise Refusal(404, "Not Found")  # this stand-in shows pull requests by their own routes
    return one


def _view(call: Call, one: Issue) -> dict[str, Any]:
    return comment_views.issue(call.state, one)


def _title(title: str) -> str:
    if not title.strip():
        raise validation_failed("Issue", "title", "missing_field")
    if len(title) > TITLE:
        raise validation_failed(
            "Issue", "title", "custom", f"title is too long (maximum is {TITLE} characters)"
        )
    return title


def _body(body: str) -> str:
    if len(body) > BODY:
        raise validation_failed("Issue", "body", "custom", f"body is too long (maximum is {BODY} characters)")
    return body


_PATH = "/repos/{owner}/{repo}/issues"
ROUTES: Routes = [
    ("GET", _PATH, _list),
    ("POST", _PATH, _create),
    ("GET", _PATH + "/{number}", lambda call: Reply(_view(call, _one(call)))),
    ("PATCH", _PATH + "/{number}", _edit),
]
