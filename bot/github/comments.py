"""Comments of a pull request, and reactions to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import httpx

from bot.domain.ports.forge import Comment, Reaction
from bot.github import values
from bot.github.wire import FINAL, PROGRESS, Wire, parsed_list

_MINIMISE = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) "
    "{ minimizedComment { isMinimized } } }"
)


class _Bot(Protocol):
    wire: Wire

    def me(self) -> str: ...


class Comments:
    """The port's methods on comments."""

    def comment(self: _Bot, repository: str, number: int, body: str) -> Comment:
        return self.wire.write(
            "POST", repository, f"/issues/{number}/comments", {"body": body}, values.comment
        )

    def edit_comment(self: _Bot, repository: str, comment_id: int, body: str, *, final: bool = True) -> None:
        self.wire.send(
            "PATCH",
            repository,
            f"/issues/comments/{comment_id}",
            json={"body": body},
            priority=FINAL if final else PROGRESS,
        )

    def find_comment(self: _Bot, repository: str, number: int, marker: str) -> Comment | None:
        """Looks from the newest page back: what was just posted is there."""
        path, mine = f"/issues/{number}/comments", self.me().lower()
        first = self.wire.send("GET", repository, path, params={"per_page": "100"})
        if (last := _pages(first)) is None:
            found = self.wire.listed(repository, f"/repos/{repository}{path}", values.comment)
            return next((one for one in reversed(found) if _is(one, mine, marker)), None)
        for page in range(last, 0, -1):
            answer = (
                first
                if page == 1
                else self.wire.send("GET", repository, path, params={"per_page": "100", "page": str(page)})
            )
            for comment in reversed(parsed_list(answer, values.comment)):
                if _is(comment, mine, marker):
                    return comment
        return None

    def minimise(self: _Bot, repository: str, node_id: str) -> None:
        self.wire.graphql(repository, _MINIMISE, {"id": node_id}, lambda _done: None, writes=True)

    def react(
        self: _Bot,
        repository: str,
        comment_id: int,
        reaction: Reaction,
        *,
        instead_of: Sequence[Reaction] = (),
    ) -> None:
        path, mine = f"/issues/comments/{comment_id}/reactions", self.me().lower()
        self.wire.send("POST", repository, path, json={"content": reaction}, priority=PROGRESS)
        if not instead_of:
            return
        token = self.wire.tokens.of(repository)
        old = self.wire.every(
            token,
            f"/repos/{repository}{path}",
            lambda data: (data.number("id"), data.login("user").lower(), data.text("content")),
        )
        for reaction_id, user, content in list(old):
            if user == mine and content in instead_of and content != reaction:
                self.wire.send("DELETE", repository, f"{path}/{reaction_id}", priority=PROGRESS)


def _pages(first: httpx.Response) -> int | None:
    """How many pages a list has by its first one; None where the server counts none."""
    if "next" not in first.links:
        return 1
    last = httpx.URL(first.links.get("last", {}).get("url", "")).params.get("page", "")
    return int(last) if last.isascii() and last.isdigit() else None


def _is(comment: Comment, author: str, marker: str) -> bool:
    return comment.author.lower() == author and marker in comment.body
