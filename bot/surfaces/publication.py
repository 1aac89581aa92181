"""When plans became visible: recorded with the platform's time of the write that showed them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.run import Plan
from bot.services.context import Context


def unpublished(plans: Iterable[Plan | None], *, in_slack: bool = False) -> tuple[str, ...]:
    """Return the ids of plans of which it is not known that people could see them. A surface that shows one is posted
    even if its text is unchanged, since only then the platform says when."""
    return tuple(
        plan.id
        for plan in plans
        if plan is not None and (plan.posted_at if in_slack else plan.published_at) is None
    )


def publish(
    context: Context, plan_ids: tuple[str, ...], at: datetime | None, *, in_slack: bool = False
) -> None:
    """Record that plans were shown. at: the platform's time, None if nothing was posted or the platform did not say.

    It is committed before the surface is settled: after a crash in between, the surface is posted again, and the earlier
    time is true as well."""
    if plan_ids and at is not None:
        with context.store.begin() as tables:
            tables.plans.publish(plan_ids, at, in_slack=in_slack)
