"""A look for drift: what is deployed, measured against the world. Told once a change, and never applied."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.drift import Drift, Measure, measure
from bot.domain.gates import command
from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Ended, Planned
from bot.domain.release import Release
from bot.domain.results import Drifted
from bot.domain.run import ACTIVE, Run
from bot.domain.target import Target
from bot.services.context import Context, show, show_open, show_run, stable_id
from bot.services.ending import fail, finish, finish_in, stopped
from bot.services.planning import turn
from bot.services.preparing import Desk, InitFailed, journal_of, lay, parallelism, secrets_for, worktree_of
from bot.services.reacting import answer_later
from bot.services.targets import default_policy, fetch
from bot.services.watching import Watch

FRESH = 600.0
"""Seconds for which what GitHub said of a pull request that was applied is good enough."""
SHOWN = 5
"""Findings that an answer lists."""


@dataclass(frozen=True)
class Stand:
    """What is deployed: the release, and the files that its configuration needs besides (after a revert)."""

    release: Release
    additions: dict[str, bytes]


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
        finish(
            context,
            run,
            "refused",
            message="The last apply there is at work or did not end well, so nothing is known to stand there.",
            next_step=f"`{command('plan', run.target)}` shows what is left to do.",
        )
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
        return measure(refreshed.json, planned.json, hidden)
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
                tables.drifts.add(drift.after(before))
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
