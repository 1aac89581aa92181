"""Pull requests and repositories as last seen."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select

from bot.domain.ports.forge import PullRequest, Repository
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import pulls, repositories, trusts


class PullRows(Rows):
    def save(self, pull: PullRequest) -> PullRequest | None:
        """Insert or replace; returns what was there before."""
        found = select(pulls).where(_is(pull.repository, pull.number))
        before = self.one(PullRequest, found.with_for_update())
        self.replace(pulls, values(pulls, pull))
        return before

    def get(self, repository: str, number: int) -> PullRequest | None:
        return self.one(PullRequest, select(pulls).where(_is(repository, number)))

    def open(self, repository: str) -> list[PullRequest]:
        """By number."""
        query = select(pulls).where(pulls.c.repository == repository, pulls.c.state == "open")
        return self.many(PullRequest, query.order_by(pulls.c.number))

    def trust(self, repository: str, number: int, head_sha: str, login: str) -> None:
        """Somebody with write let this head of a fork be planned."""
        row = {"repository": repository, "number": number, "head_sha": head_sha, "login": login}
        self.put(trusts, row)

    def trusted(self, repository: str, number: int, head_sha: str) -> bool:
        return self.exists(
            trusts,
            trusts.c.repository == repository,
            trusts.c.number == number,
            trusts.c.head_sha == head_sha,
        )

    def save_repository(self, repository: Repository) -> None:
        self.replace(repositories, values(repositories, repository))

    def repository(self, name: str) -> Repository | None:
        return self.one(Repository, select(repositories).where(repositories.c.name == name))

    def repositories(self) -> list[Repository]:
        return self.many(Repository, select(repositories).order_by(repositories.c.name))


def _is(repository: str, number: int) -> ColumnElement[bool]:
    return and_(pulls.c.repository == repository, pulls.c.number == number)
