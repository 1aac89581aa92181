"""GraphQL operations that have no REST equivalent. Errors come with status 200, as on GitHub."""

from __future__ import annotations

import re
from typing import Any

from bot.playground.github import git
from bot.playground.github.access import require
from bot.playground.github.call import Call, Reply
from bot.playground.github.comments import minimise
from bot.playground.github.commits import account_of_email
from bot.playground.github.records import Repo
from bot.playground.github.state import Refusal, State

_CLASSIFIERS = ("ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM")
_OBJECT = re.compile(r"(\w+): object\(oid: \$(\w+)\)")
_TRAILER = re.compile(r"^co-authored-by:.*<([^<>\s]+)>\s*$", re.IGNORECASE | re.MULTILINE)


def graphql(call: Call) -> Reply:
    """Answer the mutation minimizeComment and the query for authors and committers of commits."""
    call.user  # noqa: B018 - raises 401 for anonymous requests
    query, variables = call.text("query"), call.body.get("variables") or {}
    if "minimizeComment" in query:
        return _minimised(call, query, str(variables.get("id", "")))
    if _OBJECT.search(query):
        return _commits(call, query, variables)
    return _errors("undefinedField", "The stand-in supports minimizeComment and commits only", "query")


def _minimised(call: Call, query: str, node: str) -> Reply:
    classifier = next((word for word in _CLASSIFIERS if word in query), None)
    if classifier is None:
        return _errors("undefinedField", "No such classifier", "minimizeComment")
    number = node.removeprefix("IC_")
    comment = call.state.comments.get(int(number)) if number.isdecimal() else None
    if comment is None:
        what = f"Could not resolve to a node with the global id of '{node}'"
        return _errors("NOT_FOUND", what, "minimizeComment")
    try:
        require(call.actor, comment.repo, role="read", permission="issues:write")
        minimise(call.state, comment, call.actor, classifier)
    except Refusal as refusal:
        kind = "NOT_FOUND" if refusal.status == 404 else "FORBIDDEN"
        return _errors(kind, refusal.message, "minimizeComment")
    return Reply({"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})


def _commits(call: Call, query: str, variables: dict[str, Any]) -> Reply:
    name = f"{variables.get('owner')}/{variables.get('name')}"
    try:
        repo = call.state.repo(name)
        require(call.actor, repo, role="read", permission="contents:read")
    except Refusal:
        what = f"Could not resolve to a Repository with the name '{name}'."
        return _errors("NOT_FOUND", what, "repository")
    found = {key: _commit(call.state, repo, str(variables[of])) for key, of in _OBJECT.findall(query)}
    return Reply({"data": {"repository": found}})


def _commit(state: State, repo: Repo, oid: str) -> dict[str, Any] | None:
    """Return authors and committer: the git author first, then co-authors. None if there is no such commit."""
    sha = git.resolve(repo.path, oid)
    if sha is None:
        return None
    shown = git.run(repo.path, "log", "-1", "--format=%ae%n%ce%n%B", sha).decode()
    author, committer, message = shown.split("\n", 2)
    actors = [_actor(state, one) for one in dict.fromkeys([author, *_TRAILER.findall(message)])]
    return {"authors": {"nodes": actors}, "committer": _actor(state, committer)}


def _actor(state: State, email: str) -> dict[str, Any]:
    account = account_of_email(state, email)
    return {"user": {"login": account.login} if account else None}


def _errors(kind: str, message: str, path: str) -> Reply:
    return Reply({"data": None, "errors": [{"type": kind, "message": message, "path": [path]}]})
