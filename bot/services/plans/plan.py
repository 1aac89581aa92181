"""Plans: requested by an event or a person, one per target and pull request, superseded by the next push."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.domain.actors import Actor
from bot.domain.chat import RunsStarted
from bot.domain.plans import PlanSummaryJson, plan_pages, read_plan
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import CommandResult, Control, PlanOptions, Progress
from bot.domain.run import ACTIVE, InputValue, Origin, Outcome, Plan, Run
from bot.domain.target import Target, command
from bot.services.approvals import approval_plan_ready
from bot.services.context import Context, show_asked, show_run, stable_id
from bot.services.directories import journal_of, plan_file_of, read_untrusted, worktree_of
from bot.services.identity import hidden_values, renew_tokens, tokens_removed
from bot.services.order import inputs_for, write_inputs
from bot.services.plans.rate_limit import count_request
from bot.services.plans.revert_plan import RevertInputs, prepare_revert, with_losses
from bot.services.plans.revert_target import RevertTarget
from bot.services.plans.workspace import (
    OURS,
    Checkout,
    InitFailed,
    Workspace,
    parallelism,
    prepare_workspace,
    state_of,
    stored_backend,
)
from bot.services.promotion import configuration_digest_of
from bot.services.runs import ProgressRecorder, RunEnd, fail_run, finish_in, finish_run, stop_outcome
from bot.services.states import reconcile_state
from bot.services.targets import PullContext, load_pull_context

log = structlog.get_logger()

MAX_PLAN = 512 << 20
"""Largest plan file that is kept, in bytes."""
SOON = timedelta(seconds=3)
"""Delay before a running plan is shown as running: one that ends sooner is shown once, as done."""
UNSET = "No value for required variable"
"""How both engines begin to say that an input variable has no value."""
FRESH = timedelta(seconds=5)
"""How long GitHub's answer from the time of the request is fresh enough for a plan; an apply asks again."""


@dataclass(frozen=True)
class PlanRequest:
    """One request for plans. seed: what asked; asking twice with one seed makes one run. revert_to: plan a revert to
    that release instead of the latest commit. limited: whether it counts for the limits of requests; a revert never does,
    since it must always be possible to undo."""

    pull_context: PullContext
    targets: tuple[Target, ...]
    actor: Actor
    origin: Origin
    seed: str
    revert_to: RevertTarget | None = None
    limited: bool = True


def request_plans(context: Context, request: PlanRequest) -> RunsStarted:
    """Make a plan run for each target.

    An older plan run of the same pull request there is superseded: it stops, and the newer one is what people read.
    A plan waits for an apply that runs on the same target, since a plan of a moving state is worth nothing, and for the
    plans and applies of the stacks before its own. Raises Refusal "too-many-plans".
    """
    repository, now = request.pull_context.pull.repository, context.now()
    upstream = {target: _upstream(request, target) for target in request.targets}
    wanted = [
        _plan_run(request, target, now) for target in request.pull_context.policy.in_order(request.targets)
    ]
    runs, behind = [], {}
    with context.store.begin() as tables:
        tables.locks.lock_targets(*upstream, *(one for before in upstream.values() for one in before))
        known = tables.runs.known(run.id for run in wanted)
        if len(known) < len(wanted) and request.limited and not request.revert_to:
            _count(context, tables, request)
        older = tables.runs.active(repository=repository, pull=request.pull_context.pull.number, kind="plan")
        applies = tables.runs.applies(repository)
        planning = {run.target: run for run in older}
        applying = tables.runs.active(repository=repository, kind="apply")
        for run in wanted:
            if run.id in known:
                runs.append(known[run.id])
                continue
            supersede(context, tables, run, older)
            if running := applies.get(run.target):
                behind[run.target.key] = running
            before = upstream[run.target]
            first = [one for one in (*applying, *planning.values()) if one.target in before]
            if first:
                behind.setdefault(run.target.key, first[-1])
            after = tuple(one.id for one in first)
            made = replace(run, waits_for=running.id if running else "", after=after)
            tables.runs.add(made)
            if not running and not after:
                context.work.enqueue(made, tables)
            runs.append(made)
            planning[made.target] = made
        show_asked(tables, now, now + SOON, [run for run in runs if run.id not in known])
    return RunsStarted(tuple(runs), behind)


def _upstream(request: PlanRequest, target: Target) -> list[Target]:
    """Return the targets that are planned before; none for a revert, which must always be possible."""
    return [] if request.revert_to else request.pull_context.policy.upstream(target)


