"""Carry out an apply: the gates once more, the journal row, Terraform, and what it left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from bot.domain.gates import GATES, PROMOTION, ApplyFacts, first_refusal, gate_answers
from bot.domain.ports.records import FollowUp
from bot.domain.ports.store import PlanDamaged, Tables
from bot.domain.ports.terraform import Progress
from bot.domain.previews import capacity_target, started
from bot.domain.refusal import Refusal
from bot.domain.run import Plan, Run
from bot.domain.target import command
from bot.domain.why import Reason
from bot.errors import UserError
from bot.services.applies.facts import gather_facts, observe
from bot.services.applies.options import ApplyOptions, ApplyRequest
from bot.services.applies.record import FinishedApply, record_apply
from bot.services.applies.recovery import resume_apply
from bot.services.approvals import end_approval, refuse_ended
from bot.services.audit import record_run
from bot.services.context import Context, SurfaceKey, show, show_run, stable_id
from bot.services.directories import journal_of, plan_file_of
from bot.services.identity import hidden_values, renew_tokens, tokens_removed
from bot.services.locks import release_of_pull
from bot.services.order import upstream_applying
from bot.services.plans import OURS, Checkout, InitFailed, Workspace, parallelism, prepare_workspace
from bot.services.runs import ProgressRecorder, RunEnd, fail_run, finish_in
from bot.services.states import clear_unsaved, reconcile_state
from bot.services.targets import PullContext, default_tip, load_pull_context, on_main

log = structlog.get_logger()


def execute_apply(context: Context, run_id: str) -> None:
    """Carry out an apply. Run again after a crash, it never applies a second time: it reports what happened."""
    with context.store.read() as tables:
        run = tables.runs.get(run_id)
        plan = tables.plans.get(run.plan_id) if run else None
    if run is None or not run.active:
        return
    if run.phase in ("applying", "recording", "verifying"):
        resume_apply(context, run, plan)
        _release_lock_of_closed_pull(context, run)
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
    if plan is None:
        raise Refusal("no-plan", "The plan no longer exists.", f"`{command(run.planned_by, run.target)}`")
    pull_context = load_pull_context(context, context.refresh(run.target.repository, run.pull))
    if run.sync:
        pull_context = on_main(pull_context, run.commit)
    _carry_out(context, run, plan, pull_context)
    _release_lock_of_closed_pull(context, run)


def _release_lock_of_closed_pull(context: Context, run: Run) -> None:
    """Release the lock of a pull request that was closed during this apply."""
    with context.store.read() as tables:
        pull = tables.pulls.get(run.target.repository, run.pull)
    if pull is not None and pull.state != "open":
        release_of_pull(context, pull.repository, pull.number, pull.state)


def _carry_out(context: Context, run: Run, plan: Plan, pull_context: PullContext) -> None:
    delegate = context.delegate_of(pull_context.policy, run.target)
    if delegate is not None and not run.reverts:
        if _start(context, run, plan, pull_context):
            delegate.apply(context, run, plan)
        return
    apply_here(
        context,
        run,
        plan,
        pull_context,
        ApplySteps(
            lambda: _start(context, run, plan, pull_context),
            lambda finished: record_apply(context, run, plan, finished),
        ),
    )


@dataclass(frozen=True)
class ApplySteps:
    """What comes before and after Terraform's apply. start: returns False if it must not start. finish: records how it ended."""

    start: Callable[[], bool]
    finish: Callable[[FinishedApply], None]


def apply_here(context: Context, run: Run, plan: Plan, pull_context: PullContext, steps: ApplySteps) -> None:
    """Restore the plan's worktree, and let Terraform apply the saved plan in this process."""
    environment = pull_context.policy.environments[run.target.environment]
    hidden = hidden_values(context, pull_context.policy, run.target)
    with (
        plan_file_of(context, run) as file,
        tokens_removed(Path(plan.worktree) / OURS),
        ProgressRecorder(context, run, journal_of(context, run), environment.timeout, hidden) as recorder,
    ):
        try:
            workspace = restore(context, run, plan, pull_context, recorder)
            file.write_bytes(_saved_plan(context, run, plan))
        except InitFailed as error:
            fail_run(context, run, error.ended, next_step=f"`{command(run.planned_by, run.target)}` again.")
            return
        if not steps.start():
            return
        clear_unsaved(workspace.work_dir.root)
        renew_tokens(context, workspace.identity, recorder.control)
        ended = context.terraform.apply(
            workspace.work_dir, file, recorder.control, parallelism=parallelism(environment)
        )
        recorder.flush()
        steps.finish(FinishedApply(workspace.backend, ended, recorder.unfinished, workspace.work_dir))


