"""Drift: what is deployed, measured against the world. Looked for when somebody asks and on a schedule, told once a
change, and never applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.domain.answers import Refused
from bot.domain.drift import Drift, Measure, due, measure
from bot.domain.gates import command
from bot.domain.hiding import hide
from bot.domain.people import SYSTEM, Actor
from bot.domain.policy import Policy
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Ended, Planned
from bot.domain.release import Release
from bot.domain.results import Drifted, Result, Started
from bot.domain.run import ACTIVE, Origin, Run
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.auditing import record_run
from bot.services.context import Context, show, show_open, show_run, stable_id
from bot.services.ending import fail, finish, finish_in, stopped
from bot.services.planning import turn
from bot.services.preparing import (
    Desk,
    InitFailed,
    journal_of,
    lay,
    parallelism,
    secrets_for,
    worktree_of,
)
from bot.services.promoting import plans_frozen
from bot.services.reacting import answer_later
from bot.services.targets import default_policy, fetch
from bot.services.watching import Watch

log = structlog.get_logger()

FRESH = 600.0
"""Seconds for which the policy that was read last is good enough to see whether a look is due."""
AT_ONCE = 2
"""Scheduled looks that are queued or at work at a time: people's plans never wait behind a pile of them."""
SHOWN = 5
"""Findings that an answer lists."""


@dataclass(frozen=True)
class Stand:
    """What is deployed: the release, and the files that its configuration needs besides (after a revert)."""

    release: Release
    additions: dict[str, bytes]


def request(
    context: Context, target: Target, policy: Policy, pull: int, actor: Actor, origin: Origin
) -> Result:
    """Look for drift because somebody asks. Behind an apply there it waits: it would see half of it."""
    if no := plans_frozen(context, policy, target, "drift"):
        return no
    with context.store.begin() as tables:
        tables.locks.alone(target)
        release = tables.releases.newest(target)
        if release is None or not release.active:
            return _nothing(target, release)
        run = Run(
            id=stable_id(origin.delivery, origin.index, target.key, "drift"),
            kind="drift",
            target=target,
            pull=pull,
            commit=release.commit,
            actor=actor,
            origin=origin,
            created_at=context.now(),
        )
        if known := tables.runs.get(run.id):
            return Started((known,), {})
        busy = tables.runs.active(target=target, kind="apply")
        if busy:
            run = replace(run, progress={"behind": busy[0].id})
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
        f"The last apply to {target} is at work or did not end well, so nothing is known to stand there.",
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


def perform(context: Context, run_id: str) -> None:
    """Look. Safe to enter again after a crash: nothing but the last transaction counts."""
    with context.store.begin() as tables:
        run = tables.runs.get(run_id)
        if run is None or not run.active:
            return
        if not tables.runs.move(run_id, ACTIVE, "preparing", worker=context.worker, started_at=context.now()):
            return
        show_run(tables, context.now(), run, urgent=False)
        stand = _stand(tables, run.target)
    if stand is None:
        finish(context, run, "refused", message="What stood there does not stand there any more.")
        return
    release = stand.release
    pull = context.refresh(run.target.repository, release.pull, FRESH)
    policy = default_policy(context, run.target.repository)
    if policy is None or run.target.environment not in policy.environments:
        finish(context, run, "refused", message="The policy does not name this environment any more.")
        return
    with context.store.begin() as tables:
        tables.runs.update(run.id, commit=release.commit)
    run = replace(run, commit=release.commit)
    branch = context.known(run.target.repository).default_branch
    refs = [f"refs/pull/{release.pull}/head", f"refs/heads/{branch}"]
    fetch(context, run.target.repository, [release.commit], refs)
    found = _look(context, run, pull, policy, stand)
    if isinstance(found, Ended):
        if outcome := stopped(context, run, found):
            finish(context, run, outcome, message="The look for drift was stopped.")
        else:
            fail(context, run, found, next_step=f"`{command('drift', run.target)}` looks again.")
            with context.store.begin() as tables:
                show_open(tables, context.now(), run.target.repository)
            context.poke()
        return
    _keep(context, run, release, found)


def _stand(tables: Tables, target: Target) -> Stand | None:
    """What stands there: the newest release, after a revert the one that it left."""
    release = tables.releases.newest(target)
    if release is None or not release.active:
        return None
    applied = tables.runs.get(release.run_id) if release.reverts else None
    plan = tables.plans.get(applied.plan_id) if applied else None
    return Stand(release, {name: text.encode() for name, text in plan.additions.items()} if plan else {})


def _look(context: Context, run: Run, pull: PullRequest, policy: Policy, stand: Stand) -> Measure | Ended:
    """Both plans of what is deployed; how Terraform ended, where one of them could not be made."""
    environment = policy.environments[run.target.environment]
    hidden = (*context.hidden, *secrets_for(context, policy, run.target, pull).values())
    worktree = worktree_of(context, run)
    try:
        with Watch(context, run, journal_of(context, run), environment.timeout, hidden) as watch:
            _phase(context, run, "initialising")
            desk = lay(
                context,
                run,
                pull,
                policy,
                watch.control,
                worktree,
                commit=run.commit,
                additions=stand.additions,
            )
            _phase(context, run, "planning")
            with turn(context, watch.control):
                most = parallelism(environment)
                refreshed = _plan(context, desk, watch, most, refresh_only=True)
                planned = _plan(context, desk, watch, most) if refreshed.ended.ok else refreshed
        if not planned.ended.ok:
            return planned.ended
        return measure(hide(refreshed.json, hidden), hide(planned.json, hidden))
    except InitFailed as error:
        return error.ended
    finally:
        context.git.remove(worktree)


def _plan(
    context: Context, desk: Desk, watch: Watch, most: int | None, *, refresh_only: bool = False
) -> Planned:
    """A plan of which nothing stays: its file holds secrets, and nobody may apply it."""
    file = desk.worktree / ".towpath" / "drift.tfplan"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        return context.terraform.plan(
            desk.place,
            file,
            watch.control,
            var_files=desk.var_files,
            parallelism=most,
            refresh_only=refresh_only,
        )
    finally:
        file.unlink(missing_ok=True)


def _keep(context: Context, run: Run, release: Release, found: Measure) -> None:
    """Record what is new, show it, and answer whoever asked."""
    drift = Drift(
        stable_id(run.id, "found"),
        run.target,
        run.id,
        release.commit,
        release.id,
        context.now(),
        found.digest,
        found.outside,
        found.pending,
        found.summary,
    )
    with context.store.begin() as tables:
        tables.locks.alone(run.target)
        now = tables.releases.newest(run.target)
        if now is None or not now.active or now.id != release.id:
            finish_in(
                context,
                tables,
                run,
                "superseded",
                message="An apply began there meanwhile, so what was seen means nothing any more.",
                next_step=f"`{command('drift', run.target)}` when it is done.",
            )
        elif finish_in(context, tables, run, "checked"):
            before = tables.drifts.newest(run.target)
            if not drift.repeats(before):
                tables.drifts.add(drift)
                if run.origin.channel != context.channel:  # else the answer there is the report
                    show(tables, context.now(), "drift", drift.id, run.target.repository, release.pull)
            past = tuple(tables.drifts.of_target(run.target, SHOWN))
            answer_later(context, tables, run, Drifted(drift, past, context.link(run.id)))
            show_open(tables, context.now(), run.target.repository)
    context.work.wake()
    context.poke()


def _phase(context: Context, run: Run, phase: str) -> None:
    with context.store.begin() as tables:
        tables.runs.move(run.id, ACTIVE, phase)