def _count(context: Context, tables: Tables, request: PlanRequest) -> None:
    again = command("plan", request.targets[0]) if len(request.targets) == 1 else "/plan"
    count_request(context, tables, request.pull_context.pull, request.actor, request.seed, again)


def _plan_run(request: PlanRequest, target: Target, now: datetime) -> Run:
    pull, revert_to = request.pull_context.pull, request.revert_to
    return Run(
        id=plan_run_id(request.seed, target),
        kind="plan",
        target=target,
        pull=pull.number,
        commit=revert_to.to.commit if revert_to else pull.head_sha,
        base_commit=revert_to.undone if revert_to else request.pull_context.base_tip,
        actor=request.actor,
        origin=request.origin,
        reverts=revert_to.to.id if revert_to else "",
        created_at=now,
    )


def plan_run_id(seed: str, target: Target) -> str:
    """Return the id of the plan run that a seed makes on a target."""
    return stable_id(seed, target.key, "plan")


def supersede(context: Context, tables: Tables, by: Run, active: Sequence[Run]) -> None:
    """Supersede the unfinished plan runs of this pull request on the same target."""
    for older in active:
        if older.target != by.target or older.id == by.id:
            continue
        tables.runs.update(older.id, superseded_by=by.id)
        if older.phase == "queued":
            finish_in(context, tables, older, RunEnd("superseded"))


def execute_plan(context: Context, run_id: str, *, destroy: bool = False) -> None:
    """Carry out a plan run. Safe to run again after a crash: only the last transaction counts. destroy: plan to destroy
    everything instead."""
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
        finish_run(context, run, RunEnd("superseded", message=f"`{pull.head_sha[:7]}` was pushed since."))
        return
    pull_context = load_pull_context(context, pull, FRESH.total_seconds())
    delegate = context.delegate_of(pull_context.policy, run.target)
    if delegate is not None and not run.reverts and not destroy:
        delegate.plan(context, run)
        return
    run_plan(context, run, pull_context, destroy=destroy)


def run_plan(context: Context, run: Run, pull_context: PullContext, *, destroy: bool = False) -> None:
    """Plan the run's commit and end the run; the commit must be in the mirror. destroy: as in `execute_plan`."""
    pull = pull_context.pull
    environment = pull_context.policy.environments[run.target.environment]
    hidden = hidden_values(context, pull_context.policy, run.target)
    worktree = worktree_of(context, run)
    with (
        plan_file_of(context, run) as file,
        tokens_removed(worktree / OURS),
        ProgressRecorder(context, run, journal_of(context, run), environment.timeout, hidden) as recorder,
    ):
        content = None
        try:
            inputs = inputs_for(context, pull_context.policy, run.target)
            _phase(context, run, "initialising", worktree)
            revert_inputs = prepare_revert(context, run, pull_context) if run.reverts else RevertInputs()
            checkout = Checkout(
                pull, pull_context.policy, run.commit, worktree, revert_inputs.additions.files
            )
            workspace = prepare_workspace(context, run, checkout, recorder.control)
            note = reconcile_state(context, run.target, workspace.backend)
            if note:
                recorder.control.on_progress(Progress(line=note))
            _phase(context, run, "planning")
            with terraform_turn(context, recorder.control):
                renew_tokens(context, workspace.identity, recorder.control)
                planned = context.terraform.plan(
                    workspace.work_dir,
                    file,
                    recorder.control,
                    PlanOptions(
                        (*workspace.var_files, *write_inputs(file.parent, inputs)),
                        destroy,
                        parallelism=parallelism(environment),
                    ),
                )
            ended = planned.ended
            content = read_untrusted(file.parent, file, MAX_PLAN) if ended.ok else None
        except InitFailed as error:
            ended, workspace = error.ended, None
        recorder.flush()
    if content is None or workspace is None:
        _failed(context, run, ended)
        context.git.remove(worktree)
        return
    # Read after the plan: with s3 the first plan in a new workspace writes an empty state. If the state changes in
    # between, Terraform refuses the apply: the plan file records the state it was made from.
    lineage, serial = state_of(context, run.target, workspace.backend)
    with context.store.read() as tables:
        baseline = tables.baselines.at(run.target, lineage, serial)
    settled = baseline.values if baseline else None
    context.planned(run, planned.json)
    everything = read_plan(planned.json, recorder.control.secrets, settled)
    pages = tuple(plan_pages(everything))
    summary = everything.abridged(len(pages)).to_dict()
    summary["providers"] = workspace.providers
    output = PlanOutput(lineage, serial, summary, content, planned.has_changes, inputs)
    plan = _plan(context, run, pull_context, workspace, output)
    if run.reverts:
        plan = with_losses(plan, revert_inputs)
    keep_plan(context, run, plan, PlanFiles(content, pages), note)


