"""Asking for looks for drift: by people and on a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog

from bot.domain.answers import Refused
from bot.domain.drift import due
from bot.domain.gates import command
from bot.domain.people import SYSTEM, Actor
from bot.domain.policy import Policy
from bot.domain.ports.forge import ForgeError
from bot.domain.release import Release
from bot.domain.results import Result, Started
from bot.domain.run import Origin, Run
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.auditing import record_run
from bot.services.context import Context, show_run, stable_id
from bot.services.promoting import plans_frozen
from bot.services.targets import default_policy

log = structlog.get_logger()

FRESH = 600.0
"""Seconds for which the policy that was read last is good enough to see whether a look is due."""
AT_ONCE = 2
"""Scheduled looks that are queued or at work at a time: people's plans never wait behind a pile of them."""


def request(
    context: Context, target: Target, policy: Policy, pull: int, actor: Actor, origin: Origin
) -> Result:
    """Look for drift because somebody asks. Behind an apply there it waits: it would see half of it."""
    if no := plans_frozen(context, policy, target, "drift"):
        return no
    with context.store.begin() as tables:
        tables.locks.alone(target)
        release, busy = tables.releases.newest(target), tables.runs.active(target=target, kind="apply")
        run_id = stable_id(origin.delivery, origin.index, target.key, "drift")
        if known := tables.runs.get(run_id):
            return Started((known,), {})
        if not busy and (release is None or not release.active):
            return _nothing(target, release)
        run = Run(
            id=run_id,
            kind="drift",
            target=target,
            pull=pull,
            commit=busy[0].commit if busy else release.commit if release else "",
            actor=actor,
            origin=origin,
            progress={"behind": busy[0].id} if busy else {},
            created_at=context.now(),
        )
        tables.runs.add(run)
        if not busy:
            context.work.enqueue(run, tables)
        record_run(context, tables, "drift.asked", run)
        show_run(tables, context.now(), run)
    context.work.wake()
    context.poke()
    return Started((run,), {target.key: busy[0]} if busy else {})


def request_all(
    context: Context, targets: Sequence[Target], policy: Policy, pull: int, actor: Actor, origin: Origin
) -> Result:
    """Look at each of them where something stands; a refusal where nothing does in any."""
    answers = [request(context, target, policy, pull, actor, origin) for target in targets]
    started = [one for one in answers if isinstance(one, Started)]
    if not started:
        return (
            answers[0]
            if answers
            else Refused("nowhere", "Nothing exists here but instances of pull requests.")
        )
    behind = {key: run for one in started for key, run in one.behind.items()}
    return Started(tuple(run for one in started for run in one.runs), behind)


def _nothing(target: Target, release: Release | None) -> Refused:
    if release is None:
        return Refused(
            "nothing-deployed",
            f"Nothing was ever applied to {target}, so there is nothing to look at.",
            f"`{command('apply', target)}`",
        )
    return Refused(
        "nothing-deployed",
        f"The last apply to {target} did not end well, so nothing is known to stand there.",
        f"`{command('plan', target)}` shows what is left to do.",
    )


def schedule(context: Context) -> int:
    """By the clock: enqueue the looks that are due, the one that waits longest first; returns how many. A missed one is
    made up for once."""
    waiting: list[tuple[datetime, Run]] = []
    with context.store.read() as tables:
        repositories = tables.pulls.repositories()
        room = AT_ONCE - sum(not run.origin.delivery for run in tables.runs.active(kind="drift"))
    for repository in repositories:
        try:
            policy = default_policy(context, repository.name, FRESH) if room > 0 else None
        except (ForgeError, TransientError, UserError) as error:
            log.warning("drift is looked for later", repository=repository.name, error=str(error)[:200])
            continue
        if policy is not None:
            waiting += _due(context, policy, repository.name)
    begun = 0
    for _since, run in sorted(waiting, key=lambda one: (one[0], one[1].id))[: max(room, 0)]:
        begun += _enqueue(context, run)
    if begun:
        context.work.wake()
    return begun


def _due(context: Context, policy: Policy, repository: str) -> Iterator[tuple[datetime, Run]]:
    """A run for each target of the repository whose look is due, and since when it is."""
    now = context.now()
    environments, every = policy.environments, {}
    for target in policy.standing(repository):
        if length := environments[target.environment].drift:
            every[target] = length
    with context.store.read() as tables:
        releases = tables.releases.newest_of(every)
        looks = tables.runs.looks_of(every)
    for target, length in every.items():
        release, last, since = releases.get(target), looks.get(target), due(target.key, length, now)
        looked = last is not None and (last.active or (last.created_at or since) >= since)
        if release is None or not release.active or looked or plans_frozen(context, policy, target, "drift"):
            continue
        run_id = stable_id(target.key, since.isoformat(), "drift")
        yield since, Run(run_id, "drift", target, 0, release.commit, actor=SYSTEM, created_at=now)


def _enqueue(context: Context, run: Run) -> bool:
    """Once, whichever clock asks; not while an apply is at work there: the next tick asks again."""
    with context.store.begin() as tables:
        tables.locks.alone(run.target)
        busy = any(one.kind != "plan" for one in tables.runs.active(target=run.target))
        if busy or tables.runs.get(run.id) is not None:
            return False
        tables.runs.add(run)
        context.work.enqueue(run, tables)
    return True
