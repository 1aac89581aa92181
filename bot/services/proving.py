"""After a revert: the proof that the world is as the release left it, or what differs."""

from __future__ import annotations

from bot.domain.plan import PlanSummary
from bot.domain.reverting import Difference, difference
from bot.domain.run import Run
from bot.errors import UserError
from bot.services.context import Context
from bot.services.going_back import state_left_by

SHOWN = 10
"""Differences that are named; the rest are counted."""


def proof(context: Context, run: Run) -> str:
    """Whether the world is as the release left it that a revert went back to, in a sentence or two; and how git gets
    there too."""
    with context.store.read() as tables:
        release = tables.releases.get(run.reverts)
        current = tables.states.current(run.target.key)
        plan = tables.plans.get(run.plan_id)
    if release is None or current is None or plan is None:
        return ""
    then = state_left_by(context, release)
    if not then:
        return "The state that this release left is not recorded any more, so nothing could be compared."
    try:
        found = difference(then, current[1], PlanSummary.from_dict(plan.summary))
    except UserError as error:
        return f"It could not be compared with what that release left: {error}"
    anew = ", ".join(f"`{one}`" for one in found.recreated[:SHOWN])
    identity = f" New by identity, and empty: {anew}." if anew else ""
    if found.holds:
        return f"The world is as `{release.commit[:7]}` left it.{identity}"
    named = "; ".join(_told(one) for one in found.differences[:SHOWN])
    more = f"; and {len(found.differences) - SHOWN} more" if len(found.differences) > SHOWN else ""
    return f"What differs from what `{release.commit[:7]}` left: {named}{more}.{identity}"


def _told(one: Difference) -> str:
    if one.kind in ("missing", "extra"):
        return f"`{one.address}` is {'missing' if one.kind == 'missing' else 'there, and was not'}"
    return f"`{one.address}`: {', '.join(change.path for change in one.attributes[:3])}"


def range_link(context: Context, run: Run) -> str:
    """Where git's side of a revert begins: the commits that were taken back, compared on GitHub; "" where there are
    none."""
    url = context.known(run.target.repository).url
    with context.store.read() as tables:
        plan = tables.plans.get(run.plan_id)
    if plan is None or plan.summary.get("forward"):
        return ""
    return f"{url}/compare/{run.commit}...{run.base_commit}"
