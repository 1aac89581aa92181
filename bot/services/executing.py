"""Carrying out an apply: the gates once more, the journal row, Terraform, and what it left."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bot.domain.gates import APPLY, ask
from bot.domain.ports.forge import PullRequest
from bot.domain.results import Refused
from bot.domain.run import Plan, Run
from bot.errors import UserError
from bot.services import locking
from bot.services.applying import facts, look
from bot.services.context import Context, show_run
from bot.services.ending import finish, finish_in, reason
from bot.services.preparing import Desk, InitFailed, journal_of, lay, parallelism, secrets_for
from bot.services.recording import settle
from bot.services.recovering import resume
from bot.services.targets import Ground, ground
from bot.services.watching import Watch


def perform(context: Context, run_id: str) -> None:
    """Carry out an apply. Entered again after a crash it never applies a second time: it reports what happened."""
    with context.store.read() as tables:
        run = tables.runs.get(run_id)
        plan = tables.plans.get(run.plan_id) if run else None
    if run is None or not run.active:
        return
    if run.phase in ("applying", "recording"):
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
                next_step="`/plan` again.",
            )
            return
        if not _begin(context, run, plan, pull, stand):
            return
        file = Path(plan.worktree) / ".towpath" / "plan.tfplan"
        try:
            ended = context.terraform.apply(
                desk.place, file, watch.control, parallelism=parallelism(environment)
            )
        finally:
            file.unlink(missing_ok=True)  # secrets are in it in clear
        watch.flush()
        settle(context, run, plan, desk.backend, ended, watch.unfinished)


def restore(context: Context, run: Run, plan: Plan, pull: PullRequest, stand: Ground, watch: Watch) -> Desk:
    """The plan's worktree at its own path, byte for byte, with the saved file in it; else UserError: it is stale."""
    worktree = Path(plan.worktree)
    if not worktree.is_relative_to(context.data_dir):
        raise UserError(
            "The plan was made on another machine, whose directories this one does not have.",
            next_step=f"`/plan {run.target.environment}`",
        )
    desk = lay(context, run, pull, stand.policy, watch.control, worktree, commit=plan.commit)
    if dict(desk.backend.config) != plan.backend["config"]:
        raise UserError(
            "The state's address is not the one that the plan was made with.",
            next_step=f"`/plan {run.target.environment}`",
        )
    if desk.tree != plan.tree:
        raise UserError(
            "The files of the plan's commit are not what they were.",
            next_step=f"`/plan {run.target.environment}`",
        )
    file = worktree / ".towpath" / "plan.tfplan"
    with context.store.read() as tables:
        content = tables.plans.file(plan.id)
    if hashlib.sha256(content).hexdigest() != plan.digest:
        raise UserError("The saved plan is damaged.", next_step=f"`/plan {run.target.environment}`")
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.write_bytes(content)
    return desk


def _begin(context: Context, run: Run, plan: Plan, pull: PullRequest, stand: Ground) -> bool:
    """The gates once more, then the journal row: committed before Terraform starts, or nothing is applied."""
    now_pull = context.refresh(pull.repository, pull.number)
    seen = look(context, now_pull, stand, run.target, plan)
    with context.store.begin() as tables:
        row = tables.runs.get(run.id)
        if row is not None and row.cancel_by:
            finish_in(
                context, tables, run, "cancelled", message=f"Cancelled by @{row.cancel_by} before it began."
            )
            return False
        found = facts(
            context,
            tables,
            now_pull,
            stand,
            run.target,
            tables.plans.get(plan.id),
            gone_by=seen.moved,
            state=seen.state,
            asked=run.origin.asked,
        )
        if refusal := ask(APPLY, found):
            finish_in(context, tables, run, "refused", message=refusal.fact, next_step=refusal.next_step)
            return False
        if not tables.plans.take(plan.id, "fresh", "applying"):
            finish_in(context, tables, run, "refused", message="This plan is already being applied.")
            return False
        tables.runs.move(run.id, ("preparing", "initialising"), "applying")
        show_run(tables, context.now(), run)
    context.poke()
    return True
