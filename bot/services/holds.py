"""Whether a hold keeps a commit out."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.hold import Hold
from bot.domain.target import Target
from bot.services.context import Context


def hold_against(context: Context, target: Target, commit: str) -> Hold | None:
    """Return the target's hold if `commit`, which must be in the mirror, contains a commit that it keeps out; `reverted`
    is then that one."""
    with context.store.read() as tables:
        hold = tables.holds.get(target)
    return hold and held_back(context, hold, commit)


def held_back(context: Context, hold: Hold, commit: str) -> Hold | None:
    """Return the hold, with `reverted` the commit that it keeps out and that `commit` contains; None if there is none."""
    repository = hold.target.repository
    found = next((one for one in hold.held if context.git.is_ancestor(repository, one, commit)), None)
    return replace(hold, reverted=found) if found else None
