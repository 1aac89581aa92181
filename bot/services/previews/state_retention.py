"""Forget instances that were destroyed long ago, with their states."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.domain.previews import Instance
from bot.errors import TransientError, UserError
from bot.services.context import Context

log = structlog.get_logger()

KEPT = timedelta(days=30)
"""How long the states of a destroyed instance are kept: long enough to find out what it had."""


def forget_ended_instances(context: Context, limit: int) -> int:
    """Delete at most `limit` instances that have been gone for KEPT, and their states; return how many.

    A state in a bucket is deleted there if it is empty. If the bucket does not answer, its instance is left to the next call.
    """
    with context.store.read() as tables:
        ended = tables.instances.ended(context.now() - KEPT, limit)
    ended = [instance for instance in ended if _discarded(context, instance)]
    with context.store.begin() as tables:
        for instance in ended:
            tables.locks.lock_targets(instance.target)
            if tables.instances.get(instance.target) == instance:
                tables.states.forget(instance.target.key)
                tables.instances.forget(instance.target)
    return len(ended)


def _discarded(context: Context, instance: Instance) -> bool:
    """Delete the state from its bucket. Returns False if that has to be tried again."""
    with context.store.read() as tables:
        plan = tables.plans.newest(instance.target, instance.pull)
    if plan is None or plan.backend["kind"] != "s3":
        return True
    target = instance.target
    try:
        if not context.backends.discard(target, context.backends.restore(plan.backend)):
            log.warning("the state of a destroyed instance is not empty, and stays", target=target.key)
    except TransientError as error:
        log.info("state not deleted yet", target=target.key, error=str(error)[:200])
        return False
    except (UserError, ValueError) as error:  # the bucket is gone, or denies it
        log.warning(
            "the state of a destroyed instance stays in its bucket", target=target.key, error=str(error)[:200]
        )
    return True
