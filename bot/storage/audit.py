"""Store the audit record: rows that are only ever added, each chained to the one before by its hash."""

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

_ADVISORY_LOCK = 5_118_402_776_301
"""The number of Postgres's advisory lock for writers: arbitrary, but unique in the database."""


class AuditRows(Rows):
    """Implements bot.domain.ports.records.Audit."""

    def add(self, entry: Entry) -> Entry:
        """Add it late in a transaction: until the transaction ends, no other one can add entries.

        Raises ValueError for a time without a time zone, or for facts that are not JSON.
        """
        entry = _normalised(entry)
        if self.connection.dialect.name != "sqlite":  # SQLite has only one writing transaction anyway
            self.connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        last = self.head()
        number, previous = (last.number, last.digest) if last else (0, FIRST)
        chained = entry.chained(number + 1, previous)
        self.insert(audit, values(audit, chained))
        return chained

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Reads in batches within this transaction. Raises ValueError or TypeError at a row with invalid values."""
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

    def newest(self, action: str, repository: str, pull: int) -> Entry | None:
        of_pull = audit.c.repository == repository, audit.c.pull == pull, audit.c.action == action
        return self.one(Entry, select(audit).where(*of_pull).order_by(audit.c.number.desc()))


def _normalised(entry: Entry) -> Entry:
    """Return the entry as a database returns it, so that its digest is stable: time in UTC, facts as JSON has them.

    JSON turns tuples into lists, and keys into strings.
    """
    if entry.at.tzinfo is None:
        raise ValueError(f"a time without a time zone: {entry.at.isoformat()}")
    facts = json.loads(json.dumps(entry.facts, allow_nan=False))
    return replace(entry, at=entry.at.astimezone(UTC), facts=facts)
