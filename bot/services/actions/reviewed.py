"""What of a pull request's plans travels to the merge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.domain.actions import ReviewedPlans, reviewed_plan
from bot.domain.ports.forge import PullRequest
from bot.domain.target import Target
from bot.services.context import Context


def reviewed_plans(
    context: Context,
    pull: PullRequest,
    targets: list[Target],
    changes: Mapping[str, Mapping[str, str]],
    key: str,
    shown_at: datetime,
) -> ReviewedPlans | None:
    """Return the latest plans of `targets`, None if there are none.

    changes: run id → what its plan does, see bot.domain.actions.planned_changes. key: the secret key. shown_at: when they
    were posted, by GitHub's clock.
    """
    with context.store.read() as tables:
        found = tables.plans.newest_of(targets, pull.number)
    plans = [plan for plan in found.values() if plan.run_id in changes]
    if not plans:
        return None
    kept = {plan.target.key: reviewed_plan(changes[plan.run_id], key) for plan in plans}
    return ReviewedPlans(pull.repository, pull.number, pull.head_sha, plans[0].tree, shown_at, kept)
