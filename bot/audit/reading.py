"""Read the complete audit record, however long it is, and format it for export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from bot.domain.audit import Entry
from bot.domain.ports.store import Store

BATCH = 2000
"""Entries read per transaction: a slow consumer (a pipe, a disk) must not keep a transaction open."""


def walk(store: Store, after: int = 0) -> Iterator[Entry]:
    """Yield all entries with a number above `after` in order, including those added meanwhile.

    Entries never change, so reading them in several transactions is consistent. Raises ValueError or TypeError at an
    entry that cannot be read.
    """
    while True:
        batch: list[Entry] = []
        with store.read() as tables:
            entries = islice(tables.audit.entries(after), BATCH)
            error = _fill(batch, entries)
        yield from batch
        if error is not None:
            raise error
        if len(batch) < BATCH:
            return
        after = batch[-1].number


def _fill(batch: list[Entry], entries: Iterator[Entry]) -> Exception | None:
    """Add entries to `batch` up to the first that cannot be read; return its error."""
    try:
        batch.extend(entries)
    except (ValueError, TypeError) as error:
        return error
    return None


def line(entry: Entry) -> str:
    """Return one line of the export: the JSON whose sha256, taken without `digest`, is the digest."""
    return json.dumps(entry.to_dict(), sort_keys=True, separators=(",", ":"))
