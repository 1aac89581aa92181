"""By which token a request goes: an App's installation of the repository, or one token for everything."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import githubkit
from githubkit.auth import AppAuthStrategy, TokenAuthStrategy

from bot.domain.ports.forge import ForgeError
from bot.github.caller import Caller
from bot.github.fields import Fields, listed

MARGIN = 900.0
"""Seconds before its end (GitHub: an hour after it was made) at which an installation's token is replaced, so that
whoever is handed one for git has some minutes at least."""


@dataclass(frozen=True)
class Token:
    """`subject` names whose rate limits it counts against."""

    subject: str
    value: str


class OneToken:
    """A user's or a machine user's token, the same for every repository."""

    app = False

    def __init__(self, value: str) -> None:
        self._token = Token("token", value)

    def of(self, _repository: str) -> Token:
        return self._token

    def every(self) -> Iterator[Token]:
        yield self._token

    def forget(self, _repository: str) -> None:
        """There is no other."""


class AppTokens:
    """Tokens of an App's installations, made on demand and kept until shortly before their end.

    private_key: PEM. githubkit signs the JWT; the answers are read here, since its models would refuse a permission
    that they do not know yet.
    """

    app = True

    def __init__(self, caller: Caller, app_id: str, private_key: str) -> None:
        self._caller = caller
        self._github = githubkit.GitHub(AppAuthStrategy(app_id, private_key), config=caller.config)
        self._lock = threading.RLock()
        self._installations: dict[str, int] = {}
        self._tokens: dict[int, tuple[Token, float]] = {}

    def as_app(self, method: str, url: str, **arguments: Any) -> Any:
        """A request by the App itself, for the routes below /app. Raises ForgeError."""
        return self._caller.call(self._github, "app", method, url, **arguments)

    def of(self, name: str) -> Token:
        """The token for a repository (`owner/name`), or for what is an organisation's own (`owner`).

        Raises ForgeError (404 where the App is not installed).
        """
        with self._lock:
            known = self._installations.get(name)
            if known is None:
                return self._token(self._look_up(name))
            try:
                return self._token(known)
            except ForgeError as error:
                if error.status != 404:
                    raise
                return self._token(self._look_up(name))  # the App was installed anew

    def every(self) -> Iterator[Token]:
        """One token for each installation that is not suspended."""
        page = 1
        while True:
            answer = self.as_app("GET", "/app/installations", params={"per_page": "100", "page": str(page)})
            installations = listed(answer.json(), "installations")
            for installation in installations:
                if not installation.has("suspended_at"):
                    yield self._token(installation.number("id"))
            if "next" not in answer.links:
                return
            page += 1

    def forget(self, name: str) -> None:
        """GitHub refused the token for `name`: make a new one next time."""
        with self._lock:
            installation = self._installations.pop(name, None)
            if installation is not None:
                self._tokens.pop(installation, None)

    def _look_up(self, name: str) -> int:
        answer = self.as_app("GET", f"/{'repos' if '/' in name else 'orgs'}/{name}/installation")
        self._installations[name] = number = Fields(answer.json(), "installation").number("id")
        return number

    def _token(self, installation: int) -> Token:
        with self._lock:
            kept = self._tokens.get(installation)
            if kept and kept[1] - MARGIN > time.time():
                return kept[0]
            answer = self.as_app("POST", f"/app/installations/{installation}/access_tokens", json={})
            fields = Fields(answer.json(), "token")
            token = Token(f"installation {installation}", fields.text("token"))
            self._tokens[installation] = (token, fields.time("expires_at").timestamp())
            return token


def bearer(caller: Caller, token: Token) -> githubkit.GitHub[TokenAuthStrategy]:
    """A client that sends `token`."""
    return githubkit.GitHub(TokenAuthStrategy(token.value), config=caller.config)
