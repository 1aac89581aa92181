"""Store pull requests and repositories as last seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select

from bot.domain.ports.forge import PullRequest, Repository
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import heads, pulls, repositories, trusts


class PullRows(Rows):
    """Implements bot.domain.ports.store.Pulls."""

    def save(self, pull: PullRequest) -> PullRequest | None:
        row = select(pulls).where(_matches(pull.repository, pull.number))
        before = self.one(PullRequest, row.with_for_update())
        self.replace(pulls, values(pulls, pull))
        return before

    def get(self, repository: str, number: int) -> PullRequest | None:
        return self.one(PullRequest, select(pulls).where(_matches(repository, number)))

    def open(self, repository: str) -> list[PullRequest]:
        query = select(pulls).where(pulls.c.repository == repository, pulls.c.state == "open")
        return self.many(PullRequest, query.order_by(pulls.c.number))

    def trust(self, repository: str, number: int, head_sha: str, login: str) -> None:
        row = {"repository": repository, "number": number, "head_sha": head_sha, "login": login}
        self.upsert(trusts, row)

    def trusted(self, repository: str, number: int, head_sha: str) -> bool:
        return self.exists(
            trusts,
            trusts.c.repository == repository,
            trusts.c.number == number,
            trusts.c.head_sha == head_sha,
        )

    def saw_head(self, repository: str, number: int, head_sha: str, at: datetime) -> None:
        row = {"repository": repository, "number": number, "head_sha": head_sha, "seen_at": at}
        if not self.upsert(heads, row):
            later = heads.update().where(_is_head(repository, number, head_sha), heads.c.seen_at > at)
            self.connection.execute(later.values(seen_at=at))

    def head_seen(self, repository: str, number: int, head_sha: str) -> datetime | None:
        query = select(heads.c.seen_at).where(_is_head(repository, number, head_sha))
        return self.connection.scalars(query).first()

    def save_repository(self, repository: Repository) -> None:
        self.replace(repositories, values(repositories, repository))

    def repository(self, name: str) -> Repository | None:
        return self.one(Repository, select(repositories).where(repositories.c.name == name))

    def repositories(self) -> list[Repository]:
        return self.many(Repository, select(repositories).order_by(repositories.c.name))


def _is_head(repository: str, number: int, head_sha: str) -> ColumnElement[bool]:
    same_pull = and_(heads.c.repository == repository, heads.c.number == number)
    return and_(same_pull, heads.c.head_sha == head_sha)


def _matches(repository: str, number: int) -> ColumnElement[bool]:
    return and_(pulls.c.repository == repository, pulls.c.number == number)
