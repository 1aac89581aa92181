"""Find instances that exist without a record: what people applied to one by hand, and what older versions applied."""

from __future__ import annotations

from bot.domain.previews import Instance
from bot.domain.target import Target
from bot.services.context import Context


def adopt_leftovers(context: Context) -> int:
    """Record an instance for each state of one that has resources and no record; return how many.

    From then on it is looked after like any other: destroyed once its pull request is closed.
    """
    with context.store.read() as tables:
        unknown = tables.instances.unrecorded()
    adopted = 0
    for key in unknown:
        target = Target.from_key(key)
        number = target.instance.rpartition("-")[2]
        adopted += number.isdigit() and adopt(context, target, int(number))
    return adopted


def adopt(context: Context, target: Target, number: int) -> bool:
    """Record an instance that exists and has no record. Returns False if it has one by now, or its pull request is unknown."""
    now = context.now()
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        plan = tables.plans.newest(target, number)
        pull = tables.pulls.get(target.repository, number)
        known = tables.instances.get(target)
        if pull is None or (known is not None and known.state != "gone"):
            return False
        commit = plan.commit if plan else pull.head_sha
        tables.instances.save(Instance(target, number, "up", "up", False, now, now, now, commit=commit))
    return True
