"""Carrying out an apply: the gates once more, the journal row, Terraform, and what it left."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from bot.domain.answers import Refused
from bot.domain.gates import APPLY, ApplyFacts, ask, command
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Progress
from bot.domain.promotion import PROMOTION, answers
from bot.domain.run import Plan, Run
from bot.errors import UserError
from bot.services import approving, locking, uploading
from bot.services.auditing import record_run
from bot.services.context import Context, show, show_run, stable_id
from bot.services.ending import finish, finish_in, reason
from bot.services.judging import facts, look
from bot.services.preparing import Desk, InitFailed, journal_of, lay, parallelism, secrets_for
from bot.services.recording import settle
from bot.services.recovering import resume
from bot.services.stale_record import reconcile
from bot.services.targets import Ground, ground
from bot.services.watching import Watch


def perform(context: Context, run_id: str) -> None:
    """Carry out an apply. Entered again after a crash it never applies a second time: it reports what happened."""
    with context.store.read() as tables:
        run = tables.runs.get(run_id)
        plan = tables.plans.get(run.plan_id) if run else None
    if run is None or not run.active:
        return
    if run.phase in ("applying", "recording", "verifying"):
        resume(context, run, plan)
        _let_go(context, run)
        return
    with context.store.begin() as tables:
        if not tables.runs.move(
            run_id,
            ("queued", "preparing", "initialising"),
            "preparing",
            worker=context.worker,
            started_at=context.now(),
        ):
            return
        show_run(tables, context.now(), run)
    context.poke()
    pull = context.refresh(run.target.repository, run.pull)
    stand = ground(context, pull)
    if isinstance(stand, Refused) or plan is None:
        no = stand if isinstance(stand, Refused) else Refused("no-plan", "Its plan is gone.", "`/plan`")
        finish(context, run, "refused", message=no.fact, next_step=no.next_step)
        return
    _carry_out(context, run, plan, pull, stand)
    _let_go(context, run)


def _let_go(context: Context, run: Run) -> None:
    """A pull request that was closed meanwhile kept its claim for this apply alone."""
    with context.store.read() as tables:
        pull = tables.pulls.get(run.target.repository, run.pull)
    if pull is not None and pull.state != "open":
        locking.release_of_pull(context, pull.repository, pull.number, pull.state)


def _carry_out(context: Context, run: Run, plan: Plan, pull: PullRequest, stand: Ground) -> None:
    environment = stand.policy.environments[run.target.environment]
    hidden = (*context.hidden, *secrets_for(context, stand.policy, run.target, pull).values())
    with Watch(context, run, journal_of(context, run), environment.timeout, hidden) as watch:
        try:
            desk = restore(context, run, plan, pull, stand, watch)
        except InitFailed as error:
            finish(
                context,
                run,
                "failed",
                message=reason(error.ended)[:4000],
                next_step=f"`{command(run.planned_by, run.target)}` again.",
            )
            return
        if not _begin(context, run, plan, pull, stand):
            return
        file = Path(plan.worktree) / ".towpath" / "plan.tfplan"
        uploading.clear(desk.place.root)
        try:
            ended = context.terraform.apply(
                desk.place, file, watch.control, parallelism=parallelism(environment)
            )
        finally:
            file.unlink(missing_ok=True)  # secrets are in it in clear
        watch.flush()
        settle(context, run, plan, desk.backend, ended, watch.unfinished, desk.place)


def restore(context: Context, run: Run, plan: Plan, pull: PullRequest, stand: Ground, watch: Watch) -> Desk:
    """The plan's worktree at its own path, byte for byte, with the saved file in it; else UserError: it is stale."""
    worktree = Path(plan.worktree)
    if not worktree.is_relative_to(context.data_dir):
        raise _useless(
            context,
            run,
            plan,
            "The plan was made on another machine, whose directories this one does not have.",
        )
    desk = lay(
        context,
        run,
        pull,
        stand.policy,
        watch.control,
        worktree,
        commit=plan.commit,
        additions={name: text.encode() for name, text in plan.additions.items()},
    )
    if dict(desk.backend.config) != plan.backend["config"]:
        raise _useless(context, run, plan, "The state's address is not the one that the plan was made with.")
    if desk.tree != plan.tree:
        raise _useless(context, run, plan, "The files of the plan's commit are not what they were.")
    if note := reconcile(context, run.target, desk.backend):
        watch.control.on_progress(Progress(line=note))  # the gates refuse: the plan is of the state before
    file = worktree / ".towpath" / "plan.tfplan"
    with context.store.read() as tables:
        content = tables.plans.file(plan.id)
    if hashlib.sha256(content).hexdigest() != plan.digest:
        raise _useless(context, run, plan, "The saved plan is damaged.")
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_bytes(content)
    return desk


