"""An API request as handlers see it, and the reply that they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.playground.github.access import Actor, require
from bot.playground.github.records import App, Pull, Repo, User
from bot.playground.github.state import Refusal, State

T = TypeVar("T")


@dataclass(frozen=True)
class Reply:
    """What a handler returns: JSON `data`, or `raw` bytes."""

    data: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None


@dataclass(frozen=True)
class Call:
    """One API request. path, query: its parameters. body: the decoded JSON. accept: the header."""

    state: State
    actor: Actor
    url: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    accept: str

    def repo(self, permission: str = "metadata:read", role: str = "read") -> Repo:
        """Return the repository in the path. Raises Refusal if the actor lacks the permission or role."""
        repo = self.state.repo(f"{self.path['owner']}/{self.path['repo']}")
        require(self.actor, repo, role=role, permission=permission)
        return repo

    def pull(self, permission: str = "pull_requests:read", role: str = "read") -> Pull:
        """Return the pull request in the path. Raises Refusal as `repo` does."""
        return self.state.pull(self.repo(permission, role), self.number("number"))

    def number(self, name: str) -> int:
        """Return a number in the path. Raises Refusal 404 if it is not one."""
        if not self.path[name].isdecimal():
            raise Refusal(404, "Not Found")
        return int(self.path[name])

    @property
    def user(self) -> User:
        """The acting user. Raises Refusal 401 for anonymous requests."""
        if self.actor.user is None:
            raise Refusal(401, "Requires authentication")
        return self.actor.user

    @property
    def app(self) -> App:
        """The App that authenticated with its JWT. Raises Refusal 401 for anyone else."""
        if not self.actor.is_app_itself or self.actor.app is None:
            raise Refusal(401, "A JSON web token could not be decoded")
        return self.actor.app

    def text(self, key: str, default: str | None = None, *, most: int | None = None, of: str = "") -> str:
        """Return a string in the body. Raises Refusal 422 if it is missing, not a string, or over `most` characters."""
        value = self.body.get(key, default) if isinstance(self.body, dict) else default
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise validation_failed(of, key, "missing_field" if value is None else "invalid")
        if most is not None and len(value) > most:
            raise validation_failed(of, key, "custom", f"{key} is too long (maximum is {most} characters)")
        return value

    def page(self, items: Sequence[T], view: Callable[[T], Any], *, key: str = "") -> Reply:
        """Return one page of a list with a Link header. `key` wraps the list in an object with `total_count`."""
        size = min(max(int(self.query.get("per_page", "30")), 1), 100)
        number = max(int(self.query.get("page", "1")), 1)
        last = max((len(items) + size - 1) // size, 1)
        data: Any = [view(item) for item in items[(number - 1) * size : number * size]]
        if key:
            data = {"total_count": len(items), key: data}
        links = {"prev": number - 1, "next": number + 1, "first": 1, "last": last}
        shown = {
            name: to
            for name, to in links.items()
            if (name in ("next", "last") and number < last) or (name in ("prev", "first") and number > 1)
        }
        header = ", ".join(f'<{self.url_with(page=str(to))}>; rel="{name}"' for name, to in shown.items())
        return Reply(data, headers={"link": header} if header else {})

    def url_with(self, **changed: str) -> str:
        """Return the URL of this request with other query parameters."""
        return f"{self.url}?{urlencode({**self.query, **changed})}"


Handler = Callable[[Call], Reply]
Routes = list[tuple[str, str, Handler]]


def validation_failed(resource: str, where: str, code: str, message: str = "") -> Refusal:
    """Return the 422 that GitHub gives for an invalid field."""
    detail = {"resource": resource, "field": where, "code": code}
    return Refusal(422, "Validation Failed", [{**detail, "message": message} if message else detail])
