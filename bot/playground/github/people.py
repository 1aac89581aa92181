"""Users, Apps and their tokens, and who may do what in a repository."""

from __future__ import annotations

from typing import Any

from bot.playground.github import access, views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.records import App, Repo, User
from bot.playground.github.state import ROLES, Refusal, State

_FOLDED = {"maintain": "write", "triage": "read"}
"""GitHub: the older `permission` knows no maintain and no triage."""


def association(repo: Repo, user: User) -> str:
    """GitHub's word for what somebody is to a repository."""
    if user is repo.owner:
        return "OWNER"
    if repo.roles.get(user.login.lower(), "none") == "none":
        return "NONE"
    return "MEMBER" if repo.owner.type == "Organization" else "COLLABORATOR"


def permission(state: State, repo: Repo, login: str) -> dict[str, Any]:
    """What GET …/collaborators/{login}/permission answers. Raises Refusal 404 for an unknown user."""
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
    if not access.reaches(call.app, repo):
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
    value, token = access.issue(call.state, app)
    data = {
        "token": value,
        "expires_at": views.stamp(token.expires_at),
        "permissions": app.permissions,
        "repository_selection": "selected" if app.repositories else "all",
    }
    return Reply(data, 201)


def _reached(call: Call) -> Reply:
    app = call.actor.app
    if app is None or call.actor.is_app_itself:
        raise Refusal(403, "You must authenticate with an installation access token")
    mine = [repo for repo in call.state.repos.values() if access.reaches(app, repo)]
    return call.page(mine, lambda repo: views.repo(call.state, repo), key="repositories")


def _me(call: Call) -> Reply:
    if call.actor.app:
        raise Refusal(403, "Resource not accessible by integration")
    return Reply(views.account(call.state, call.user))


def _my_repos(call: Call) -> Reply:
    if call.actor.app:
        raise Refusal(403, "Resource not accessible by integration")
    login = call.user.login.lower()
    mine = [r for r in call.state.repos.values() if r.owner is call.user or login in r.roles]
    return call.page(mine, lambda repo: views.repo(call.state, repo))


def _limits(call: Call) -> Reply:
    limit = {"limit": 5000, "used": 0, "remaining": 5000, "reset": int(call.state.now().timestamp()) + 3600}
    return Reply({"resources": {"core": limit, "search": limit, "graphql": limit}, "rate": limit})


ROUTES: Routes = [
    ("GET", "/user", _me),
    ("GET", "/user/repos", _my_repos),
    (
        "GET",
        "/users/{login}",
        lambda call: Reply(views.account(call.state, call.state.user(call.path["login"]))),
    ),
    ("GET", "/app", lambda call: Reply(views.app(call.state, call.app))),
    ("GET", "/app/installations", _installations),
    ("POST", "/app/installations/{installation}/access_tokens", _token),
    ("GET", "/installation/repositories", _reached),
    ("GET", "/repos/{owner}/{repo}/installation", _installation),
    ("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", _permission),
    ("GET", "/rate_limit", _limits),
]
