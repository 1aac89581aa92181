"""GitHub behind the Forge port."""

from __future__ import annotations

import hashlib
from functools import cached_property

from bot.domain.pacing import Bucket, Pace
from bot.github.authors import Authors
from bot.github.caller import Caller
from bot.github.checks import Checks
from bot.github.comments import Comments
from bot.github.deliveries import Deliveries
from bot.github.deployments import Deployments
from bot.github.fields import LOGIN, Fields
from bot.github.permissions import Permissions
from bot.github.pulls import Pulls
from bot.github.tokens import AppTokens, OneToken, Token
from bot.github.wire import Wire, parsed

PUBLIC_API = "https://api.github.com"
TIMEOUT = 10.0


def paced(per_minute: int = 80) -> Bucket:
    """GitHub's limits for what creates content, 80 a minute and 500 an hour, with room for a burst of 30; or the same
    shape for a server that allows another number a minute."""
    more = per_minute / 80
    return Bucket(
        Pace(burst=round(30 * more), per_second=50 / 60 * more),
        Pace(burst=round(140 * more), per_second=360 / 3600 * more),
    )


class GitHub(Comments, Checks, Deployments, Permissions, Authors, Pulls, Deliveries):
    """bot.domain.ports.forge.Forge, safe to use from many threads. Make one with `connect`."""

    def __init__(self, wire: Wire, caller: Caller) -> None:
        self.wire = wire
        self.checks = wire.tokens.app
        self._caller = caller

    def me(self) -> str:
        return self._me

    @cached_property
    def _me(self) -> str:
        tokens = self.wire.tokens
        if isinstance(tokens, AppTokens):
            answer = tokens.as_app("GET", "/app")
            return parsed(answer, lambda app: app.text("slug")) + "[bot]"
        answer = self.wire.by(next(tokens.every()), "GET", "/user")
        return parsed(answer, _login)

    def person(self, repository: str, token: str) -> str:
        """The repository is asked for too: a token that somebody was made to give away for another purpose is none
        for a private repository. Its limits are its own, under a name that does not tell it."""
        theirs = Token(f"person:{hashlib.sha256(token.encode()).hexdigest()[:16]}", token)
        self.wire.by(theirs, "GET", f"/repos/{repository}")
        return parsed(self.wire.by(theirs, "GET", "/user"), _login)

    def git_credentials(self, repository: str) -> tuple[str, str] | None:
        """An installation's token is good for a quarter of an hour at least."""
        return "x-access-token", self.wire.tokens.of(repository).value

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()


def _login(user: Fields) -> str:
    return user.matching("login", LOGIN)


def connect(
    api_url: str = PUBLIC_API,
    *,
    app_id: str = "",
    private_key: str = "",
    token: str = "",
    bucket: Bucket | None = None,
    timeout: float = TIMEOUT,
    retry_delay: float = 0.5,
) -> GitHub:
    """GitHub by an App (`app_id` and `private_key`, PEM), else by `token`. Sends nothing yet.

    api_url: https://api.github.com, https://<host>/api/v3 of GitHub Enterprise Server, or any stand-in.
    bucket: paces the writes, GitHub's limits by default. timeout: seconds for each of connecting, sending, receiving.
    retry_delay: seconds before an idempotent request is repeated. Raises ValueError where no credentials are given.
    """
    if not token and not (app_id and private_key):
        raise ValueError("GitHub needs an App's id and private key, or a token")
    caller = Caller(api_url, timeout=timeout, retry_delay=retry_delay)
    tokens = AppTokens(caller, app_id, private_key) if app_id and private_key else OneToken(token)
    return GitHub(Wire(caller, tokens, bucket or paced()), caller)
