"""What the parts of the adapter share: requests for a repository, pages, GraphQL, pacing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from bot.domain.ports.forge import ForgeError
from bot.github.caller import Call, Caller
from bot.github.failure import MIN_PAUSE
from bot.github.fields import Fields, Malformed, listed
from bot.github.rate_limit import Bucket, Crowded
from bot.github.scopes import Scope
from bot.github.tokens import AppTokens, OneToken, Token, bearer

T = TypeVar("T")

FINAL, PROGRESS = 0, 1
"""Priorities of writes: results before steps on the way."""


class Wire:
    """Requests to GitHub. Every method raises ForgeError.

    bucket: paces the writes (GitHub: 80 a minute and 500 an hour that create content).
    """

    def __init__(self, caller: Caller, tokens: AppTokens | OneToken, bucket: Bucket) -> None:
        self._caller = caller
        self._bucket = bucket
        self.tokens = tokens

    def send(
        self,
        method: str,
        scope: Scope,
        path: str,
        *,
        json: Any = None,
        params: dict[str, str] | None = None,
        priority: int = FINAL,
    ) -> httpx.Response:
        """Send a request below the scope's repository. A token that GitHub no longer knows is replaced once."""
        call = Call(method, f"/repos/{scope.name}{path}", json=json, params=params)
        return self._renewing(scope, lambda token: self.by(token, call, priority=priority))

    def raw(self, scope: Scope, path: str, *, params: dict[str, str] | None = None) -> bytes:
        """Return the bytes of what is below the scope's repository, such as a file too large for JSON."""
        accept = {"Accept": "application/vnd.github.raw+json"}
        call = Call("GET", f"/repos/{scope.name}{path}", params=params, headers=accept)
        return self._renewing(scope, lambda token: self.by(token, call)).content

    def location(self, scope: Scope, path: str) -> httpx.URL:
        """Return where GitHub redirects to, without going there: a token must not reach another server. Raises ForgeError if
        it does not redirect, or to something that is neither https nor of the API's own scheme."""
        call = Call("GET", f"/repos/{scope.name}{path}", follow=False)
        answer = self._renewing(scope, lambda token: self.by(token, call))
        url = answer.request.url.join(answer.headers.get("location", ""))
        if (
            not answer.has_redirect_location
            or url.scheme not in ("https", answer.request.url.scheme)
            or not url.host
        ):
            raise ForgeError(f"GitHub does not say where {path} is.")
        return url

    def listed(
        self,
        scope: Scope,
        url: str,
        read: Callable[[Fields], T],
        *,
        key: str = "",
        params: dict[str, str] | None = None,
    ) -> list[T]:
        """All objects of a list, see `every`."""
        return self._renewing(scope, lambda token: list(self.every(token, url, read, key=key, params=params)))

    def _renewing(self, scope: Scope, ask: Callable[[Token], T]) -> T:
        """`ask` by the scope's token; once more by a new one where GitHub no longer knows it."""
        try:
            return ask(self.tokens.of(scope))
        except ForgeError as error:
            if error.status != 401 or not self.tokens.app:
                raise
            self.tokens.forget(scope.name)
            return ask(self.tokens.of(scope))

    def by(
        self,
        token: Token,
        call: Call,
        *,
        priority: int = FINAL,
        writes: bool | None = None,
    ) -> httpx.Response:
        """Send a request with a token, paced where it writes: all but GET do, unless `writes` says otherwise."""
        if call.method != "GET" if writes is None else writes:
            try:
                self._bucket.take(priority)
            except Crowded as error:
                raise ForgeError(
                    "More is to be written to GitHub than it takes.", retry_after=error.retry_after
                ) from error
        return self._caller.call(bearer(self._caller, token, follow=call.follow), token.subject, call)

    def get(
        self, scope: Scope, path: str, read: Callable[[Fields], T], *, params: dict[str, str] | None = None
    ) -> T:
        """One object, read by `read`."""
        return parsed(self.send("GET", scope, path, params=params), read)

    def write(
        self,
        method: str,
        scope: Scope,
        path: str,
        json: Any,
        read: Callable[[Fields], T],
        *,
        priority: int = FINAL,
    ) -> T:
        """Send `json` and read the answer."""
        return parsed(self.send(method, scope, path, json=json, priority=priority), read)

    def every(
        self,
        token: Token,
        url: str,
        read: Callable[[Fields], T],
        *,
        key: str = "",
        params: dict[str, str] | None = None,
    ) -> Iterator[T]:
        """All objects of a list, page by page (100 each); `key` where the list is inside an object."""
        asked: dict[str, str] | None = {"per_page": "100", **(params or {})}
        while asked is not None:
            answer = self.by(token, Call("GET", url, params=asked))
            yield from parsed_list(answer, read, key)
            asked = following(answer)

    def graphql(
        self,
        scope: Scope,
        query: str,
        variables: dict[str, Any],
        read: Callable[[Fields], T],
        *,
        writes: bool = False,
    ) -> T:
        """What `read` makes of the answer's data. writes: it is a mutation."""
        sent = {"query": query, "variables": variables}
        return self._renewing(scope, lambda token: self._graphql(token, sent, read, writes))

    def _graphql(self, token: Token, sent: Any, read: Callable[[Fields], T], writes: bool) -> T:
        answer = self.by(token, Call("POST", self._graphql_url(), json=sent), writes=writes)
        errors = parsed(answer, lambda data: data.items("errors"))
        if not errors:
            return parsed(answer, lambda data: read(data.fields("data")))
        kind = errors[0].text("type", "")
        text = f"GitHub refused: {errors[0].text('message', kind)}"
        if kind in ("RATE_LIMIT", "RATE_LIMITED"):
            self._caller.block(token.subject, MIN_PAUSE)
            raise ForgeError(text, status=429, retry_after=MIN_PAUSE)
        raise ForgeError(text, status={"NOT_FOUND": 404, "FORBIDDEN": 403}.get(kind, 422))

    def _graphql_url(self) -> str:
        """GitHub Enterprise Server: REST at /api/v3, GraphQL at /api/graphql; elsewhere /graphql below the same URL."""
        base = self._caller.config.base_url
        path = base.path.rstrip("/")
        below = path.removesuffix("/v3") if path.endswith("/api/v3") else path
        return str(base.copy_with(path=f"{below}/graphql"))


