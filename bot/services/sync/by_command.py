"""`/plan` and `/apply` on a merged pull request: they mean the default branch, since its own commit is merged."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.actors import Actor
from bot.domain.chat import RunsStarted
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal, Refused, require
from bot.domain.run import Origin
from bot.domain.target import Target, command
from bot.services.context import Context
from bot.services.promotion import plans_frozen
from bot.services.sync.request import SyncRequest, request_sync
from bot.services.targets import PullContext


def plan_main(
    context: Context, pull_context: PullContext, targets: Sequence[Target], actor: Actor, origin: Origin
) -> RunsStarted:
    """Plan the default branch's latest commit on each target, again where that was done. Raises Refusal."""
    pull, policy = pull_context.pull, pull_context.policy
    default = context.known(pull.repository).default_branch
    if pull.state != "merged" or pull.base_ref != default:
        raise Refusal("closed", f"#{pull.number} is {pull.state}.", "Reopen it, or open a new pull request.")
    if instance := next((one for one in targets if one.instance), None):
        raise Refusal(
            "closed",
            f"#{pull.number} is merged, and {instance} ended with it.",
            "Open a new pull request.",
        )
    for target in targets:
        require(plans_frozen(context, policy, target, "plan"))
    runs, behind = [], {}
    for target in targets:
        wanted = SyncRequest(
            target, policy, pull_context.base_tip, (pull.number,), actor, origin, seed=origin.id
        )
        with context.store.begin() as tables:
            tables.locks.lock_targets(target)
            _sync, run = request_sync(context, tables, wanted)
            if run is None:
                continue
            runs.append(run)
            if run.waits_for and (running := tables.runs.get(run.waits_for)):
                behind[target.key] = running
    return RunsStarted(tuple(runs), behind)


def main_commit(context: Context, pull: PullRequest, targets: Sequence[Target]) -> str:
    """Return the commit of the default branch that is planned for these targets of a merged pull request."""
    with context.store.read() as tables:
        plans = [tables.plans.newest(one, pull.number) for one in targets]
    return next((plan.commit for plan in plans if plan is not None), pull.head_sha)


def refuse_unread_main(
    context: Context, pull_context: PullContext, targets: Sequence[Target]
) -> Refused | None:
    """Refuse an apply on a merged pull request where no plan of the default branch was made that people could read."""
    with context.store.read() as tables:
        plans = {one: tables.plans.newest(one, pull_context.pull.number) for one in targets}
    for target, plan in plans.items():
        if plan is None or not (plan.sync or plan.reverts):
            number, branch = pull_context.pull.number, pull_context.pull.base_ref
            return Refused(
                "unread",
                f"#{number} is merged, and there is no plan of `{branch}` for {target} that anybody could have read.",
                f"Run `{command('plan', target)}`, review the plan, then run `{command('apply', target)}`.",
            )
    return None
