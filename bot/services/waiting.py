"""By the clock: approvals that have expired, and applies that were asked for `when-approved` and may go now."""

from __future__ import annotations

import structlog

from bot.domain.approval import Approval
from bot.domain.ports.forge import ForgeError
from bot.domain.run import Plan
from bot.domain.state import StateVersion
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
    for approval in _stirred(context):
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


def _stirred(context: Context) -> list[Approval]:
    """Those of which a look at the rows says that something may be done: mostly there is nothing, and each further look
    is a transaction that writes."""
    with context.store.read() as tables:
        live = tables.approvals.all_live()
        repositories = {one.target.repository for one in live}
        pulls = {
            (pull.repository, pull.number): pull for name in repositories for pull in tables.pulls.open(name)
        }
        plans = tables.plans.known(one.run_id for one in live)
        states = tables.states.newest_of(one.target.key for one in live)
    return [
        one
        for one in live
        if (one.when_approved and one.status == "open")
        or one.expired(context.now())
        or approving.outrun(one, pulls.get((one.target.repository, one.pull)))
        or _overtaken(plans.get(one.run_id), states.get(one.target.key))
    ]


def _overtaken(plan: Plan | None, state: StateVersion | None) -> str:
    """Why nobody can apply that plan any more; "" where it stands, or is still being made."""
    if plan is None:
        return ""
    if plan.status not in ("fresh", "applying"):
        return "it was planned again" if plan.status == "superseded" else "its plan was used"
    if state is None or plan.backend["kind"] != "http":
        return ""
    same = (state.lineage, state.serial) == (plan.lineage, plan.serial)
    return "" if same else "the state there has changed since its plan"


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
        if why := _overtaken(plan, tables.states.newest(have.target.key)):
            approving.end(context, tables, have, "dead", why)
            return
        if policy is None or have.target.environment not in policy.environments:
            return
        going = have.when_approved and have.status == "open" and voting.seen(tables, have).missing.complete
        going = going and not waits(context, tables, policy, have.target, have.pull)
    if going:
        applying.go_on(context, approval)