def following(answer: httpx.Response) -> dict[str, str] | None:
    """What to ask the same list for to get its next page; None after the last. GitHub: "rely on these link relations",
    since some lists count pages, and others have cursors."""
    url = answer.links.get("next", {}).get("url")
    return dict(httpx.URL(url).params) if url else None


def sent_at(answer: httpx.Response) -> datetime | None:
    """When GitHub sent an answer, by its own clock; None where it does not say."""
    try:
        return parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def parsed(answer: httpx.Response, read: Callable[[Fields], T]) -> T:
    """The object in an answer. Raises ForgeError where it is no such object (a proxy's page, say)."""
    try:
        return read(Fields(answer.json(), "answer"))
    except ValueError as error:
        raise _unreadable(answer, error) from error


def parsed_list(answer: httpx.Response, read: Callable[[Fields], T], key: str = "") -> list[T]:
    """The objects in an answer that is a list, or has one under `key`. Raises ForgeError."""
    try:
        data = answer.json()
        items = Fields(data, "answer").items(key) if key else listed(data, "answer")
        return [read(item) for item in items]
    except ValueError as error:
        raise _unreadable(answer, error) from error


def _unreadable(answer: httpx.Response, error: ValueError) -> ForgeError:
    why = str(error) if isinstance(error, Malformed) else "no JSON"
    return ForgeError(f"GitHub's answer to {answer.request.url.path} cannot be read: {why}.")