def restore(
    context: Context,
    run: Run,
    plan: Plan,
    pull_context: PullContext,
    recorder: ProgressRecorder,
) -> Workspace:
    """Restore the plan's worktree at its own path, byte for byte. Raises UserError if the plan can no longer be applied."""
    worktree = Path(plan.worktree)
    if not worktree.is_relative_to(context.data_dir):
        raise _discard_plan(
            context,
            run,
            plan,
            "The plan was made on another machine, and its directory does not exist on this one.",
        )
    additions = {name: text.encode() for name, text in plan.additions.items()}
    checkout = Checkout(pull_context.pull, pull_context.policy, plan.commit, worktree, additions)
    workspace = prepare_workspace(context, run, checkout, recorder.control)
    if dict(workspace.backend.config) != plan.backend["config"]:
        raise _discard_plan(context, run, plan, "The backend's address changed since the plan was made.")
    if workspace.tree != plan.tree:
        raise _discard_plan(context, run, plan, "The checked-out files differ from those that were planned.")
    if note := reconcile_state(context, run.target, workspace.backend):
        recorder.control.on_progress(
            Progress(line=note)
        )  # the gates will refuse: the plan is for an older state
    return workspace


def _saved_plan(context: Context, run: Run, plan: Plan) -> bytes:
    """Return the plan file. Raises UserError if it is damaged."""
    try:
        with context.store.read() as tables:
            return tables.plans.file(plan.id)
    except PlanDamaged as error:
        log.warning("a saved plan is damaged", plan=plan.id, run=run.id, error=str(error))
        raise _discard_plan(context, run, plan, "The saved plan is damaged.") from error


def _discard_plan(context: Context, run: Run, plan: Plan, why: str) -> UserError:
    """Mark a plan that can never be applied, so that the next command makes a new one. Returns the error to raise."""
    with context.store.begin() as tables:
        tables.plans.take(plan.id, "fresh", "failed")
    return Refusal("spent", why, f"`{command(run.planned_by, run.target)}`")


def _start(context: Context, run: Run, plan: Plan, pull_context: PullContext) -> bool:
    """Ask the gates again and write the journal row, in one transaction that commits before Terraform starts. Returns
    False if the apply must not start."""
    now = replace(pull_context, pull=context.refresh(run.target.repository, run.pull))
    # whoever asked for a revert counted its losses when it was queued
    options = ApplyOptions(forced=run.forced, revert=bool(run.reverts), losing=len(plan.losses))
    request = ApplyRequest(now, (run.target,), run.actor, run.origin, options)
    observed = observe(context, request, run.target, plan)
    policy_commit = default_tip(context, now)[1] if run.target.instance else ""
    with context.store.begin() as tables:
        # so that no decision comes between the gates and the use of the approval, nor two instances take the last place
        tables.locks.lock_targets(run.target, *([capacity_target(run.target)] if run.target.instance else []))
        row = tables.runs.get(run.id)
        if row is not None and row.cancel_by:
            finish_in(
                context,
                tables,
                run,
                RunEnd("cancelled", message=f"Cancelled by @{row.cancel_by} before it started."),
            )
            return False
        kept = tables.plans.get(plan.id)
        facts = gather_facts(context, tables, request, run.target, kept, observed)
        applying = upstream_applying(tables, now.policy, run.target)
        facts = replace(facts, upstream_applying=applying)
        if refusal := first_refusal(GATES, facts):
            asked = tables.approvals.get(run.approval) if refusal.code == "unapproved" else None
            refusal = (refuse_ended(asked) if asked else None) or refusal
            end = RunEnd(
                "refused",
                message=refusal.fact,
                next_step=refusal.next_step,
                reason=Reason(refusal.code),
            )
            finish_in(context, tables, run, end)
            record_run(context, tables, "apply.refused", run, code=refusal.code, fact=refusal.fact)
            return False
        if not tables.plans.take(plan.id, "fresh", "applying"):
            finish_in(context, tables, run, RunEnd("refused", message="This plan is already being applied."))
            return False
        tables.runs.move(run.id, ("preparing", "initialising"), "applying")
        _commit(context, tables, run, facts)
        if run.target.instance:
            passing = facts.environment.on_pull_request == "verify"
            begun = started(tables.instances.get(run.target), run, passing=passing, now=context.now())
            tables.instances.save(replace(begun, policy_commit=policy_commit))
        show_run(tables, context.now(), run)
    return True


def _commit(context: Context, tables: Tables, run: Run, facts: ApplyFacts) -> None:
    """Record what is true once Terraform may start: the approval is used, the previous release is inactive, a forced
    apply needs an acknowledgement; and the gates' answers, for the audit record."""
    tables.releases.deactivate(run.target)
    answers = gate_answers(GATES, facts)
    if facts.approval_state is not None:
        status, why = ("dead", "its plan was applied by force") if run.forced else ("used", "")
        end_approval(context, tables, facts.approval_state.approval, status, why)
    skipped = [one for one in gate_answers(PROMOTION, replace(facts, forced="")) if not one.passed]
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
        show(tables, context.now(), SurfaceKey("follow_up", follow_up.id, run.target.repository, run.pull))
    record_run(
        context,
        tables,
        "apply.forced" if run.forced and skipped else "apply.started",
        run,
        plan=facts.plan.digest if facts.plan else "",
        approval=run.approval,
        reason=run.forced,
        gates=[{"gate": one.gate, "passed": one.passed, "ground": one.ground} for one in answers],
        skipped=[one.gate for one in skipped] if run.forced else [],
    )