@dataclass(frozen=True)
class PlanFiles:
    """What is kept with a plan: its file, and the pages with all that it changes."""

    content: bytes
    pages: tuple[bytes, ...]


def keep_plan(context: Context, run: Run, plan: Plan, files: PlanFiles, note: str = "") -> None:
    """Store a plan and end its run. A plan that a newer request superseded meanwhile is not for use."""
    with context.store.begin() as tables:
        row = tables.runs.get(run.id)
        late = row is not None and bool(row.superseded_by)
        outcome: Outcome = "superseded" if late else "planned"
        if not finish_in(context, tables, run, RunEnd(outcome, message=note, plan_id=plan.id)):
            return
        if not late:
            tables.plans.supersede(run.target, run.pull)
        tables.plans.add(replace(plan, status="superseded" if late else "fresh"), files.content, files.pages)
        if not late:
            approval_plan_ready(context, tables, plan)


@contextmanager
def terraform_turn(context: Context, control: Control) -> Iterator[None]:
    """Hold one of the turns that limit how many Terraforms plan at once. A cancelled run does not wait for one: its
    Terraform is stopped as it starts."""
    acquired = False
    while not acquired and not control.cancelled():
        acquired = context.turns.acquire(timeout=0.5)
    try:
        yield
    finally:
        if acquired:
            context.turns.release()


@dataclass(frozen=True)
class PlanOutput:
    """What Terraform's plan left: the state and the inputs it was made from, its summary, and the content of its file."""

    lineage: str
    serial: int
    summary: PlanSummaryJson
    content: bytes
    has_changes: bool
    inputs: dict[str, InputValue]


def _plan(
    context: Context,
    run: Run,
    pull_context: PullContext,
    workspace: Workspace,
    output: PlanOutput,
) -> Plan:
    return Plan(
        id=run.id,
        run_id=run.id,
        target=run.target,
        pull=run.pull,
        commit=run.commit,
        base_commit=run.base_commit if run.reverts or run.sync else pull_context.base_tip,
        digest=hashlib.sha256(output.content).hexdigest(),
        policy=pull_context.policy.digest(run.target.stack, run.target.environment),
        engine=context.terraform.engine.identity,
        lineage=output.lineage,
        serial=output.serial,
        tree=workspace.tree,
        worktree=str(workspace.worktree),
        root=str(workspace.work_dir.root),
        has_changes=output.has_changes,
        summary=output.summary,
        backend=stored_backend(workspace.backend),
        reverts=run.reverts,
        sync=run.sync,
        inputs=output.inputs,
        configuration=configuration_digest_of(
            context, run.target.repository, run.commit, pull_context.policy, run.target.stack
        ),
        created_at=context.now(),
    )


def _phase(context: Context, run: Run, phase: str, worktree: Path | None = None) -> None:
    with context.store.begin() as tables:
        tables.runs.move(run.id, ACTIVE, phase)
        if worktree is not None:
            _inherit(context, tables, run, worktree)


def _inherit(context: Context, tables: Tables, run: Run, worktree: Path) -> None:
    """Take over the previous plan's worktree, so that only files that a push changed are written. That plan is for another
    commit, so no gate lets it be applied, and this run would have waited for a running apply of it."""
    before = tables.plans.newest(run.target, run.pull)
    if before is None or before.commit == run.commit or before.status not in ("fresh", "superseded"):
        return
    tables.locks.lock_targets(run.target)
    if not tables.runs.changing(run.target):
        context.git.move(Path(before.worktree), worktree)


def _failed(context: Context, run: Run, ended: CommandResult) -> None:
    if outcome := stop_outcome(context, run, ended):
        finish_run(context, run, RunEnd(outcome, message="The plan was stopped."))
        return
    next_step = "Fix it and push, or run `/plan` again."
    if run.sync:
        next_step = f"Fix it in a new pull request, or run `{command('plan', run.target)}` to plan again."
    if any(UNSET in text for text in ended.diagnostics):
        next_step = f"Run `/secrets {run.target.environment}`: it lists the variables without a value, and how to set them."
    fail_run(context, run, ended, next_step=next_step)
