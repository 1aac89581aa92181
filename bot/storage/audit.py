"""The audit record: rows that are added and never changed, each chained to the one before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC

from sqlalchemy import func, select

from bot.domain.audit import FIRST, Entry
from bot.storage.columns import read, values
from bot.storage.rows import Rows
from bot.storage.tables import audit

BATCH = 500
"""Entries read with one statement."""

_WRITING = 5_118_402_776_301
"""The advisory lock's number: any, but always the same, and no other lock's."""


class AuditRows(Rows):
    def add(self, entry: Entry) -> Entry:
        """Chain it to the last one. Add it late in a transaction: on Postgres too all who add wait from here for its
        end. Raises ValueError for a time without a zone, or for facts that are no JSON."""
        entry = _exact(entry)
        if self.connection.dialect.name != "sqlite":  # there one transaction writes at a time anyway
            self.connection.execute(select(func.pg_advisory_xact_lock(_WRITING)))
        last = self.head()
        number, previous = (last.number, last.digest) if last else (0, FIRST)
        chained = entry.chained(number + 1, previous)
        self.insert(audit, values(audit, chained))
        return chained

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """In order, from the number after `after`, read in batches within this transaction. Raises ValueError or
        TypeError at a row whose values were changed to what no entry has."""
        while True:
            found = 0
            query = select(audit).where(audit.c.number > after).order_by(audit.c.number).limit(BATCH)
            for row in self.connection.execute(query).mappings():
                entry = read(Entry, row)
                found, after = found + 1, entry.number
                yield entry
            if found < BATCH:
                return

    def head(self) -> Entry | None:
        return self.one(Entry, select(audit).order_by(audit.c.number.desc()))


def _exact(entry: Entry) -> Entry:
    """The entry as any database gives it back, so that it has one digest: its time in UTC, its facts as JSON has them
    (lists for tuples, texts for keys)."""
    if entry.at.tzinfo is None:
        raise ValueError(f"a time without a time zone: {entry.at.isoformat()}")
    facts = json.loads(json.dumps(entry.facts, allow_nan=False))
    return replace(entry, at=entry.at.astimezone(UTC), facts=facts)
