"""Store which Slack user has which GitHub login, link codes, and the last repository of each Slack channel."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from bot.domain.ports.store import Code, Identity
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import channels, codes, identities


class IdentityRows(Rows):
    """Implements bot.domain.ports.store.Identities."""

    def login(self, slack: str) -> str:
        row = self.first(select(identities.c.login).where(identities.c.slack == slack))
        return str(row.login) if row else ""

    def slack(self, login: str) -> str:
        linked = self.linked_to(login)
        return linked[-1] if linked else ""

    def linked_to(self, login: str) -> list[str]:
        same_login = func.lower(identities.c.login) == login.lower()
        query = select(identities.c.slack).where(same_login)
        rows = self.connection.execute(query.order_by(identities.c.linked_at, identities.c.slack))
        return [str(row.slack) for row in rows]

    def unlink(self, slack: str) -> None:
        self.connection.execute(identities.delete().where(identities.c.slack == slack))
        self.connection.execute(codes.delete().where(codes.c.who == slack))

    def link(self, identity: Identity) -> None:
        self.replace(identities, values(identities, identity))

    def offer(self, code: Code) -> None:
        self.insert(codes, values(codes, code))

    def claim(self, digest: str, login: str, asked: str, now: datetime) -> Code | None:
        """The update waits for another transaction's, so that the first of two logins has the code."""
        free = codes.update().where(codes.c.digest == digest, codes.c.expires_at > now, codes.c.login == "")
        self.connection.execute(free.values(login=login, asked=asked))
        return self.one(Code, select(codes).where(codes.c.digest == digest, codes.c.expires_at > now))

    def redeem(self, digest: str, now: datetime) -> Code | None:
        """Expired codes are deleted as well."""
        self.connection.execute(codes.delete().where(codes.c.expires_at <= now))
        code = self.one(Code, select(codes).where(codes.c.digest == digest))
        deleted = self.count(codes.delete().where(codes.c.digest == digest))
        return code if deleted == 1 else None

    def forget_codes(self, now: datetime, limit: int) -> int:
        expired = select(codes.c.digest).where(codes.c.expires_at <= now).limit(limit)
        return self.count(codes.delete().where(codes.c.digest.in_(expired)))

    def channel_repository(self, channel: str) -> str:
        row = self.first(select(channels.c.repository).where(channels.c.channel == channel))
        return str(row.repository) if row else ""

    def remember_channel(self, channel: str, repository: str) -> None:
        self.replace(channels, {"channel": channel, "repository": repository})
