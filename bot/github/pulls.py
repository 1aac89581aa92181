"""Read repositories, pull requests, reviews, branches and files."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol
from urllib.parse import quote

from bot.domain.ports.forge import ForgeError, PullRequest, Repository, Review
from bot.github import scopes, values
from bot.github.wire import Wire


class _Client(Protocol):
    wire: Wire


class Pulls:
    """The part of the Forge port that reads repositories and pull requests."""

    def repository(self: _Client, repository: str) -> Repository:
        return self.wire.get(scopes.metadata(repository), "", values.repository)

    def repositories(self: _Client) -> list[Repository]:
        url, key = (
            ("/installation/repositories", "repositories") if self.wire.tokens.app else ("/user/repos", "")
        )
        return [
            repository
            for token in self.wire.tokens.every()
            for repository in self.wire.every(token, url, values.repository, key=key)
        ]

    def pull(self: _Client, repository: str, number: int) -> PullRequest:
        return self.wire.get(scopes.pulls(repository), f"/pulls/{number}", values.pull_request)

    def pulls(self: _Client, repository: str) -> list[PullRequest]:
        url = f"/repos/{repository}/pulls"
        return self.wire.listed(scopes.pulls(repository), url, values.pull_request, params={"state": "open"})

    def pulls_of(self: _Client, repository: str, commit: str) -> list[PullRequest]:
        url = f"/repos/{repository}/commits/{quote(commit, safe='')}/pulls"
        return self.wire.listed(scopes.pulls(repository), url, values.pull_request)

    def reviews(self: _Client, repository: str, number: int) -> list[Review]:
        url = f"/repos/{repository}/pulls/{number}/reviews"
        return self.wire.listed(scopes.pulls(repository), url, values.review)

    def head_of(self: _Client, repository: str, branch: str) -> str:
        path = f"/branches/{quote(branch, safe='')}"
        return self.wire.get(scopes.contents(repository), path, lambda data: data.fields("commit").sha("sha"))

    def file(self: _Client, repository: str, ref: str, path: str) -> bytes | None:
        """Return the content of a file; None if there is none, or a directory or submodule is in its place."""
        scope, where, params = (
            scopes.contents(repository),
            f"/contents/{quote(path.strip('/'))}",
            {"ref": ref},
        )
        try:
            answer = self.wire.send("GET", scope, where, params=params)
            data = answer.json()
            if not isinstance(data, dict) or data.get("type") != "file":
                return None
            if data.get("encoding") == "base64":
                return base64.b64decode(data.get("content") or "")
            # GitHub: between 1 and 100 MB only the raw media type has the content
            return self.wire.raw(scope, where, params=params)
        except ForgeError as error:
            if error.status != 404:
                raise
            return None
        except (ValueError, TypeError, binascii.Error) as error:
            raise ForgeError(f"GitHub's answer for {path} cannot be read.") from error
