"""What an apply comes after: the plans of the stacks before its own, and the applies that are running there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.domain.gates import Upstream
from bot.domain.policy import Policy
from bot.domain.ports.store import Tables
from bot.domain.run import Plan, Run
from bot.domain.target import Target


def upstreams_of(
    policy: Policy, target: Target, plans: Mapping[Target, Plan], touched: Collection[str]
) -> tuple[Upstream, ...]:
    """Return what `target` comes after. plans: the pull request's newest ones there. touched: the stacks that it changes."""
    return tuple(
        Upstream(one, plans.get(one), touched=one.stack in touched) for one in policy.upstream(target)
    )


def upstream_applying(tables: Tables, policy: Policy, target: Target) -> Run | None:
    """Return an apply, of any pull request, that has started on a target that `target` comes after."""
    before = policy.upstream(target)
    if not before:
        return None
    applies = tables.runs.applies(target.repository)
    running = (applies[one] for one in before if one in applies)
    return next((run for run in running if run.phase != "queued"), None)
