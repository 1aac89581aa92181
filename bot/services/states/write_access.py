"""Whether a pull request may write to a target's state now."""

from __future__ import annotations

from bot.domain.gates import refuse_locked
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refused
from bot.domain.target import Target
from bot.services.context import Context


def refuse_claimed(context: Context, tables: Tables, target: Target, pull: int) -> Refused | None:
    """Return why pull request `pull` may not write to the target's state now: another's lock, or a running apply."""
    lock = tables.locks.get(target)
    if lock is not None and lock.bars(pull, context.now()):
        return refuse_locked(lock, target)
    if busy := tables.runs.changing(target):
        return Refused(
            "busy", f"An apply of #{busy[0].pull} is running on {target}.", "Wait until it has finished."
        )
    return None
