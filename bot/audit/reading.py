"""Reading the whole record, however long it is, and writing it as lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from bot.domain.audit import Entry
from bot.domain.ports.store import Store

BATCH = 2000
"""Entries read in one transaction: a reader that is slow (a pipe, a disk) must not keep one open meanwhile."""


def walk(store: Store, after: int = 0) -> Iterator[Entry]:
    """All entries in order, from the number after `after`, those added meanwhile included. Since entries never change,
    several transactions show one record. Raises ValueError or TypeError at a row that cannot be read."""
    while True:
        batch: list[Entry] = []
        with store.read() as tables:
            entries = islice(tables.audit.entries(after), BATCH)
            broken = _fill(batch, entries)
        yield from batch
        if broken is not None:
            raise broken
        if len(batch) < BATCH:
            return
        after = batch[-1].number


def _fill(batch: list[Entry], entries: Iterator[Entry]) -> Exception | None:
    """What can be read before the first row that cannot, so that its place is known."""
    try:
        batch.extend(entries)
    except (ValueError, TypeError) as error:
        return error
    return None


def line(entry: Entry) -> str:
    """One line of the export: the JSON whose sha256, without its `digest`, is its digest."""
    return json.dumps(entry.to_dict(), sort_keys=True, separators=(",", ":"))
