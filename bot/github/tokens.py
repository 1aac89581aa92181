"""Choose the token for a request: an installation token for just its scope, or one token for everything."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import githubkit
import httpx
from githubkit.auth import AppAuthStrategy, TokenAuthStrategy

from bot.domain.ports.forge import ForgeError
from bot.github.caller import Call, Caller
from bot.github.fields import Fields, listed
from bot.github.scopes import METADATA, Permissions, Scope

RENEWAL_MARGIN = 900.0
"""Seconds before its expiry at which an installation token is replaced, so that every token handed to git is valid for
at least a quarter of an hour. GitHub's tokens expire after an hour."""


@dataclass(frozen=True)
class Token:
    """A token. `subject` names the account whose rate limits its requests count against."""

    subject: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class AppCredentials:
    """The id of a GitHub App and its private key (PEM)."""

    id: str
    private_key: str = field(repr=False)

    @property
    def complete(self) -> bool:
        return bool(self.id and self.private_key)


class OneToken:
    """The token of a user or machine user, used for every scope: GitHub has no way to narrow it."""

    app = False

    def __init__(self, value: str) -> None:
        self._token = Token("token", value)

    def of(self, _scope: Scope) -> Token:
        return self._token

    def every(self) -> Iterator[Token]:
        yield self._token

    def forget(self, _name: str) -> None:
        """Do nothing: there is no other token."""


@dataclass
class _Slot:
    """The cached token of one scope. lock: held while it is created, so that threads wait for one token."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    token: Token | None = None
    expires: float = 0.0


class AppTokens:
    """Installation tokens of an App, one for each scope, created on demand and cached until shortly before they expire.

    githubkit signs the JWT. Responses are read here, since githubkit's models reject permissions they do not know yet.
    """

    app = True

    def __init__(self, caller: Caller, credentials: AppCredentials) -> None:
        self._caller = caller
        auth = AppAuthStrategy(credentials.id, credentials.private_key)
        self._github = githubkit.GitHub(auth, config=caller.config)
        self._lock = threading.Lock()
        self._installations: dict[str, int] = {}
        self._slots: dict[tuple[int, Scope], _Slot] = {}

    def as_app(
        self, method: str, url: str, *, json: Any = None, params: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a request as the App itself, for the routes below /app. Raises ForgeError."""
        return self._caller.call(self._github, "app", Call(method, url, json=json, params=params))

    def of(self, scope: Scope) -> Token:
        """Return the token for a scope.

        Raises ForgeError: with status 404 if the App is not installed there, 403 if the installation lacks a permission
        or one of the repositories.
        """
        known = self._installations.get(scope.name)
        if known is None:
            return self._token(self._find_installation(scope.name), scope)
        try:
            return self._token(known, scope)
        except ForgeError as error:
            if error.status != 404:
                raise
            return self._token(self._find_installation(scope.name), scope)  # reinstalled, with a new id

    def every(self) -> Iterator[Token]:
        """Yield one token for each installation that is not suspended. It lists repositories, and opens none."""
        page = 1
        while True:
            answer = self.as_app("GET", "/app/installations", params={"per_page": "100", "page": str(page)})
            installations = listed(answer.json(), "installations")
            for installation in installations:
                if not installation.has("suspended_at"):
                    yield self._token(installation.number("id"), Scope("", METADATA))
            if "next" not in answer.links:
                return
            page += 1

    def forget(self, name: str) -> None:
        """Drop the cached tokens for `name`, because GitHub refused one."""
        with self._lock:
            self._installations.pop(name, None)
            for key in [key for key in self._slots if key[1].name == name]:
                del self._slots[key]

    def _find_installation(self, name: str) -> int:
        answer = self.as_app("GET", f"/{'repos' if '/' in name else 'orgs'}/{name}/installation")
        self._installations[name] = number = Fields(answer.json(), "installation").number("id")
        return number

    def _token(self, installation: int, scope: Scope) -> Token:
        with self._lock:
            slot = self._slots.setdefault((installation, scope), _Slot())
        with slot.lock:
            if slot.token is None or slot.expires - RENEWAL_MARGIN <= time.time():
                slot.token, slot.expires = self._mint(installation, scope)
            return slot.token

    def _mint(self, installation: int, scope: Scope) -> tuple[Token, float]:
        url, subject = f"/app/installations/{installation}/access_tokens", f"installation {installation}"
        self._caller.refuse_while_limited(subject, f"POST {url}")
        body: dict[str, Any] = {"permissions": dict(scope.permissions)}
        if scope.repositories:
            body["repositories"] = scope.repositories
        try:
            answer = self.as_app("POST", url, json=body)
        except ForgeError as error:
            if error.status != 422:
                raise
            raise ForgeError(_beyond(scope), status=403) from error
        fields = Fields(answer.json(), "token")
        return Token(subject, fields.text("token")), fields.time("expires_at").timestamp()


def _beyond(scope: Scope) -> str:
    """Describe a scope that the installation does not have, which GitHub answers with 422."""
    where = ", ".join(dict.fromkeys((scope.name, *scope.also)))
    return (
        f"The App's installation does not reach {where} with {_spelled(scope.permissions)}: a repository is not part of "
        "it, or a permission was not granted."
    )


def _spelled(permissions: Permissions) -> str:
    return ", ".join(f"`{name}: {level}`" for name, level in permissions)


def bearer(caller: Caller, token: Token, *, follow: bool = True) -> githubkit.GitHub[TokenAuthStrategy]:
    """Return a client that authenticates with `token`. follow: whether it follows redirects."""
    config = caller.config if follow else replace(caller.config, follow_redirects=False)
    return githubkit.GitHub(TokenAuthStrategy(token.value), config=config)
