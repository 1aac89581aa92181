"""The proof after a revert: whether the environment matches the release, or what differs."""

from __future__ import annotations

from bot.domain.plans import PlanSummary
from bot.domain.reverts import Difference, compare_with_release
from bot.domain.run import Run
from bot.errors import UserError
from bot.services.context import Context
from bot.services.plans import state_left_by

SHOWN = 10
"""Differences that are listed; the rest are counted."""


def revert_proof(context: Context, run: Run) -> str:
    """Say in a sentence or two whether the environment matches the release that a revert returned to."""
    with context.store.read() as tables:
        release = tables.releases.get(run.reverts)
        current = tables.states.current(run.target.key)
        plan = tables.plans.get(run.plan_id)
    if release is None or current is None or plan is None:
        return ""
    then = state_left_by(context, release)
    if not then:
        return "The state that this release left is no longer recorded, so nothing was compared."
    try:
        found = compare_with_release(then, current[1], PlanSummary.from_dict(plan.summary))
    except UserError as error:
        return f"Comparing with that release failed: {error}"
    anew = ", ".join(f"`{one}`" for one in found.recreated[:SHOWN])
    identity = f" Recreated, contents lost: {anew}." if anew else ""
    if found.matches:
        return f"{run.target} matches `{release.commit[:7]}`.{identity}"
    named = "; ".join(_told(one) for one in found.differences[:SHOWN])
    more = f"; and {len(found.differences) - SHOWN} more" if len(found.differences) > SHOWN else ""
    return f"{run.target} differs from `{release.commit[:7]}`: {named}{more}.{identity}"


def _told(one: Difference) -> str:
    if one.kind in ("missing", "extra"):
        return f"`{one.address}` is {'missing' if one.kind == 'missing' else 'new'}"
    if one.kind == "output":
        return f"output `{one.address}`"
    return f"`{one.address}`: {', '.join(change.path for change in one.attributes[:3])}"


def range_link(context: Context, run: Run) -> str:
    """Return a link to the reverted commits on GitHub; "" if there are none."""
    url = context.known(run.target.repository).url
    with context.store.read() as tables:
        plan = tables.plans.get(run.plan_id)
    if plan is None or plan.summary.get("forward"):
        return ""
    return f"{url}/compare/{run.commit}...{run.base_commit}"
