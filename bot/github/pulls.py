"""Repositories, their pull requests, branches and files."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol
from urllib.parse import quote

from bot.domain.ports.forge import ForgeError, PullRequest, Repository, Review
from bot.github import values
from bot.github.wire import Wire


class _Bot(Protocol):
    wire: Wire


class Pulls:
    """The port's methods on repositories and pull requests."""

    def repository(self: _Bot, repository: str) -> Repository:
        return self.wire.get(repository, "", values.repository)

    def repositories(self: _Bot) -> list[Repository]:
        url, key = (
            ("/installation/repositories", "repositories") if self.wire.tokens.app else ("/user/repos", "")
        )
        return [
            repository
            for token in self.wire.tokens.every()
            for repository in self.wire.every(token, url, values.repository, key=key)
        ]

    def pull(self: _Bot, repository: str, number: int) -> PullRequest:
        return self.wire.get(repository, f"/pulls/{number}", values.pull_request)

    def pulls(self: _Bot, repository: str) -> list[PullRequest]:
        url = f"/repos/{repository}/pulls"
        return self.wire.listed(repository, url, values.pull_request, params={"state": "open"})

    def reviews(self: _Bot, repository: str, number: int) -> list[Review]:
        return self.wire.listed(repository, f"/repos/{repository}/pulls/{number}/reviews", values.review)

    def head_of(self: _Bot, repository: str, branch: str) -> str:
        path = f"/branches/{quote(branch, safe='')}"
        return self.wire.get(repository, path, lambda data: data.fields("commit").sha("sha"))

    def file(self: _Bot, repository: str, ref: str, path: str) -> bytes | None:
        """A directory or a submodule counts as no file."""
        where, params = f"/contents/{quote(path.strip('/'))}", {"ref": ref}
        try:
            answer = self.wire.send("GET", repository, where, params=params)
            data = answer.json()
            if not isinstance(data, dict) or data.get("type") != "file":
                return None
            if data.get("encoding") == "base64":
                return base64.b64decode(data.get("content") or "")
            # GitHub: above 1 MB (up to 100) only the raw form has the content
            raw = {"Accept": "application/vnd.github.raw+json"}
            return self.wire.send("GET", repository, where, params=params, headers=raw).content
        except ForgeError as error:
            if error.status != 404:
                raise
            return None
        except (ValueError, TypeError, binascii.Error) as error:
            raise ForgeError(f"GitHub's answer for {path} cannot be read.") from error
