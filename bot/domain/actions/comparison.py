"""How a plan differs from the one that was reviewed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.actions.reviewed import ReviewedPlan
from bot.domain.sanitize import outside

NAMED = 20
"""Addresses that are named for each kind of difference."""


@dataclass(frozen=True)
class Difference:
    """added: addresses that only the new plan changes. gone: those that only the reviewed one changes. other: those that
    both change, differently. unnamed: they differ, but the reviewed plan was too large to keep its addresses."""

    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    unnamed: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.gone or self.other or self.unnamed)

    @property
    def text(self) -> str:
        """The differences in sentences, "" if there are none. Addresses come from a pull request, and are escaped."""
        parts = [
            _listed("Not in the reviewed plan", self.added),
            _listed("In the reviewed plan only", self.gone),
            _listed("Planned differently", self.other),
            "The reviewed plan is too large to name what differs." if self.unnamed else "",
        ]
        return " ".join(part for part in parts if part)


def difference(reviewed: ReviewedPlan, now: ReviewedPlan) -> Difference:
    """Compare two plans of one target whose digests were made with the same key."""
    if reviewed.digest == now.digest:
        return Difference()
    if reviewed.abridged:
        return Difference(unnamed=True)
    before, after = reviewed.changes, now.changes
    return Difference(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(name for name in after.keys() & before.keys() if after[name] != before[name])),
    )


def _listed(what: str, addresses: Iterable[str]) -> str:
    names = list(addresses)
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{what}: {', '.join(f'`{outside(name)}`' for name in names[:NAMED])}{more}."
