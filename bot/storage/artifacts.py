"""Store artifacts (outputs of releases) encrypted, and the tickets to download them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, and_, select, type_coerce

from bot.domain.ports.records import Artifact, Ticket
from bot.domain.target import Target
from bot.storage.columns import read, values
from bot.storage.rows import Rows, context
from bot.storage.tables import artifacts, pulls, releases, tickets


class ArtifactRows(Rows):
    """Implements bot.domain.ports.records.Artifacts."""

    def keep(self, artifact: Artifact, content: bytes) -> None:
        """The row of an older artifact with the same target and name is replaced, including its id."""
        row = values(artifacts, artifact)
        row["content"] = self.vault.seal(content, context(artifacts, artifact.id))
        self.upsert(artifacts, row, by=("target", "name"), change=row)

    def get(self, target: Target, name: str) -> Artifact | None:
        query = select(artifacts).where(artifacts.c.target == target, artifacts.c.name == name)
        return self.one(Artifact, query)

    def by_id(self, artifact_id: str) -> Artifact | None:
        return self.one(Artifact, select(artifacts).where(artifacts.c.id == artifact_id))

    def of_target(self, target: Target) -> list[Artifact]:
        query = select(artifacts).where(artifacts.c.target == target)
        return self.many(Artifact, query.order_by(artifacts.c.name))

    def of_repository(self, repository: str) -> list[Artifact]:
        query = select(artifacts).where(artifacts.c.repository == repository)
        return self.many(Artifact, query.order_by(artifacts.c.target, artifacts.c.name))

    def content(self, artifact_id: str) -> bytes:
        """Raises KeyError if it does not exist, SealError (a ValueError) if it cannot be decrypted."""
        row = self.first(select(artifacts.c.content).where(artifacts.c.id == artifact_id))
        if row is None:
            raise KeyError(artifact_id)
        return self.vault.open(row.content, context(artifacts, artifact_id))

    def forget(self, before: datetime, limit: int) -> int:
        of_pull = and_(pulls.c.repository == artifacts.c.repository, pulls.c.number == releases.c.pull)
        query = select(artifacts.c.id).join_from(artifacts, releases, releases.c.id == artifacts.c.release_id)
        old = query.join(pulls, of_pull).where(
            artifacts.c.created_at < before,
            type_coerce(artifacts.c.target, Text).like("%:%:%:%"),  # only a target with an instance
            pulls.c.state != "open",
        )
        return self.count(artifacts.delete().where(artifacts.c.id.in_(old.limit(limit))))

    def forget_tickets(self, now: datetime, limit: int) -> int:
        expired = select(tickets.c.digest).where(tickets.c.expires_at <= now).limit(limit)
        return self.count(tickets.delete().where(tickets.c.digest.in_(expired)))

    def issue(self, ticket: Ticket) -> None:
        """Raises SQLAlchemy's IntegrityError if its token was issued before."""
        self.insert(tickets, values(tickets, ticket))

    def redeem(self, digest: str, now: datetime) -> Ticket | None:
        """Expired tickets are deleted as well."""
        self.connection.execute(tickets.delete().where(tickets.c.expires_at <= now))
        redeemed = tickets.delete().where(tickets.c.digest == digest).returning(*tickets.c)
        row = self.connection.execute(redeemed).mappings().first()
        return None if row is None else read(Ticket, row)
