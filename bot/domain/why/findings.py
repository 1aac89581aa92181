"""What errors and logs say: a known cause, a place, who holds a lock."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.sanitize import outside
from bot.domain.states import LockInfo
from bot.domain.why.model import CauseKind, Diagnostic
from bot.domain.why.patterns import recognise


def first_known(diagnostics: Sequence[Diagnostic]) -> CauseKind | None:
    """The cause that the first of them names: what follows is often its consequence."""
    return next((kind for one in diagnostics if (kind := recognise(one.text))), None)


def end_of(log: Sequence[str]) -> str:
    """The end of a log, where the error is."""
    return "\n".join(log[-25:])


def place_of(diagnostics: Sequence[Diagnostic]) -> str:
    """A clause with the first place that an error names, "" if none does."""
    first = next((one for one in diagnostics if one.file), None)
    return f" at `{outside(first.file)}` line {first.line}" if first else ""


def holder_of(held: dict[str, str]) -> str:
    """Who holds the lock that Terraform's error describes: the error prints what whoever took it wrote."""
    if "ID" not in held:
        return ""
    lock = LockInfo(
        held["ID"], held.get("Operation", ""), who=held.get("Who", ""), created=held.get("Created", "")
    )
    return f" by {outside(lock.description)}"
