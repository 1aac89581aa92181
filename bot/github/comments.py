"""Post, edit and find pull request comments, and react to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import httpx

from bot.domain.ports.forge import Comment, Reaction
from bot.github import scopes, values
from bot.github.wire import FINAL, PROGRESS, Wire, parsed, parsed_list, sent_at

_MINIMISE = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) "
    "{ minimizedComment { isMinimized } } }"
)


class _Client(Protocol):
    wire: Wire

    def me(self) -> str: ...


class Comments:
    """The part of the Forge port that handles comments and reactions."""

    def comment(self: _Client, repository: str, number: int, body: str) -> Comment:
        return self.wire.write(
            "POST", scopes.comments(repository), f"/issues/{number}/comments", {"body": body}, values.comment
        )

    def edit_comment(
        self: _Client, repository: str, comment_id: int, body: str, *, final: bool = True
    ) -> datetime:
        answer = self.wire.send(
            "PATCH",
            scopes.comments(repository),
            f"/issues/comments/{comment_id}",
            json={"body": body},
            priority=FINAL if final else PROGRESS,
        )
        updated_at = parsed(answer, lambda data: data.time("updated_at"))
        return max(updated_at, sent_at(answer) or updated_at)  # the same text again may be no update

    def find_comment(self: _Client, repository: str, number: int, marker: str) -> Comment | None:
        """Return the bot's newest comment that contains `marker`, or None.

        Reads the pages from the last to the first, because the comment was usually posted a moment ago.
        """
        scope, path = scopes.comments(repository), f"/issues/{number}/comments"
        own_login = self.me().lower()
        first = self.wire.send("GET", scope, path, params={"per_page": "100"})
        if (last := _page_count(first)) is None:
            comments = self.wire.listed(scope, f"/repos/{repository}{path}", values.comment)
            return next((one for one in reversed(comments) if _matches(one, own_login, marker)), None)
        for page in range(last, 0, -1):
            answer = (
                first
                if page == 1
                else self.wire.send("GET", scope, path, params={"per_page": "100", "page": str(page)})
            )
            for comment in reversed(parsed_list(answer, values.comment)):
                if _matches(comment, own_login, marker):
                    return comment
        return None

    def minimise(self: _Client, repository: str, node_id: str) -> None:
        scope = scopes.comments(repository)
        self.wire.graphql(scope, _MINIMISE, {"id": node_id}, lambda _data: None, writes=True)

    def react(
        self: _Client,
        repository: str,
        comment_id: int,
        reaction: Reaction,
        *,
        instead_of: Sequence[Reaction] = (),
    ) -> None:
        scope, path = scopes.comments(repository), f"/issues/comments/{comment_id}/reactions"
        own_login = self.me().lower()
        self.wire.send("POST", scope, path, json={"content": reaction}, priority=PROGRESS)
        if not instead_of:
            return
        reactions = self.wire.listed(
            scope,
            f"/repos/{repository}{path}",
            lambda data: (data.number("id"), data.login("user").lower(), data.text("content")),
        )
        for reaction_id, user, content in reactions:
            if user == own_login and content in instead_of and content != reaction:
                self.wire.send("DELETE", scope, f"{path}/{reaction_id}", priority=PROGRESS)


def _page_count(first: httpx.Response) -> int | None:
    """Return how many pages a list has, from its first page; None if the server does not number its pages."""
    if "next" not in first.links:
        return 1
    last = httpx.URL(first.links.get("last", {}).get("url", "")).params.get("page", "")
    return int(last) if last.isascii() and last.isdigit() else None


def _matches(comment: Comment, author: str, marker: str) -> bool:
    return comment.author.lower() == author and marker in comment.body
