"""By the clock: approvals that have expired, and applies that were asked for `when-approved` and may go now."""

from __future__ import annotations

import structlog

from bot.domain.approval import Approval
from bot.domain.ports.forge import ForgeError
from bot.errors import TransientError, UserError
from bot.services import applying, approving, voting
from bot.services.context import Context, show_pull
from bot.services.promoting import waits
from bot.services.targets import readable_policy

log = structlog.get_logger()

FRESH = 60.0
"""Seconds for which the policy that was read last is good enough to see whether something still waits."""


def look_after(context: Context) -> None:
    """End what has expired; try again what waits for a soak time, a freeze or a queue to end."""
    with context.store.read() as tables:
        live = tables.approvals.all_live()
    for approval in live:
        try:
            _one(context, approval)
        except (ForgeError, TransientError, UserError) as error:
            log.warning("an approval is looked after later", approval=approval.id, error=str(error)[:200])
    context.poke()


def show_again(context: Context) -> None:
    """What changes with the time alone (a soak, a freeze, an expiry) is shown as it is now."""
    with context.store.begin() as tables:
        for repository in tables.pulls.repositories():
            for pull in tables.pulls.open(repository.name):
                if tables.surfaces.get(f"gate:{pull.repository}#{pull.number}") is not None:
                    show_pull(tables, context.now(), pull.repository, pull.number, urgent=False)
    context.poke()


def _one(context: Context, approval: Approval) -> None:
    policy = readable_policy(context, approval.target.repository, FRESH)
    with context.store.begin() as tables:
        pull = tables.pulls.get(approval.target.repository, approval.pull)
        if pull is not None:
            approving.moved(context, tables, pull)
        have = tables.approvals.get(approval.id)
        if have is None or not have.live:
            return
        if have.expired(context.now()):
            approving.end(context, tables, have, "expired", "nobody completed it in time")
            return
        plan = tables.plans.get(have.run_id)
        now = tables.states.newest(have.target.key) if plan and plan.backend["kind"] == "http" else None
        if plan is not None and plan.status not in ("fresh", "applying"):
            why = "it was planned again" if plan.status == "superseded" else "its plan was used"
            approving.end(context, tables, have, "dead", why)
            return
        if plan is not None and now is not None and (now.lineage, now.serial) != (plan.lineage, plan.serial):
            approving.end(context, tables, have, "dead", "the state there has changed since its plan")
            return
        if policy is None or have.target.environment not in policy.environments:
            return
        going = have.when_approved and have.status == "open" and voting.seen(tables, have).missing.complete
        going = going and not waits(context, tables, policy, have.target, have.pull)
    if going:
        applying.go_on(context, approval)