def _useless(context: Context, run: Run, plan: Plan, why: str) -> UserError:
    """This plan can never be applied, so that the next command makes another one."""
    with context.store.begin() as tables:
        tables.plans.take(plan.id, "fresh", "failed")
    return UserError(why, next_step=f"`{command(run.planned_by, run.target)}`")


def _begin(context: Context, run: Run, plan: Plan, pull: PullRequest, stand: Ground) -> bool:
    """The gates once more, then the journal row: committed before Terraform starts, or nothing is applied."""
    now_pull = context.refresh(pull.repository, pull.number)
    seen = look(context, now_pull, stand, run.target, plan, forced=run.forced)
    with context.store.begin() as tables:
        # nobody's word comes in between the gates' look and the use of the consent
        tables.locks.alone(run.target)
        row = tables.runs.get(run.id)
        if row is not None and row.cancel_by:
            finish_in(
                context, tables, run, "cancelled", message=f"Cancelled by @{row.cancel_by} before it began."
            )
            return False
        kept = tables.plans.get(plan.id)
        found = facts(
            context,
            tables,
            now_pull,
            stand,
            run.target,
            kept,
            seen,
            asked=run.origin.asked,
            forced=run.forced,
        )
        if refusal := ask((*APPLY, *PROMOTION), found):
            asked = tables.approvals.get(run.approval) if refusal.code == "unapproved" else None
            refusal = (approving.over(asked) if asked else None) or refusal
            finish_in(context, tables, run, "refused", message=refusal.fact, next_step=refusal.next_step)
            record_run(context, tables, "apply.refused", run, code=refusal.code, fact=refusal.fact)
            return False
        if not tables.plans.take(plan.id, "fresh", "applying"):
            finish_in(context, tables, run, "refused", message="This plan is already being applied.")
            return False
        tables.runs.move(run.id, ("preparing", "initialising"), "applying")
        _commit(context, tables, run, found)
        show_run(tables, context.now(), run)
    context.poke()
    return True


def _commit(context: Context, tables: Tables, run: Run, found: ApplyFacts) -> None:
    """What is true from the moment that Terraform may start: the consent is used, what stood there does not any more,
    a break-glass must be answered for; and on what grounds, for the record."""
    tables.releases.deactivate(run.target)
    said = answers((*APPLY, *PROMOTION), found)
    if found.consent is not None:
        status, why = ("dead", "its plan was applied by force") if run.forced else ("used", "")
        approving.end(context, tables, found.consent.approval, status, why)
    skipped = [one for one in answers(PROMOTION, replace(found, forced="")) if not one.passed]
    if run.forced and skipped:
        follow_up = FollowUp(
            stable_id(run.id, "force"),
            run.target,
            run.pull,
            run.id,
            run.actor,
            run.forced,
            tuple(f"{one.gate}: {one.ground}" for one in skipped),
            context.now(),
        )
        tables.follow_ups.add(follow_up)
        show(tables, context.now(), "follow_up", follow_up.id, run.target.repository, run.pull)
    record_run(
        context,
        tables,
        "apply.forced" if run.forced and skipped else "apply.started",
        run,
        plan=found.plan.digest if found.plan else "",
        approval=run.approval,
        reason=run.forced,
        gates=[{"gate": one.gate, "passed": one.passed, "ground": one.ground} for one in said],
        skipped=[one.gate for one in skipped] if run.forced else [],
    )
