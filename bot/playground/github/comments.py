"""Comments of pull requests, and reactions to them."""

from __future__ import annotations

from typing import Any

from bot.playground.github import views
from bot.playground.github.access import Actor, role_of
from bot.playground.github.call import Call, Reply, Routes, invalid
from bot.playground.github.people import association
from bot.playground.github.records import Comment, Pull, Reaction, Repo, User
from bot.playground.github.state import ROLES, Refusal, State

BODY = 65536
"""GitHub: characters of a comment's body."""

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def comment(state: State, pull: Pull, actor: Actor, body: str) -> Comment:
    """Add a comment. Raises Refusal 422 for an empty or too long body."""
    author = actor.user
    if author is None:
        raise Refusal(401, "Requires authentication")
    _check(body)
    with state.change():
        now = state.now()
        made = Comment(state.next_id(), pull.repo, pull.number, author, body, now, now, app=actor.app)
        state.comments[made.id] = made
        _emit(state, "created", made, author)
    return made


def edit(state: State, one: Comment, actor: Actor, body: str) -> None:
    """Change a comment's text: its author, or a maintainer of the repository."""
    editor = _may_change(one, actor)
    _check(body)
    with state.change():
        before, one.body = one.body, body
        one.edits += before != body
        one.updated_at = state.now()
        _emit(state, "edited", one, editor, {"changes": {"body": {"from": before}}})


def delete(state: State, one: Comment, actor: Actor) -> None:
    user = _may_change(one, actor)
    with state.change():
        del state.comments[one.id]
        _emit(state, "deleted", one, user)


def react(state: State, one: Comment, user: User, content: str) -> tuple[Reaction, bool]:
    """Add a reaction, or find that it is there already; the second value says whether it is new."""
    if content not in CONTENTS:
        raise invalid("Reaction", "content", "invalid")
    for reaction in one.reactions:
        if reaction.user is user and reaction.content == content:
            return reaction, False
    with state.change():
        reaction = Reaction(state.next_id(), user, content, state.now())
        one.reactions.append(reaction)
    return reaction, True


def minimise(state: State, one: Comment, actor: Actor, classifier: str) -> None:
    _may_change(one, actor)
    with state.change():
        one.minimised = classifier


def find(state: State, repo: Repo, number: int) -> Comment:
    one = state.comments.get(number)
    if one is None or one.repo is not repo:
        raise Refusal(404, "Not Found")
    return one


def _check(body: str) -> None:
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    if len(body) > BODY:
        raise invalid("IssueComment", "body", "custom", f"body is too long (maximum is {BODY} characters)")


def _may_change(one: Comment, actor: Actor) -> User:
    if actor.user is None:
        raise Refusal(401, "Requires authentication")
    allowed = actor.user is one.author or (
        actor.app is None and ROLES.index(role_of(one.repo, actor.user)) >= ROLES.index("write")
    )
    if not allowed:
        raise Refusal(403, "Must have admin rights to Repository.")
    return actor.user


def _emit(state: State, action: str, one: Comment, sender: User, more: dict[str, Any] | None = None) -> None:
    pull = state.pull(one.repo, one.number)
    payload = {"action": action, "issue": issue(state, pull), "comment": view(state, one), **(more or {})}
    state.emit("issue_comment", one.repo, payload, sender)


def view(state: State, one: Comment) -> dict[str, Any]:
    api = views.repo_api(state, one.repo)
    page = f"{state.url}/{one.repo.full_name}/pull/{one.number}"
    return {
        "url": f"{api}/issues/comments/{one.id}",
        "html_url": f"{page}#issuecomment-{one.id}",
        "issue_url": f"{api}/issues/{one.number}",
        "id": one.id,
        "node_id": f"IC_{one.id}",
        "user": views.user(state, one.author),
        "created_at": views.stamp(one.created_at),
        "updated_at": views.stamp(one.updated_at),
        "author_association": association(one.repo, one.author),
        "body": one.body,
        "reactions": _rollup(one.reactions, f"{api}/issues/comments/{one.id}/reactions"),
        "performed_via_github_app": views.app(state, one.app) if one.app else None,
    }


def _rollup(reactions: list[Reaction], url: str) -> dict[str, Any]:
    counts = {content: sum(reaction.content == content for reaction in reactions) for content in CONTENTS}
    return {"url": url, "total_count": len(reactions), **counts}


def issue(state: State, pull: Pull) -> dict[str, Any]:
    """The issue that every pull request also is, as comments' webhooks carry it: without a head's commit."""
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
        "created_at": views.stamp(pull.created_at),
        "updated_at": views.stamp(pull.updated_at),
        "closed_at": views.stamp(pull.closed_at),
        "author_association": association(pull.repo, pull.author),
        "draft": pull.draft,
        "pull_request": {
            "url": f"{api}/pulls/{pull.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": views.stamp(pull.merged_at),
        },
        "body": pull.body,
        "reactions": _rollup([], f"{url}/reactions"),
    }


def _reaction(state: State, one: Reaction) -> dict[str, Any]:
    return {
        "id": one.id,
        "node_id": f"REA_{one.id}",
        "user": views.user(state, one.user),
        "content": one.content,
        "created_at": views.stamp(one.created_at),
    }


def _list(call: Call) -> Reply:
    pull = call.pull("issues:read")
    mine = [c for c in call.state.comments.values() if c.repo is pull.repo and c.number == pull.number]
    return call.page(mine, lambda one: view(call.state, one))


def _create(call: Call) -> Reply:
    pull = call.pull("issues:write")
    made = comment(call.state, pull, call.actor, call.text("body", of="IssueComment"))
    return Reply(view(call.state, made), 201)


def _one(call: Call, permission: str = "issues:read") -> Comment:
    return find(call.state, call.repo(permission), call.number("comment"))


def _edit(call: Call) -> Reply:
    one = _one(call, "issues:write")
    edit(call.state, one, call.actor, call.text("body", of="IssueComment"))
    return Reply(view(call.state, one))


def _delete(call: Call) -> Reply:
    delete(call.state, _one(call, "issues:write"), call.actor)
    return Reply(status=204)


def _react(call: Call) -> Reply:
    one = _one(call, "issues:write")
    reaction, new = react(call.state, one, call.user, call.text("content", of="Reaction"))
    return Reply(_reaction(call.state, reaction), 201 if new else 200)


def _reactions(call: Call) -> Reply:
    wanted = call.query.get("content")
    found = [r for r in _one(call).reactions if wanted in (None, r.content)]
    return call.page(found, lambda reaction: _reaction(call.state, reaction))


def _unreact(call: Call) -> Reply:
    one, number = _one(call, "issues:write"), call.number("reaction")
    for reaction in one.reactions:
        if reaction.id == number and reaction.user is call.user:
            with call.state.change():
                one.reactions.remove(reaction)
            return Reply(status=204)
    raise Refusal(404, "Not Found")


_AT = "/repos/{owner}/{repo}/issues"
ROUTES: Routes = [
    ("GET", _AT + "/comments/{comment}", lambda call: Reply(view(call.state, _one(call)))),
    ("PATCH", _AT + "/comments/{comment}", _edit),
    ("DELETE", _AT + "/comments/{comment}", _delete),
    ("GET", _AT + "/comments/{comment}/reactions", _reactions),
    ("POST", _AT + "/comments/{comment}/reactions", _react),
    ("DELETE", _AT + "/comments/{comment}/reactions/{reaction}", _unreact),
    ("GET", _AT + "/{number}/comments", _list),
    ("POST", _AT + "/{number}/comments", _create),
]
