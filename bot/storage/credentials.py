"""Credentials of runs for the built-in state backend. Passwords are random, so a plain sha256 keeps them."""

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
    def issue(self, username: str, password: str, grant: Grant) -> None:
        """Keep a credential; an older one of the same name is replaced."""
        row = values(credentials, grant) | {"username": username, "digest": _digest(password)}
        self.replace(credentials, row)

    def resolve(self, username: str, password: str) -> Grant | None:
        """What the credential allows, expired or not (the caller knows the time); None where it is wrong."""
        query = select(credentials).where(credentials.c.username == username)
        row = self.connection.execute(query).mappings().first()
        right = hmac.compare_digest(
            row["digest"] if row else "", _digest(password)
        )  # as long for a name unknown
        return read(Grant, row) if row is not None and right else None

    def revoke(self, run_id: str) -> None:
        """Forget all credentials of a run."""
        self.connection.execute(credentials.delete().where(credentials.c.run_id == run_id))

    def drop(self, username: str) -> None:
        """Forget one credential."""
        self.connection.execute(credentials.delete().where(credentials.c.username == username))

    def forget(self, now: datetime, limit: int) -> int:
        """Delete `limit` at most that have expired; returns how many."""
        old = select(credentials.c.username).where(credentials.c.expires_at <= now).limit(limit)
        return self.count(credentials.delete().where(credentials.c.username.in_(old)))


def _digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
