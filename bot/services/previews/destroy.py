"""Carry out the destroy of an instance: with the configuration that made it, and a policy of the default branch.

Unlike an apply, a destroy may be repeated after a crash: what is gone stays gone.
"""

from __future__ import annotations

from pathlib import Path

from bot.domain.policy import Policy
from bot.domain.ports.terraform import CommandResult, PlanOptions
from bot.domain.previews import Instance
from bot.domain.run import ACTIVE, Run
from bot.domain.states import resources_in
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.applies import await_orphan, record_state
from bot.services.context import Context, show_run
from bot.services.directories import journal_of, plan_file_of, worktree_of
from bot.services.identity import hidden_values, renew_tokens, tokens_removed
from bot.services.plans import OURS, Checkout, InitFailed, Workspace, parallelism, prepare_workspace
from bot.services.runs import ProgressRecorder, RunEnd, failure_reason, finish_in, finish_run, stop_outcome
from bot.services.states import clear_unsaved
from bot.services.targets import default_policy, fetch, policy_at


def execute_destroy(context: Context, run_id: str) -> None:
    """Carry out a destroy run. Safe to run again after a crash: it waits for a Terraform that still runs, then looks what
    is left."""
    with context.store.read() as tables:
        run = tables.runs.get(run_id)
        instance = tables.instances.get(run.target) if run else None
    if run is None or not run.active:
        return
    if run.phase in ("applying", "recording"):
        await_orphan(context, run)
        with context.store.begin() as tables:
            tables.states.abandon(run.id)
    with context.store.begin() as tables:
        if not tables.runs.move(run_id, ACTIVE, "preparing", worker=context.worker, started_at=context.now()):
            return
        show_run(tables, context.now(), run)
    if instance is None or instance.wanted != "gone":
        finish_run(context, run, RunEnd("superseded", message="The instance is wanted again."))
        return
    try:
        if _resources_left(context, run.target, instance.pull) == 0:
            _gone(context, run)
            return
        ended = _carry_out(context, run, instance)
    except InitFailed as error:
        ended = error.ended
    except UserError as error:
        finish_run(context, run, RunEnd("failed", message=error.what, next_step=error.next_step))
        return
    if not ended.ok:
        outcome = stop_outcome(context, run, ended) or "failed"
        message = failure_reason(ended)[:3500] if outcome == "failed" else "The destroy was stopped."
        finish_run(context, run, RunEnd(outcome, message=message))
        return
    _gone(context, run)


def _resources_left(context: Context, target: Target, pull: int) -> int | None:
    """Return how many resources the instance's state has: 0 for an empty state or none; None if that is not known, since no
    plan says where the state is, or it is encrypted."""
    with context.store.read() as tables:
        plan = tables.plans.newest(target, pull)
    if plan is None:
        return None
    return resources_in(context.backends.current(target, context.backends.restore(plan.backend)))


def _carry_out(context: Context, run: Run, instance: Instance) -> CommandResult:
    """Plan the destroy and apply that plan. Raises UserError and InitFailed."""
    policy = _policy_for(context, instance)
    environment, worktree = policy.environments[run.target.environment], _worktree(context, run)
    fetch(context, run.target.repository, [run.commit], [f"refs/pull/{run.pull}/head"])
    pull = context.refresh(run.target.repository, run.pull, 600.0)
    hidden = hidden_values(context, policy, run.target)
    try:
        with (
            plan_file_of(context, run) as file,
            tokens_removed(worktree / OURS),
            ProgressRecorder(context, run, journal_of(context, run), environment.timeout, hidden) as recorder,
        ):
            checkout = Checkout(pull, policy, run.commit, worktree)
            workspace = prepare_workspace(context, run, checkout, recorder.control)
            renew_tokens(context, workspace.identity, recorder.control)
            limit = parallelism(environment)
            options = PlanOptions(workspace.var_files, destroy=True, parallelism=limit, unread=True)
            planned = context.terraform.plan(workspace.work_dir, file, recorder.control, options)
            if not planned.ended.ok or not planned.has_changes:
                return planned.ended
            if not _start(context, run):
                return CommandResult(1, "", interrupted=True)
            clear_unsaved(workspace.work_dir.root)
            ended = context.terraform.apply(workspace.work_dir, file, recorder.control, parallelism=limit)
            recorder.flush()
            return _proven(context, run, workspace, ended)
    finally:
        context.git.remove(worktree)


def _worktree(context: Context, run: Run) -> Path:
    """Return the directory to work in: that of the plan which was applied last, where the providers are installed already,
    if it has the same commit and is on this machine."""
    with context.store.read() as tables:
        plan = tables.plans.get(run.plan_id) if run.plan_id else None
    ours = plan is not None and Path(plan.worktree).is_relative_to(context.data_dir)
    return Path(plan.worktree) if plan is not None and ours else worktree_of(context, run)


def _start(context: Context, run: Run) -> bool:
    """Commit that Terraform may change things from now on. Returns False if the run was cancelled."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(run.target)
        row = tables.runs.get(run.id)
        if row is None or row.cancel_by:
            return False
        tables.releases.deactivate(run.target)
        return tables.runs.move(run.id, ("preparing",), "applying")


def _proven(context: Context, run: Run, workspace: Workspace, ended: CommandResult) -> CommandResult:
    """Record the state that is left. A destroy that succeeded but left something did not succeed."""
    with context.store.begin() as tables:
        tables.states.abandon(run.id)
    left = resources_in(record_state(context, run, workspace.backend))
    if ended.ok and left:
        return CommandResult(1, f"{left} resources are still in the state.")
    return ended


def _policy_for(context: Context, instance: Instance) -> Policy:
    """Return the policy to destroy with: the default branch's of today; if that has no such instances any more, or a try
    with it failed, the one that the last apply had. Never one of the pull request."""
    target = instance.target
    today = default_policy(context, target.repository)
    recorded = (
        policy_at(context, target.repository, instance.policy_commit) if instance.policy_commit else None
    )
    for policy in (recorded, today) if instance.attempts % 2 else (today, recorded):
        if policy is not None and _knows(policy, target):
            return policy
    raise UserError(
        f"No policy on the default branch says how to destroy {target}.",
        next_step=f"Put `[env.{target.environment}]` back into `envs/environments.toml`.",
    )


def _knows(policy: Policy, target: Target) -> bool:
    environment = policy.environments.get(target.environment)
    return target.stack in policy.stacks and environment is not None and bool(environment.instance)


def _gone(context: Context, run: Run) -> None:
    with context.store.begin() as tables:
        tables.releases.deactivate(run.target)
        finish_in(context, tables, run, RunEnd("destroyed"))
