"""Authentication and permissions: tokens, the App's JWT, roles."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import jwt

from bot.playground.github.records import App, InstallationToken, Repo, User
from bot.playground.github.state import ROLES, Refusal, State

LEVELS = ("none", "read", "write")
OUTSIDE = (
    "There is at least one repository that does not exist or is not accessible to the parent installation."
)


@dataclass(frozen=True)
class Actor:
    """Who sends a request: a user, an App's installation (`app`, its bot as `user`, and the `token`), an App alone, or
    nobody."""

    user: User | None = None
    app: App | None = None
    token: InstallationToken | None = None

    @property
    def is_app_itself(self) -> bool:
        """Whether an App authenticated with its JWT rather than an installation token."""
        return self.app is not None and self.user is None

    def granted(self, permission: str) -> str:
        """Return an installation token's level of a permission, which also ends when the App loses it."""
        if self.app is None or self.token is None:
            return "none"
        levels = (one.get(permission, "none") for one in (self.app.permissions, self.token.permissions))
        return min(levels, key=LEVELS.index)

    def covers(self, repo: Repo) -> bool:
        """Whether an installation token includes a repository."""
        if self.app is None or self.token is None or not installation_covers(self.app, repo):
            return False
        return self.token.repositories is None or repo.id in self.token.repositories


def authenticate(state: State, header: str) -> Actor:
    """Return the actor behind an Authorization header. Raises Refusal 401 for bad credentials."""
    scheme, _, value = header.partition(" ")
    if not header:
        return Actor()
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            raise Refusal(401, "Bad credentials") from None
    elif scheme.lower() not in ("token", "bearer"):
        raise Refusal(401, "Bad credentials")
    if value.count(".") == 2:
        return Actor(app=_app_from_jwt(state, value))
    issued = state.tokens.get(value)
    if issued:
        if issued.expires_at <= state.now() or issued.app.suspended_at:
            raise Refusal(401, "Bad credentials")
        return Actor(user=issued.app.bot, app=issued.app, token=issued)
    for user in state.users.values():
        if user.token and secrets.compare_digest(user.token.encode(), value.encode()):
            return Actor(user=user)
    raise Refusal(401, "Bad credentials")


def _app_from_jwt(state: State, token: str) -> App:
    """Return the App that signed a JWT: RS256, `iss` is the App's id, valid for at most ten minutes."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
        app = state.apps[int(issuer)]
        claims = jwt.decode(token, app.public_key, algorithms=["RS256"], options={"require": ["exp", "iat"]})
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
        raise Refusal(401, "A JSON web token could not be decoded") from None
    if claims["exp"] > state.now().timestamp() + 600 or claims["exp"] - claims["iat"] > 660:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def issue_token(
    state: State,
    app: App,
    permissions: Mapping[str, str] | None = None,
    repositories: Iterable[Repo] | None = None,
) -> tuple[str, InstallationToken]:
    """Create an installation token, which GitHub lets expire after an hour. By default it may do what the App may.

    Raises Refusal 422 for a permission that the installation lacks, or a repository that it does not cover.
    """
    wanted = dict(app.permissions if permissions is None else permissions)
    for name, level in wanted.items():
        if level not in LEVELS or LEVELS.index(level) > LEVELS.index(app.permissions.get(name, "none")):
            raise Refusal(422, "The permissions requested are not granted to this installation.")
    chosen = None if repositories is None else list(repositories)
    if chosen is not None and not all(installation_covers(app, repo) for repo in chosen):
        raise Refusal(422, OUTSIDE)
    ids = None if chosen is None else frozenset(repo.id for repo in chosen)
    expires = state.now() + timedelta(hours=1)
    token = InstallationToken(app, expires, {**wanted, "metadata": "read"}, ids)
    value = f"ghs_{secrets.token_hex(18)}"
    state.tokens[value] = token
    return value, token


def role_of(repo: Repo, user: User | None) -> str:
    """Return a user's base role: the highest of their own, their teams', and `read` on public repositories."""
    if user is None:
        return "none" if repo.private else "read"
    if user is repo.owner:
        return "admin"
    login = user.login.lower()
    roles = [repo.roles.get(login, "none"), "none" if repo.private else "read"]
    roles += [role for team, role in repo.teams if login in team.all_members()]
    return max(roles, key=ROLES.index)


def author_association(repo: Repo, user: User) -> str:
    """Return GitHub's word for a user's relation to a repository."""
    if user is repo.owner:
        return "OWNER"
    if repo.roles.get(user.login.lower(), "none") == "none":
        return "NONE"
    return "MEMBER" if repo.owner.type == "Organization" else "COLLABORATOR"


def installation_covers(app: App, repo: Repo) -> bool:
    """Whether an App's installation includes a repository."""
    if repo.owner is not app.account or app.suspended_at:
        return False
    return not app.repositories or repo.full_name.lower() in app.repositories


def require(actor: Actor, repo: Repo, *, role: str, permission: str) -> None:
    """Check that the actor may do something in a repository.

    role: what a user needs. permission: what an App needs, such as `issues:write`. Raises Refusal: 404 hides the
    repository, 403 denies, 401 asks to sign in.
    """
    name, _, level = permission.partition(":")
    if actor.is_app_itself:
        raise Refusal(403, "Resource not accessible by integration")
    if actor.app:
        granted = actor.granted(name)
        if not actor.covers(repo):
            if repo.private:
                raise Refusal(404, "Not Found")
            granted = "read" if level == "read" else "none"
        if granted != "write" and granted != level:
            raise Refusal(403, "Resource not accessible by integration")
        return
    has = role_of(repo, actor.user)
    if has == "none":
        raise Refusal(404, "Not Found")
    if actor.user is None and level == "write":
        raise Refusal(401, "Requires authentication")
    if ROLES.index(has) < ROLES.index(role):
        raise Refusal(403, "Must have push access to repository.")
