"""Who asks, and what they may: tokens, the App's JWT, roles."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import timedelta

import jwt

from bot.playground.github.records import App, InstallationToken, Repo, User
from bot.playground.github.state import ROLES, Refusal, State


@dataclass(frozen=True)
class Actor:
    """A user, an App's installation (`app` with its bot as `user`), the App itself (`user` None), or nobody."""

    user: User | None = None
    app: App | None = None

    @property
    def is_app_itself(self) -> bool:
        return self.app is not None and self.user is None


def authenticate(state: State, header: str) -> Actor:
    """The actor behind an Authorization header. Raises Refusal 401, as GitHub does for any bad credentials."""
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
        return Actor(app=_by_jwt(state, value))
    issued = state.tokens.get(value)
    if issued:
        if issued.expires_at <= state.now() or issued.app.suspended_at:
            raise Refusal(401, "Bad credentials")
        return Actor(user=issued.app.bot, app=issued.app)
    for user in state.users.values():
        if user.token and secrets.compare_digest(user.token.encode(), value.encode()):
            return Actor(user=user)
    raise Refusal(401, "Bad credentials")


def _by_jwt(state: State, token: str) -> App:
    """GitHub: RS256, `iss` the App's id, valid for ten minutes at most."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
        app = state.apps[int(issuer)]
        claims = jwt.decode(token, app.public_key, algorithms=["RS256"], options={"require": ["exp", "iat"]})
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
        raise Refusal(401, "A JSON web token could not be decoded") from None
    if claims["exp"] > state.now().timestamp() + 600 or claims["exp"] - claims["iat"] > 660:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def issue(state: State, app: App) -> tuple[str, InstallationToken]:
    """A new installation token (GitHub: good for an hour)."""
    token = InstallationToken(app, state.now() + timedelta(hours=1))
    value = f"ghs_{secrets.token_hex(18)}"
    state.tokens[value] = token
    return value, token


def role_of(repo: Repo, user: User | None) -> str:
    """The base role of somebody in a repository, the highest of their own and their teams'; a stranger may read a
    public one."""
    if user is None:
        return "none" if repo.private else "read"
    if user is repo.owner:
        return "admin"
    login = user.login.lower()
    roles = [repo.roles.get(login, "none"), "none" if repo.private else "read"]
    roles += [role for team, role in repo.teams if login in team.all_members()]
    return max(roles, key=ROLES.index)


def reaches(app: App, repo: Repo) -> bool:
    """Whether the App's installation covers a repository."""
    if repo.owner is not app.account or app.suspended_at:
        return False
    return not app.repositories or repo.full_name.lower() in app.repositories


def require(actor: Actor, repo: Repo, *, role: str, permission: str) -> None:
    """Raises the Refusal that GitHub would give: 404 hides, 403 refuses, 401 asks to sign in.

    role: what a user needs. permission: what an App needs, such as `issues:write`.
    """
    name, _, level = permission.partition(":")
    if actor.is_app_itself:
        raise Refusal(403, "Resource not accessible by integration")
    if actor.app:
        granted = actor.app.permissions.get(name, "none")
        if not reaches(actor.app, repo):
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
