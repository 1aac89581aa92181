"""After an apply: plan again what was planned with outputs that it has changed, or could not be planned without them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import structlog

from bot.domain.actors import SYSTEM
from bot.domain.chat import Notice
from bot.domain.policy import Policy
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.ports.store import Tables
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target, command
from bot.errors import UserError
from bot.services.context import Context
from bot.services.order import outdated_inputs
from bot.services.plans import PlanRequest, plan_run_id, request_plans
from bot.services.promotion import may_plan
from bot.services.targets import load_pull_context, readable_policy

log = structlog.get_logger()


def replan_dependents(context: Context, run_id: str) -> None:
    """Plan the dependents of what an apply has changed, in all open pull requests, and say why. Safe to repeat: each pull
    request gets one plan and one message for each apply."""
    with context.store.read() as tables:
        run = tables.runs.get(run_id)
    policy = readable_policy(context, run.target.repository) if run else None
    if run is None or policy is None:
        return
    with context.store.read() as tables:
        found = [
            (pull.number, names)
            for pull in tables.pulls.open(run.target.repository)
            if pull.number == run.pull or not run.target.instance
            if (names := dict(_outdated(context, tables, run, policy, pull)))
        ]
    for number, names in found:
        try:
            _replan(context, run, number, names)
        except ForgeError as error:
            if error.retry_after is not None:
                raise
            log.warning("dependents not planned", pull=number, status=error.status, error=str(error)[:200])


def _outdated(
    context: Context, tables: Tables, run: Run, policy: Policy, pull: PullRequest
) -> Iterator[tuple[Target, Sequence[str]]]:
    """Yield the targets of a pull request to plan again, each with the names of the inputs that have changed.

    Those with an outdated plan, also if that is the one deployed; those that were refused for want of an input, or because
    the upstream plan failed; those that are being planned, maybe with old values; and in the pull request that applied,
    also what is deployed from others and locked by none.
    """
    targets = policy.dependents(run.target)
    plans = tables.plans.newest_of(targets, pull.number)
    runs = tables.runs.newest_of(targets, pull=pull.number)
    deployed = _deployed(tables, targets)
    outdated = outdated_inputs(context, tables, plans.values())
    behind = outdated_inputs(context, tables, deployed.values())
    for target in targets:
        plan, last = plans.get(target), runs.get(target)
        if tables.runs.get(plan_run_id(_seed(run, pull.number), target)):  # entered again after a crash
            yield target, outdated.get(target, ())
        elif last is None:
            lock = tables.locks.get(target)
            free = lock is None or not lock.bars(run.pull, context.now())
            if pull.number == run.pull and free and target in behind:
                yield target, behind[target]
        elif (
            target in outdated
            and plan is not None
            and (plan.status == "fresh" or plan == deployed.get(target))
        ):
            yield target, outdated[target]
        elif last.kind == "plan" and not last.reverts and (last.outcome == "refused" or _under_way(last)):
            yield target, ()


def _under_way(run: Run) -> bool:
    return run.active and run.phase != "queued"


def _deployed(tables: Tables, targets: Sequence[Target]) -> dict[Target, Plan]:
    """Return target → the plan that is deployed there, for those where that is known."""
    releases = [one for one in tables.releases.newest_of(targets).values() if one.active]
    runs = tables.runs.known(release.run_id for release in releases)
    plans = tables.plans.known(run.plan_id for run in runs.values())
    return {plan.target: plan for plan in plans.values()}


def _seed(run: Run, number: int) -> str:
    return f"upstream:{run.id}:{number}"


def _replan(context: Context, run: Run, number: int, names: dict[Target, Sequence[str]]) -> None:
    """Raises ForgeError and TransientError, after which the whole is repeated. What else stands in the way of one pull
    request does not concern the others."""
    seed = _seed(run, number)
    pull = context.refresh(run.target.repository, number)
    try:
        pull_context = load_pull_context(context, pull)
        targets = tuple(one for one in names if may_plan(context, pull_context, one, SYSTEM) is None)
        if pull.state != "open" or not targets:
            return
        request_plans(context, PlanRequest(pull_context, targets, SYSTEM, Origin(delivery=seed), seed))
    except UserError as error:  # the status says so
        log.info("dependents not planned", repository=pull.repository, pull=number, why=error.what)
        return
    changed = sorted({name for one in targets for name in names[one]})
    with context.store.begin() as tables:
        context.tell(
            tables, Origin(delivery=seed), pull.repository, number, _notice(run, number, targets, changed)
        )


def _notice(run: Run, number: int, targets: Sequence[Target], changed: Sequence[str]) -> Notice:
    whose = f" by #{run.pull}" if run.pull and run.pull != number else ""
    what = f" and changed {', '.join(f'`{name}`' for name in changed)}" if changed else ""
    planned = f"{', '.join(map(str, targets))} {'is' if len(targets) == 1 else 'are'} planned {'again' if changed else 'now'}"
    return Notice(
        f"{run.target} was applied{whose}{what}, so {planned}.",
        f"Read the new plan, then run `{command('apply', targets[0])}`.",
    )
