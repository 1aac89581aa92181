"""Plans: asked for by an event or a person, made one per target and pull request, superseded by the next push."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import structlog

from bot.domain.answers import Refused
from bot.domain.people import Actor
from bot.domain.plan import PlanSummary
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Control, Ended, Progress
from bot.domain.results import Started
from bot.domain.run import ACTIVE, Origin, Outcome, Plan, Run
from bot.domain.target import Target
from bot.services import approving
from bot.services.context import Context, show_asked, show_run, stable_id
from bot.services.ending import fail, finish, finish_in, stopped
from bot.services.going_back import Back, Way, prepare, weigh
from bot.services.preparing import (
    Desk,
    InitFailed,
    journal_of,
    kept,
    lay,
    parallelism,
    secrets_for,
    state_of,
    worktree_of,
)
from bot.services.promoting import configuration_of
from bot.services.stale_record import reconcile
from bot.services.targets import Ground, ground
from bot.services.watching import Watch

log = structlog.get_logger()

SOON = timedelta(seconds=3)
"""When a plan that has begun is shown as such: one that is done by then is shown once, as done."""
FRESH = timedelta(seconds=5)
"""How long what GitHub said when the run was asked for is good enough to plan by; an apply asks again."""


def request(
    context: Context,
    pull: PullRequest,
    targets: Sequence[Target],
    base_tip: str,
    actor: Actor,
    origin: Origin,
    seed: str,
    *,
    back: Back | None = None,
) -> Started:
    """Make a plan run for each target. `seed` says what asked: asking twice with one seed makes one run. back: plan the
    way back to a release instead of the head.

    An older plan run of the same pull request there is superseded: it stops, and the newer one is what people read.
    Behind an apply on the same target a plan waits, since a plan of a moving state is worth nothing.
    """
    now = context.now()
    wanted = [
        Run(
            id=run_id(seed, target),
            kind="plan",
            target=target,
            pull=pull.number,
            commit=back.to.commit if back else pull.head_sha,
            base_commit=back.undone if back else base_tip,
            actor=actor,
            origin=origin,
            reverts=back.to.id if back else "",
            created_at=now,
        )
        for target in targets
    ]
    runs, behind = [], {}
    with context.store.begin() as tables:
        tables.locks.alone(*targets)
        known = tables.runs.known(run.id for run in wanted)
        older = tables.runs.active(repository=pull.repository, pull=pull.number, kind="plan")
        applies = tables.runs.applies(pull.repository)
        for run in wanted:
            if run.id in known:
                runs.append(known[run.id])
                continue
            supersede(context, tables, run, older)
            busy = applies.get(run.target)
            if busy:
                behind[run.target.key] = busy
            made = replace(run, progress={"behind": busy.id}) if busy else run
            tables.runs.add(made)
            if not busy:
                context.work.enqueue(made, tables)
            runs.append(made)
        show_asked(tables, now, now + SOON, [run for run in runs if run.id not in known])
    context.work.wake()
    context.poke()
    return Started(tuple(runs), behind)


def run_id(seed: str, target: Target) -> str:
    """The id of the plan run that `request` makes of a seed."""
    return stable_id(seed, target.key, "plan")


def supersede(context: Context, tables: Tables, by: Run, active: Sequence[Run]) -> None:
    """Of the unfinished plan runs of this pull request, those on this target give way: never refused, never both."""
    for older in active:
        if older.target != by.target or older.id == by.id:
            continue
        tables.runs.update(older.id, superseded_by=by.id)
        if older.phase == "queued":
            finish_in(context, tables, older, "superseded")


def perform(context: Context, run_id: str) -> None:
    """Make the plan. Safe to enter again after a crash: nothing but the last transaction counts."""
    with context.store.begin() as tables:
        run = tables.runs.get(run_id)
        if run is None or not run.active:
            return
        if not tables.runs.move(run_id, ACTIVE, "preparing", worker=context.worker, started_at=context.now()):
            return
        show_run(tables, context.now() + SOON, run, urgent=False)
        pull = tables.pulls.get(run.target.repository, run.pull)
    if pull is None or run.created_at is None or context.now() - run.created_at > FRESH:
        pull = context.refresh(run.target.repository, run.pull, FRESH.total_seconds())
    if pull.head_sha != run.commit and not run.reverts:
        finish(context, run, "superseded", message=f"`{pull.head_sha[:7]}` was pushed meanwhile.")
        return
    stand = ground(context, pull, FRESH.total_seconds())
    if isinstance(stand, Refused):
        finish(context, run, "refused", message=stand.fact, next_step=stand.next_step)
        return
    _make(context, run, pull, stand)


def _make(context: Context, run: Run, pull: PullRequest, stand: Ground) -> None:
    environment = stand.policy.environments[run.target.environment]
    hidden = (*context.hidden, *secrets_for(context, stand.policy, run.target, pull).values())
    worktree = worktree_of(context, run)
    with Watch(context, run, journal_of(context, run), environment.timeout, hidden) as watch:
        try:
            _phase(context, run, "initialising", worktree)
            way = prepare(context, run, stand) if run.reverts else Way()
            desk = lay(
                context,
                run,
                pull,
                stand.policy,
                watch.control,
                worktree,
                commit=run.commit,
                additions=way.additions.files,
            )
            note = reconcile(context, run.target, desk.backend)
            if note:
                watch.control.on_progress(Progress(line=note))
            _phase(context, run, "planning")
            file = worktree / ".towpath" / "plan.tfplan"
            file.parent.mkdir(mode=0o700, exist_ok=True)
            with turn(context, watch.control):
                planned = context.terraform.plan(
                    desk.place,
                    file,
                    watch.control,
                    var_files=desk.var_files,
                    parallelism=parallelism(environment),
                )
            ended = planned.ended
        except InitFailed as error:
            ended, desk = error.ended, None
        watch.flush()
    if not ended.ok or desk is None:
        _failed(context, run, ended)
        context.git.remove(worktree)
        return
    # Read after the plan: with s3 the first plan of a new workspace writes an empty state itself. Whatever came in
    # between, Terraform refuses: the plan file knows the state that it was made of.
    state = state_of(context, run.target, desk.backend)
    content = file.read_bytes()
    file.unlink()  # secrets are in it in clear: it is kept sealed in the database, and put back for the apply
    summary = PlanSummary.from_json(planned.json, hidden).to_dict()
    plan = _plan(context, run, stand, desk, state, summary, content, has_changes=planned.has_changes)
    if run.reverts:
        plan = weigh(plan, way)
    with context.store.begin() as tables:
        row = tables.runs.get(run.id)
        late = row is not None and bool(row.superseded_by)
        outcome: Outcome = "superseded" if late else "planned"
        if not finish_in(context, tables, run, outcome, message=note, plan_id=plan.id):
            return
        if not late:
            tables.plans.supersede(run.target, run.pull)
        tables.plans.add(replace(plan, status="superseded" if late else "fresh"), content)
        if not late:
            approving.planned(context, tables, plan)
    context.poke()


@contextmanager
def turn(context: Context, control: Control) -> Iterator[None]:
    """Wait until Terraform has room. Who is asked to stop waits no longer: Terraform is stopped as it begins."""
    mine = False
    while not mine and not control.cancelled():
        mine = context.turns.acquire(timeout=0.5)
    try:
        yield
    finally:
        if mine:
            context.turns.release()


def _plan(
    context: Context,
    run: Run,
    stand: Ground,
    desk: Desk,
    state: tuple[str, int],
    summary: dict[str, object],
    content: bytes,
    *,
    has_changes: bool,
) -> Plan:
    return Plan(
        id=run.id,
        run_id=run.id,
        target=run.target,
        pull=run.pull,
        commit=run.commit,
        base_commit=run.base_commit if run.reverts else stand.base_tip,
        digest=hashlib.sha256(content).hexdigest(),
        policy=stand.policy.digest(run.target.stack, run.target.environment),
        engine=context.terraform.engine.identity,
        lineage=state[0],
        serial=state[1],
        tree=desk.tree,
        worktree=str(desk.worktree),
        root=str(desk.place.root),
        has_changes=has_changes,
        summary=summary,
        backend=kept(desk.backend),
        reverts=run.reverts,
        configuration=configuration_of(
            context, run.target.repository, run.commit, stand.policy, run.target.stack
        ),
        created_at=context.now(),
    )


def _phase(context: Context, run: Run, phase: str, worktree: Path | None = None) -> None:
    with context.store.begin() as tables:
        tables.runs.move(run.id, ACTIVE, phase)
        if worktree is not None:
            _inherit(context, tables, run, worktree)


def _inherit(context: Context, tables: Tables, run: Run, worktree: Path) -> None:
    """Take over the worktree of the plan before, so that only what a push changed is written. That plan is of another
    commit: no gate lets it be applied, and an apply that went on already would have kept this run waiting."""
    before = tables.plans.newest(run.target, run.pull)
    if before is None or before.commit == run.commit or before.status not in ("fresh", "superseded"):
        return
    tables.locks.alone(run.target)
    if not tables.runs.active(target=run.target, kind="apply"):
        context.git.move(Path(before.worktree), worktree)


def _failed(context: Context, run: Run, ended: Ended) -> None:
    if outcome := stopped(context, run, ended):
        finish(context, run, outcome, message="Its plan was stopped.")
        return
    fail(context, run, ended, next_step="Mend it and push, or `/plan` again.")
