"""Who is who, link codes, and which repository a Slack channel last spoke of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from bot.domain.ports.store import Code, Identity
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import channels, codes, identities


class IdentityRows(Rows):
    def login(self, slack: str) -> str:
        """The GitHub login of a Slack user (`team/user`), or "" while they are not linked."""
        row = self.first(select(identities.c.login).where(identities.c.slack == slack))
        return str(row.login) if row else ""

    def slack(self, login: str) -> str:
        """The Slack user linked to a login (whose case does not matter) last, or ""."""
        mine = func.lower(identities.c.login) == login.lower()
        row = self.first(select(identities.c.slack).where(mine).order_by(identities.c.linked_at.desc()))
        return str(row.slack) if row else ""

    def link(self, identity: Identity) -> None:
        """A Slack user has one login: a new link replaces the old one."""
        self.replace(identities, values(identities, identity))

    def offer(self, code: Code) -> None:
        self.insert(codes, values(codes, code))

    def redeem(self, digest: str, now: datetime) -> Code | None:
        """The unexpired code, deleted: it works once. Expired ones go too."""
        self.connection.execute(codes.delete().where(codes.c.expires_at <= now))
        code = self.one(Code, select(codes).where(codes.c.digest == digest))
        taken = self.count(codes.delete().where(codes.c.digest == digest))
        return code if taken == 1 else None

    def forget_codes(self, now: datetime, limit: int) -> int:
        """Delete `limit` at most that have expired; returns how many."""
        old = select(codes.c.digest).where(codes.c.expires_at <= now).limit(limit)
        return self.count(codes.delete().where(codes.c.digest.in_(old)))

    def channel_repository(self, channel: str) -> str:
        row = self.first(select(channels.c.repository).where(channels.c.channel == channel))
        return str(row.repository) if row else ""

    def remember_channel(self, channel: str, repository: str) -> None:
        self.replace(channels, {"channel": channel, "repository": repository})
