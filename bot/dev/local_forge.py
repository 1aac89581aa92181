"""What a person works on, in the form of a pull request: the part of the port `Forge` that plans and applies use."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.ports.forge import PullRequest, Repository


class LocalForge:
    """One repository with one open pull request, whose head is the working copy or its latest commit.

    token: reads private modules on the server of `origin`, "" for none. tip: the default branch's commit.
    """

    checks = True
    narrows = False

    def __init__(self, repository: Repository, pull: PullRequest, tip: str, token: str = "") -> None:
        self._repository, self._pull, self._tip, self._token = repository, pull, tip, token

    def repository(self, _repository: str) -> Repository:
        return self._repository

    def pull(self, _repository: str, _number: int) -> PullRequest:
        return self._pull

    def head_of(self, _repository: str, _branch: str) -> str:
        """Every pull request here is into the default branch."""
        return self._tip

    def git_credentials(self, _repository: str, _modules: Sequence[str] = ()) -> tuple[str, str] | None:
        return ("x-access-token", self._token) if self._token else None
