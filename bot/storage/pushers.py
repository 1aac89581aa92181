"""Store who pushed to pull requests, and who pushed commits."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from bot.storage.rows import Rows
from bot.storage.tables import pushed_commits, pushers


class PusherRows(Rows):
    """Implements bot.domain.ports.records.Pushers."""

    def add(self, repository: str, number: int, logins: Iterable[str]) -> None:
        who = sorted({one.lower() for one in logins})
        self.add_missing(
            pushers, [{"repository": repository, "number": number, "login": login} for login in who]
        )

    def add_commits(self, repository: str, commits: Iterable[str], logins: Iterable[str]) -> None:
        who, pushed = sorted({one.lower() for one in logins}), sorted(set(commits))
        rows = [
            {"repository": repository, "commit": commit, "login": login} for login in who for commit in pushed
        ]
        self.add_missing(pushed_commits, rows)

    def of_pull(self, repository: str, number: int) -> frozenset[str]:
        query = select(pushers.c.login).where(pushers.c.repository == repository, pushers.c.number == number)
        return frozenset(self.connection.scalars(query))

    def of_commits(self, repository: str, commits: Iterable[str]) -> frozenset[str]:
        of = pushed_commits.c
        query = select(of.login).where(of.repository == repository, of.commit.in_(list(commits)))
        return frozenset(self.connection.scalars(query.distinct()))
