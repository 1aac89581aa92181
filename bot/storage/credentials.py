"""Store credentials for the built-in state backend. Passwords are random, so a plain sha256 of each is enough."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import select

from bot.domain.ports.state import Grant
from bot.storage.columns import read, values
from bot.storage.rows import Rows
from bot.storage.tables import credentials


class CredentialRows(Rows):
    """Implements bot.domain.ports.state.CredentialStore."""

    def issue(self, username: str, password: str, grant: Grant) -> None:
        row = values(credentials, grant) | {"username": username, "digest": _digest(password)}
        self.replace(credentials, row)

    def resolve(self, username: str, password: str) -> Grant | None:
        query = select(credentials).where(credentials.c.username == username)
        row = self.connection.execute(query).mappings().first()
        # An unknown name is compared too, so that it takes as long as a wrong password.
        matches = hmac.compare_digest(row["digest"] if row else "", _digest(password))
        return read(Grant, row) if row is not None and matches else None

    def revoke(self, run_id: str) -> None:
        self.connection.execute(credentials.delete().where(credentials.c.run_id == run_id))

    def drop(self, username: str) -> None:
        self.connection.execute(credentials.delete().where(credentials.c.username == username))

    def forget(self, now: datetime, limit: int) -> int:
        expired = select(credentials.c.username).where(credentials.c.expires_at <= now).limit(limit)
        return self.count(credentials.delete().where(credentials.c.username.in_(expired)))


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
