"""Plan a pull request in GitHub Actions."""

from __future__ import annotations

import hashlib

from bot.domain.ports.terraform import Backend, CommandResult, Progress
from bot.domain.refusal import Refusal
from bot.domain.run import Plan, Run
from bot.domain.runner import RemotePlan, RunnerRequest, reviewed_content
from bot.services.actions import record_input_states
from bot.services.context import Context
from bot.services.directories import journal_of, worktree_of
from bot.services.identity import hidden_values
from bot.services.plans import PlanFiles, keep_plan, stored_backend
from bot.services.promotion import configuration_digest_of
from bot.services.runner.follow import START_WITHIN, Followed, hand_over
from bot.services.runner.place import place_of
from bot.services.runs import ProgressRecorder, RunEnd, finish_run, stop_outcome
from bot.services.states import reconcile_state
from bot.services.sync import branch_context
from bot.services.targets import PullContext, default_policy, load_pull_context

FRESH = 5.0
"""Seconds for which GitHub's last answer is fresh enough."""
AGAIN = "Fix it and push, or run `/plan` again."


def plan_elsewhere(context: Context, run: Run) -> None:
    """Let a job plan the run's commit, keep the plan, and end the run. Safe to repeat after a crash."""
    pull_context = _context_of(context, run)
    policy = pull_context.policy
    environment = policy.environments[run.target.environment]
    backend = context.backends.backend(run.target, policy, "s3", ("", ""))
    request = RunnerRequest(
        run.id,
        "plan",
        run.target,
        run.pull,
        run.commit,
        policy.digest(run.target.stack, run.target.environment),
        context.now() + START_WITHIN,
        main=bool(run.sync),
    )
    hidden = hidden_values(context, policy, run.target)
    with ProgressRecorder(context, run, journal_of(context, run), environment.timeout, hidden) as recorder:
        followed = hand_over(context, run, request, recorder.control)
        for line in followed.result.log if followed.result else ():
            recorder.control.on_progress(Progress(line=line))
    planned = followed.result.plan if followed.result else None
    if planned is None:
        _failed(context, run, followed)
        return
    if (planned.bucket, planned.key, planned.endpoint) != place_of(backend):
        raise Refusal(
            "other-state",
            "The job has its state in another place than the bot.",
            "Give the bot and the workflow the same bucket: name it in the policy.",
        )
    record_input_states(
        context, policy, [run.target]
    )  # as the job saw them, so that later changes are noticed
    note = reconcile_state(context, run.target, backend)
    plan = _plan(context, run, pull_context, backend, planned)
    keep_plan(context, run, plan, PlanFiles(reviewed_content(planned.reviewed), planned.pages), note)


def _context_of(context: Context, run: Run) -> PullContext:
    if not run.sync:
        return load_pull_context(context, context.refresh(run.target.repository, run.pull, FRESH))
    policy = default_policy(context, run.target.repository, FRESH)
    if policy is None:
        raise Refusal("no-policy", "The default branch has no policy.")
    return branch_context(context, policy, run, FRESH)


def _failed(context: Context, run: Run, followed: Followed) -> None:
    result = followed.result
    if followed.stopped or followed.conclusion == "cancelled":
        outcome = stop_outcome(context, run, CommandResult(0, "", interrupted=True)) or "cancelled"
        finish_run(context, run, RunEnd(outcome, message="The plan was stopped."))
    elif result is None:
        message = f"[The job]({followed.url}) ended before it handed back a result ({followed.conclusion})."
        finish_run(
            context, run, RunEnd("failed", message=message, next_step="Read its log, then run `/plan` again.")
        )
    else:
        outcome = "refused" if result.outcome == "refused" else "failed"
        finish_run(context, run, RunEnd(outcome, message=result.message, next_step=result.next_step or AGAIN))


def _plan(
    context: Context, run: Run, pull_context: PullContext, backend: Backend, planned: RemotePlan
) -> Plan:
    """Return the plan as the bot keeps it. Its file is what it does, as keyed digests, and no worktree is kept: the apply
    plans again and compares. The engine is the bot's own, which the gate compares; the job's may be another one."""
    place, target = str(worktree_of(context, run)), run.target
    return Plan(
        id=run.id,
        run_id=run.id,
        target=target,
        pull=run.pull,
        commit=run.commit,
        base_commit=run.base_commit if run.sync else pull_context.base_tip,
        digest=hashlib.sha256(reviewed_content(planned.reviewed)).hexdigest(),
        policy=pull_context.policy.digest(target.stack, target.environment),
        engine=context.terraform.engine.identity,
        lineage=planned.lineage,
        serial=planned.serial,
        tree=planned.tree,
        worktree=place,
        root=place,
        has_changes=planned.has_changes,
        summary=planned.summary,
        backend=stored_backend(backend),
        sync=run.sync,
        inputs=planned.inputs,
        configuration=configuration_digest_of(
            context, target.repository, run.commit, pull_context.policy, target.stack
        ),
        created_at=context.now(),
    )
