"""Whether the record is as it was written: every entry hashes to its digest and follows the one before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.audit import FIRST, Entry


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    entries: how many are as they were written, from the first. head: the digest of the last of these. number: of the
    entry where it breaks, 0 where it is whole. why: a sentence for people, "" where it is whole.
    """

    entries: int
    head: str
    number: int = 0
    why: str = ""

    @property
    def ok(self) -> bool:
        return not self.why


def verify(entries: Iterable[Entry], head: str = "") -> Verified:
    """Check all entries, in order from the first.

    head: a digest noted earlier ("": none). Only with it is seen that the end was cut off, or that everything was
    written anew: the entry with that digest must still be there.
    """
    count, last, known = 0, FIRST, head in ("", FIRST)
    there = iter(entries)
    while True:
        number = count + 1
        try:
            entry = next(there, None)
        except (ValueError, TypeError):
            return Verified(count, last, number, f"Entry {number} cannot be read: it was changed.")
        if entry is None:
            break
        if why := _wrong(entry, number, last):
            return Verified(count, last, number, why)
        count, last = number, entry.digest
        known = known or last == head
    if not known:
        return Verified(
            count,
            last,
            number,
            f"No entry has the digest {head}: what followed entry {count} was cut off, or the record was written anew.",
        )
    return Verified(count, last)


def _wrong(entry: Entry, number: int, previous: str) -> str:
    """What is wrong with the entry at place `number`, or ""."""
    if entry.number != number:
        return f"Entry {number} is missing: entry {entry.number} comes in its place."
    if entry.previous != previous:
        return f"Entry {number} does not follow entry {number - 1}: one of them was changed or replaced."
    if entry.digest != entry.compute():
        return f"Entry {number} was changed: its content does not have its digest."
    return ""
