"""Forget instances that were destroyed long ago, with their states."""

from __future__ import annotations

from datetime import timedelta

from bot.services.context import Context

KEPT = timedelta(days=30)
"""How long the states of a destroyed instance are kept: long enough to find out what it had."""


def forget_ended_instances(context: Context, limit: int) -> int:
    """Delete at most `limit` instances that have been gone for KEPT, and their recorded states; return how many."""
    with context.store.begin() as tables:
        ended = tables.instances.ended(context.now() - KEPT, limit)
        for instance in ended:
            tables.states.forget(instance.target.key)
            tables.instances.forget(instance.target)
    return len(ended)
