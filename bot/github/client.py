"""The GitHub client: implements the Forge port."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

from bot.github import scopes
from bot.github.authors import Authors
from bot.github.caller import Call, Caller
from bot.github.checks import Checks
from bot.github.comments import Comments
from bot.github.deliveries import Deliveries
from bot.github.deployments import Deployments
from bot.github.dispatches import Dispatches
from bot.github.fields import LOGIN, Fields
from bot.github.issues import Issues
from bot.github.permissions import Permissions
from bot.github.pulls import Pulls
from bot.github.rate_limit import Bucket, Pace
from bot.github.tokens import AppCredentials, AppTokens, OneToken, Token
from bot.github.wire import Wire, parsed
from bot.github.workflows import Workflows

PUBLIC_API = "https://api.github.com"
TIMEOUT = 10.0


def write_bucket(per_minute: int = 80) -> Bucket:
    """Return a bucket that keeps to GitHub's limits for requests that create content: 80 a minute and 500 an hour.

    Both leave room for a burst (30 within the minute). per_minute: for a GitHub Enterprise Server that allows another
    number; the hourly limit is scaled with it.
    """
    scale = per_minute / 80
    return Bucket(
        Pace(burst=round(30 * scale), per_second=50 / 60 * scale),
        Pace(burst=round(140 * scale), per_second=360 / 3600 * scale),
    )


class GitHub(
    Comments, Issues, Checks, Workflows, Dispatches, Deployments, Permissions, Authors, Pulls, Deliveries
):
    """Implements bot.domain.ports.forge.Forge; safe to use from many threads. Create it with `connect`."""

    def __init__(self, wire: Wire, caller: Caller, login: str = "") -> None:
        self.wire = wire
        self._login = login
        self.checks = self.narrows = wire.tokens.app
        self._caller = caller

    def named(self, login: str) -> GitHub:
        """Return the same client under a login that GitHub does not tell: a workflow's token may not ask for its own."""
        return GitHub(self.wire, self._caller, login)

    def me(self) -> str:
        return self._me

    @cached_property
    def _me(self) -> str:
        if self._login:
            return self._login
        tokens = self.wire.tokens
        if isinstance(tokens, AppTokens):
            answer = tokens.as_app("GET", "/app")
            return parsed(answer, lambda app: app.text("slug")) + "[bot]"
        answer = self.wire.by(next(tokens.every()), Call("GET", "/user"))
        return parsed(answer, _login)

    def person(self, repository: str, token: str) -> str:
        """Return the login of the person whose token this is. Raises ForgeError if it cannot read the repository.

        The repository is read too, so that a token obtained for another purpose does not open a private repository.
        The token has rate limits of its own, tracked under a name that does not reveal it.
        """
        theirs = Token(f"person:{hashlib.sha256(token.encode()).hexdigest()[:16]}", token)
        self.wire.by(theirs, Call("GET", f"/repos/{repository}"))
        return parsed(self.wire.by(theirs, Call("GET", "/user")), _login)

    def git_credentials(self, repository: str, modules: Sequence[str] = ()) -> tuple[str, str] | None:
        """Return user and password for git over HTTP. An installation token is valid for at least 15 minutes, and reads
        these repositories only."""
        scope = scopes.contents(repository, *modules)
        return "x-access-token", self.wire.tokens.of(scope).value

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()


def _login(user: Fields) -> str:
    return user.matching("login", LOGIN)


def connect(
    api_url: str = PUBLIC_API,
    *,
    app: AppCredentials | None = None,
    token: str = "",
    bucket: Bucket | None = None,
    timeout: float = TIMEOUT,
    retry_delay: float = 0.5,
) -> GitHub:
    """Return a client that acts as the App, or with `token` if the App's credentials are incomplete. Sends nothing yet.

    api_url: https://api.github.com, https://<host>/api/v3 for GitHub Enterprise Server, or any stand-in.
    bucket: paces the writes; by default to GitHub's limits. timeout: seconds for each of connecting, sending and
    receiving. retry_delay: seconds before an idempotent request is repeated. Raises ValueError without credentials.
    """
    if app is not None and not app.complete:
        app = None
    if app is None and not token:
        raise ValueError("GitHub needs an App's id and private key, or a token")
    caller = Caller(api_url, timeout=timeout, retry_delay=retry_delay)
    tokens = AppTokens(caller, app) if app is not None else OneToken(token)
    return GitHub(Wire(caller, tokens, bucket or write_bucket()), caller)
