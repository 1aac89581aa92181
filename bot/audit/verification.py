"""Verify the audit record: every entry must hash to its digest and follow the one before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.audit import FIRST, Entry


@dataclass(frozen=True)
class Verified:
    """The result of a verification.

    entries: how many are intact, from the first. head: the digest of the last of these. number: of the first entry
    that is not intact, else 0. why: a sentence to show, "" if all are intact.
    """

    entries: int
    head: str
    number: int = 0
    why: str = ""

    @property
    def ok(self) -> bool:
        return not self.why


def verify(entries: Iterable[Entry], head: str = "") -> Verified:
    """Verify all entries, in order from the first.

    head: a digest noted earlier, which must still occur, or "". Without it, a removed end or a completely rewritten
    record cannot be detected.
    """
    count, last, head_found = 0, FIRST, head in ("", FIRST)
    remaining = iter(entries)
    while True:
        number = count + 1
        try:
            entry = next(remaining, None)
        except (ValueError, TypeError):
            return Verified(count, last, number, f"Entry {number} was changed: it cannot be read.")
        if entry is None:
            break
        if why := _problem(entry, number, last):
            return Verified(count, last, number, why)
        count, last = number, entry.digest
        head_found = head_found or last == head
    if not head_found:
        return Verified(
            count,
            last,
            number,
            f"No entry has the digest {head}: the entries after {count} were removed, or the record was rewritten.",
        )
    return Verified(count, last)


def _problem(entry: Entry, number: int, previous: str) -> str:
    """Return what is wrong with the entry at position `number`, or ""."""
    if entry.number != number:
        return f"Entry {number} is missing: entry {entry.number} is in its place."
    if entry.previous != previous:
        return f"Entry {number} does not follow entry {number - 1}: one of them was changed or replaced."
    if entry.digest != entry.compute():
        return f"Entry {number} was changed: its content does not match its digest."
    return ""
