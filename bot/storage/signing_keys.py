"""Store the keys that sign runs' tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select

from bot.domain.identity import SigningKey
from bot.storage.columns import values
from bot.storage.rows import Rows, context
from bot.storage.tables import signing_keys


class SigningKeyRows(Rows):
    """Implements bot.domain.ports.identity.SigningKeys."""

    def all(self) -> list[SigningKey]:
        return self.many(SigningKey, select(signing_keys).order_by(signing_keys.c.number))

    def add(self, key: SigningKey, private: bytes) -> bool:
        sealed = self.vault.seal(private, context(signing_keys, key.number))
        return self.upsert(signing_keys, values(signing_keys, key) | {"private": sealed})

    def private(self, number: int) -> bytes:
        row = self.first(select(signing_keys.c.private).where(signing_keys.c.number == number))
        if row is None:
            raise KeyError(number)
        return self.vault.open(row.private, context(signing_keys, number))

    def signed(self, number: int, until: datetime) -> bool:
        ours, known = signing_keys.c.number == number, signing_keys.c.tokens_until
        later = or_(known.is_(None), known < until)
        changed = self.count(signing_keys.update().where(ours, later).values(tokens_until=until))
        return bool(changed) or self.exists(signing_keys, ours)

    def drop(self, number: int, before: datetime) -> bool:
        known = signing_keys.c.tokens_until
        over = or_(known.is_(None), known < before)
        return bool(self.count(signing_keys.delete().where(signing_keys.c.number == number, over)))
