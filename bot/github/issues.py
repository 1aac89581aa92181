"""Open, edit, close and find issues."""

from __future__ import annotations

from typing import Literal, Protocol

from bot.domain.ports.forge import Issue
from bot.github import scopes
from bot.github.fields import Fields
from bot.github.wire import Wire, parsed_list

PAGES = 3
"""Pages of the bot's own newest issues that are searched: the one that is looked for was usually opened a moment ago."""


class _Client(Protocol):
    wire: Wire

    def me(self) -> str: ...


class Issues:
    """The part of the Forge port that handles issues."""

    def open_issue(self: _Client, repository: str, title: str, body: str) -> Issue:
        content = {"title": title, "body": body}
        return self.wire.write("POST", scopes.issues(repository), "/issues", content, _issue)

    def edit_issue(
        self: _Client,
        repository: str,
        number: int,
        *,
        title: str = "",
        body: str = "",
        state: Literal["", "open", "closed"] = "",
    ) -> None:
        facts = {"title": title, "body": body, "state": state}
        changes = {name: value for name, value in facts.items() if value}
        if state == "closed":
            changes["state_reason"] = "completed"
        self.wire.send("PATCH", scopes.issues(repository), f"/issues/{number}", json=changes)

    def find_issue(self: _Client, repository: str, marker: str) -> Issue | None:
        """Return the bot's newest issue that contains `marker`. Pull requests are in the same list."""
        wanted = {
            "state": "all",
            "creator": self.me(),
            "sort": "created",
            "direction": "desc",
            "per_page": "100",
        }
        for page in range(1, PAGES + 1):
            answer = self.wire.send(
                "GET", scopes.issues(repository), "/issues", params={**wanted, "page": str(page)}
            )
            for one in parsed_list(answer, _found):
                if one is not None and marker in one.body:
                    return one
            if "next" not in answer.links:
                return None
        return None


def _found(data: Fields) -> Issue | None:
    return None if data.has("pull_request") else _issue(data)


def _issue(data: Fields) -> Issue:
    return Issue(
        number=data.number("number"),
        body=data.text("body", ""),
        url=data.text("html_url"),
        open=data.text("state") == "open",
    )
