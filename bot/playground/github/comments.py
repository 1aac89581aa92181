"""Comments on pull requests and issues, and reactions to them."""

from __future__ import annotations

from typing import Any

from bot.playground.github import comment_views
from bot.playground.github.access import Actor, role_of
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.records import Comment, Issue, Pull, Reaction, Repo, User
from bot.playground.github.state import ROLES, Refusal, State

BODY = 65536
"""GitHub's limit of characters in a comment."""


def create(state: State, pull: Pull | Issue, actor: Actor, body: str) -> Comment:
    """Post a comment. Raises Refusal 422 if the body is empty or too long."""
    author = actor.user
    if author is None:
        raise Refusal(401, "Requires authentication")
    _validate(body)
    with state.change():
        now = state.now()
        comment = Comment(state.next_id(), pull.repo, pull.number, author, body, now, now, app=actor.app)
        pull.updated_at = now
        state.comments[comment.id] = comment
        _emit(state, "created", comment, author)
    return comment


def edit(state: State, one: Comment, actor: Actor, body: str) -> None:
    """Edit a comment, which its author and users with write access may do. Raises Refusal 403 and 422."""
    editor = _may_change(one, actor)
    _validate(body)
    with state.change():
        before, one.body = one.body, body
        one.edits += before != body
        one.updated_at = state.now()
        _emit(state, "edited", one, editor, {"changes": {"body": {"from": before}}})


def delete(state: State, one: Comment, actor: Actor) -> None:
    """Delete a comment. Raises Refusal 403 as `edit` does."""
    user = _may_change(one, actor)
    with state.change():
        del state.comments[one.id]
        _emit(state, "deleted", one, user)


def react(state: State, one: Comment, user: User, content: str) -> tuple[Reaction, bool]:
    """Add a reaction. Returns it, and whether it is new."""
    if content not in comment_views.CONTENTS:
        raise validation_failed("Reaction", "content", "invalid")
    for reaction in one.reactions:
        if reaction.user is user and reaction.content == content:
            return reaction, False
    with state.change():
        reaction = Reaction(state.next_id(), user, content, state.now())
        one.reactions.append(reaction)
    return reaction, True


def minimise(state: State, one: Comment, actor: Actor, classifier: str) -> None:
    """Hide a comment for a reason such as OUTDATED. Raises Refusal 403 as `edit` does."""
    _may_change(one, actor)
    with state.change():
        one.minimised = classifier


def find(state: State, repo: Repo, number: int) -> Comment:
    """Return a comment of this repository. Raises Refusal 404."""
    one = state.comments.get(number)
    if one is None or one.repo is not repo:
        raise Refusal(404, "Not Found")
    return one


def _validate(body: str) -> None:
    if not body.strip():
        raise validation_failed("IssueComment", "body", "missing_field")
    if len(body) > BODY:
        raise validation_failed(
            "IssueComment", "body", "custom", f"body is too long (maximum is {BODY} characters)"
        )


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
    pull = state.issue(one.repo, one.number)
    payload = {
        "action": action,
        "issue": comment_views.issue(state, pull),
        "comment": comment_views.comment(state, one),
        **(more or {}),
    }
    state.emit("issue_comment", one.repo, payload, sender)


def _list(call: Call) -> Reply:
    pull = call.state.issue(call.repo("issues:read"), call.number("number"))
    listed = [c for c in call.state.comments.values() if c.repo is pull.repo and c.number == pull.number]
    return call.page(listed, lambda one: comment_views.comment(call.state, one))


def _create(call: Call) -> Reply:
    pull = call.state.issue(call.repo("issues:write"), call.number("number"))
    comment = create(call.state, pull, call.actor, call.text("body", of="IssueComment"))
    return Reply(comment_views.comment(call.state, comment), 201)


def _one(call: Call, permission: str = "issues:read") -> Comment:
    return find(call.state, call.repo(permission), call.number("comment"))


def _edit(call: Call) -> Reply:
    one = _one(call, "issues:write")
    edit(call.state, one, call.actor, call.text("body", of="IssueComment"))
    return Reply(comment_views.comment(call.state, one))


def _delete(call: Call) -> Reply:
    delete(call.state, _one(call, "issues:write"), call.actor)
    return Reply(status=204)


def _react(call: Call) -> Reply:
    one = _one(call, "issues:write")
    reaction, new = react(call.state, one, call.user, call.text("content", of="Reaction"))
    return Reply(comment_views.reaction(call.state, reaction), 201 if new else 200)


def _reactions(call: Call) -> Reply:
    content = call.query.get("content")
    found = [r for r in _one(call).reactions if content in (None, r.content)]
    return call.page(found, lambda reaction: comment_views.reaction(call.state, reaction))


def _unreact(call: Call) -> Reply:
    one, number = _one(call, "issues:write"), call.number("reaction")
    for reaction in one.reactions:
        if reaction.id == number and reaction.user is call.user:
            with call.state.change():
                one.reactions.remove(reaction)
            return Reply(status=204)
    raise Refusal(404, "Not Found")


_PATH = "/repos/{owner}/{repo}/issues"
ROUTES: Routes = [
    ("GET", _PATH + "/comments/{comment}", lambda call: Reply(comment_views.comment(call.state, _one(call)))),
    ("PATCH", _PATH + "/comments/{comment}", _edit),
    ("DELETE", _PATH + "/comments/{comment}", _delete),
    ("GET", _PATH + "/comments/{comment}/reactions", _reactions),
    ("POST", _PATH + "/comments/{comment}/reactions", _react),
    ("DELETE", _PATH + "/comments/{comment}/reactions/{reaction}", _unreact),
    ("GET", _PATH + "/{number}/comments", _list),
    ("POST", _PATH + "/{number}/comments", _create),
]
