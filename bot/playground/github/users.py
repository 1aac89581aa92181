"""API routes of users, Apps, installations and permissions."""

from __future__ import annotations

from typing import Any

from bot.playground.github import access, views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.records import App, Repo
from bot.playground.github.state import ROLES, Refusal, State

_FOLDED = {"maintain": "write", "triage": "read"}
"""Roles that the older field `permission` does not have, and what it shows instead."""


def permission(state: State, repo: Repo, login: str) -> dict[str, Any]:
    """Return the JSON of a collaborator's permission. Raises Refusal 404 for an unknown user."""
    user = state.user(login)
    role = access.role_of(repo, user)
    folded = _FOLDED.get(role, role)
    named = repo.custom_roles.get(login.lower(), role)
    levels = ("admin", "maintain", "push", "triage", "pull")
    needs = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    rank = ROLES.index(role)
    allowed = {level: rank >= ROLES.index(needs[level]) for level in levels}
    return {
        "permission": folded,
        "role_name": named,
        "user": {**views.user(state, user), "permissions": allowed, "role_name": named},
    }


def _permission(call: Call) -> Reply:
    repo = call.repo("metadata:read", "read")
    return Reply(permission(call.state, repo, call.path["login"]))


def _installation(call: Call) -> Reply:
    repo = call.state.repo(f"{call.path['owner']}/{call.path['repo']}")
    if not access.installation_covers(call.app, repo):
        raise Refusal(404, "Not Found")
    return Reply(views.installation(call.state, call.app))


def _installations(call: Call) -> Reply:
    return call.page([call.app], lambda app: views.installation(call.state, app))


def _token(call: Call) -> Reply:
    app: App = call.app
    if call.number("installation") != app.installation_id:
        raise Refusal(404, "Not Found")
    if app.suspended_at:
        raise Refusal(403, "This installation has been suspended")
    chosen = _chosen(call, app)
    value, token = access.issue_token(call.state, app, call.body.get("permissions") or None, chosen)
    data: dict[str, Any] = {
        "token": value,
        "expires_at": views.timestamp(token.expires_at),
        "permissions": token.permissions,
        "repository_selection": "selected" if app.repositories or chosen is not None else "all",
    }
    if chosen is not None:
        data["repositories"] = [views.repo(call.state, repo) for repo in chosen]
    return Reply(data, 201)


def _chosen(call: Call, app: App) -> list[Repo] | None:
    """Return the repositories that a token is asked for, by name or id; None for all. Raises Refusal 422."""
    names, ids = call.body.get("repositories"), call.body.get("repository_ids")
    if names is None and ids is None:
        return None
    wanted = {*(f"{app.account.login}/{name}".lower() for name in names or ()), *(ids or ())}
    found = [repo for name, repo in call.state.repos.items() if name in wanted or repo.id in wanted]
    if len(found) != len(wanted):
        raise Refusal(422, access.OUTSIDE)
    return found


def _installation_repos(call: Call) -> Reply:
    app = call.actor.app
    if app is None or call.actor.is_app_itself:
        raise Refusal(403, "You must authenticate with an installation access token")
    listed = [repo for repo in call.state.repos.values() if call.actor.covers(repo)]
    return call.page(listed, lambda repo: views.repo(call.state, repo), key="repositories")


def _current_user(call: Call) -> Reply:
    if call.actor.app:
        raise Refusal(403, "Resource not accessible by integration")
    return Reply(views.account(call.state, call.user))


def _user_repos(call: Call) -> Reply:
    if call.actor.app:
        raise Refusal(403, "Resource not accessible by integration")
    login = call.user.login.lower()
    listed = [r for r in call.state.repos.values() if r.owner is call.user or login in r.roles]
    return call.page(listed, lambda repo: views.repo(call.state, repo))


def _rate_limit(call: Call) -> Reply:
    limit = {"limit": 5000, "used": 0, "remaining": 5000, "reset": int(call.state.now().timestamp()) + 3600}
    return Reply({"resources": {"core": limit, "search": limit, "graphql": limit}, "rate": limit})


ROUTES: Routes = [
    ("GET", "/user", _current_user),
    ("GET", "/user/repos", _user_repos),
    (
        "GET",
        "/users/{login}",
        lambda call: Reply(views.account(call.state, call.state.user(call.path["login"]))),
    ),
    ("GET", "/app", lambda call: Reply(views.app(call.state, call.app))),
    ("GET", "/app/installations", _installations),
    ("POST", "/app/installations/{installation}/access_tokens", _token),
    ("GET", "/installation/repositories", _installation_repos),
    ("GET", "/repos/{owner}/{repo}/installation", _installation),
    ("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", _permission),
    ("GET", "/rate_limit", _rate_limit),
]
