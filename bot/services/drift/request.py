"""Request drift checks: by command and on a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog

from bot.domain.actors import SYSTEM, Actor
from bot.domain.chat import RunsStarted
from bot.domain.drift import drift_check_due
from bot.domain.policy import Policy
from bot.domain.ports.forge import ForgeError
from bot.domain.refusal import Refusal, require
from bot.domain.release import Release
from bot.domain.run import Origin, Run
from bot.domain.target import Target, command
from bot.errors import TransientError, UserError
from bot.services.audit import record_run
from bot.services.context import Context, show_run, stable_id
from bot.services.promotion import plans_frozen
from bot.services.targets import default_policy

log = structlog.get_logger()

FRESH = 600.0
"""Seconds for which the policy that was read last is fresh enough to decide whether a check is due."""
MAX_SCHEDULED = 2
"""Scheduled checks that are queued or running at a time, so that people's plans do not wait for many of them."""


def request_drift_check(
    context: Context, target: Target, policy: Policy, pull: int, actor: Actor, origin: Origin
) -> RunsStarted:
    """Request a drift check of one target. It waits for a running apply there, which it would see half done."""
    require(plans_frozen(context, policy, target, "drift"))
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        release, busy = tables.releases.newest(target), tables.runs.changing(target)
        run_id = stable_id(origin.delivery, origin.index, target.key, "drift")
        if known := tables.runs.get(run_id):
            return RunsStarted((known,), {})
        if not busy and (release is None or not release.active):
            raise _nothing_deployed(target, release)
        run = Run(
            id=run_id,
            kind="drift",
            target=target,
            pull=pull,
            commit=busy[0].commit if busy else release.commit if release else "",
            actor=actor,
            origin=origin,
            waits_for=busy[0].id if busy else "",
            created_at=context.now(),
        )
        tables.runs.add(run)
        if not busy:
            context.work.enqueue(run, tables)
        record_run(context, tables, "drift.asked", run)
        show_run(tables, context.now(), run)
    return RunsStarted((run,), {target.key: busy[0]} if busy else {})


def request_drift_checks(
    context: Context, targets: Sequence[Target], policy: Policy, pull: int, actor: Actor, origin: Origin
) -> RunsStarted:
    """Request a drift check of each target where something is deployed. Raises Refusal if there is none."""
    started, refusals = [], []
    for target in targets:
        try:
            started.append(request_drift_check(context, target, policy, pull, actor, origin))
        except Refusal as refusal:
            refusals.append(refusal)
    if not started:
        raise (
            refusals
            or [Refusal("nowhere", "No environment can be checked: each exists once per pull request.")]
        )[0]
    behind = {key: run for one in started for key, run in one.behind.items()}
    return RunsStarted(tuple(run for one in started for run in one.runs), behind)


def _nothing_deployed(target: Target, release: Release | None) -> Refusal:
    if release is None:
        return Refusal(
            "nothing-deployed",
            f"Nothing was ever applied to {target}, so there is nothing to check.",
            f"Run `{command('apply', target)}` first.",
        )
    return Refusal(
        "nothing-deployed",
        f"The last apply to {target} failed, so it is not known what is deployed.",
        f"Run `{command('plan', target)}` to see what is left to do.",
    )


def schedule_drift_checks(context: Context) -> int:
    """Enqueue the scheduled checks that are due, the most overdue first, and return how many. Several missed checks of a
    target are made up for by one. Called by the clock."""
    due: list[tuple[datetime, Run]] = []
    with context.store.read() as tables:
        repositories = tables.pulls.repositories()
        room = MAX_SCHEDULED - sum(not run.origin.delivery for run in tables.runs.active(kind="drift"))
    for repository in repositories:
        try:
            policy = default_policy(context, repository.name, FRESH) if room > 0 else None
        except (ForgeError, TransientError, UserError) as error:
            log.warning("drift check postponed", repository=repository.name, error=str(error)[:200])
            continue
        if policy is not None:
            due += _due(context, policy, repository.name)
    enqueued = 0
    for _since, run in sorted(due, key=lambda one: (one[0], one[1].id))[: max(room, 0)]:
        enqueued += _enqueue(context, run)
    return enqueued


def _due(context: Context, policy: Policy, repository: str) -> Iterator[tuple[datetime, Run]]:
    """Yield a run for each target of the repository whose check is due, and since when it is."""
    now = context.now()
    environments, intervals = policy.environments, {}
    for target in policy.lasting_targets(repository):
        if interval := environments[target.environment].drift:
            intervals[target] = interval
    with context.store.read() as tables:
        releases = tables.releases.newest_of(intervals)
        checks = tables.runs.drift_checks_of(intervals)
    for target, interval in intervals.items():
        release, last, since = (
            releases.get(target),
            checks.get(target),
            drift_check_due(target.key, interval, now),
        )
        if release is None or not release.active or plans_frozen(context, policy, target, "drift"):
            continue
        since = max(
            since, release.created_at
        )  # the first check after an apply, which records the baseline, is due at once
        if last is not None and (last.active or (last.created_at or since) >= since):
            continue
        run_id = stable_id(target.key, since.isoformat(), "drift")
        yield since, Run(run_id, "drift", target, 0, release.commit, actor=SYSTEM, created_at=now)


def _enqueue(context: Context, run: Run) -> bool:
    """Enqueue a check once, whichever process calls. Not during an apply or another check: the next tick tries again."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(run.target)
        busy = any(one.kind != "plan" for one in tables.runs.active(target=run.target))
        if busy or tables.runs.get(run.id) is not None:
            return False
        tables.runs.add(run)
        context.work.enqueue(run, tables)
    return True
