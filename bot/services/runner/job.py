"""Carry out one request of the bot's, in a job of GitHub Actions. Its database lives as long as the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.domain.actions import difference, reviewed_plan
from bot.domain.refusal import Refusal
from bot.domain.run import InputValue, Plan, Run
from bot.domain.runner import LOG_LINES, RemotePlan, RunnerRequest, RunnerResult
from bot.errors import UserError
from bot.services.actions import record_input_states
from bot.services.applies import ApplySteps, FinishedApply, apply_here
from bot.services.context import Context, stable_id
from bot.services.plans import run_plan
from bot.services.runner.place import place_of
from bot.services.runs import failure_reason
from bot.services.states import keep_unsaved
from bot.services.sync import branch_context
from bot.services.targets import PullContext, default_policy, fetch, load_pull_context


@dataclass(frozen=True)
class JobTools:
    """key: shared with the bot. changes: run id → what its plan does, see bot.domain.actions.planned_changes. unsaved: pushes
    a state that Terraform could not upload, and returns it if that is not possible."""

    key: str
    changes: Mapping[str, Mapping[str, str]]
    unsaved: Callable[[], bytes | None]


def carry_out(context: Context, request: RunnerRequest, tools: JobTools) -> RunnerResult:
    """Plan, or plan again and apply what was reviewed. The gates were asked by the bot; whatever the request does not say
    exactly is refused here."""
    try:
        pull_context = _checked(context, request)
        planned = _planned(context, request, pull_context)
        if isinstance(planned, RunnerResult):
            return planned
        if request.phase == "plan":
            return _handed_back(context, planned, tools)
        _refuse_other_plan(request, planned, tools)
        return _applied(context, request, pull_context, planned, tools)
    except UserError as error:
        return RunnerResult("refused", error.what, error.next_step)


def _checked(context: Context, request: RunnerRequest) -> PullContext:
    """Return what is planned. Raises Refusal for a request that no longer fits."""
    target = request.target
    if context.now() > request.expires:
        raise Refusal("too-late", "No runner began this in time, so nothing was done.")
    pull_context = _of_branch(context, request) if request.main else _of_pull(context, request)
    if pull_context.policy.digest(target.stack, target.environment) != request.policy:
        raise Refusal("policy-changed", "The policy on the default branch has changed since.")
    record_input_states(context, pull_context.policy, [target])
    return pull_context


def _of_branch(context: Context, request: RunnerRequest) -> PullContext:
    repository = request.target.repository
    policy = default_policy(context, repository)
    if policy is None:
        raise Refusal("no-policy", "The default branch has no policy.")
    found = branch_context(context, policy, _plan_run(context, request))
    if not context.git.is_ancestor(repository, request.commit, found.base_tip):
        raise Refusal("not-merged", f"`{request.commit[:7]}` is not on the default branch.")
    return found


def _of_pull(context: Context, request: RunnerRequest) -> PullContext:
    repository = request.target.repository
    pull = context.refresh(repository, request.pull)
    if pull.head_sha != request.commit:
        raise Refusal("head-moved", f"`{pull.head_sha[:7]}` was pushed since.")
    pull_context = load_pull_context(context, pull)
    fetch(context, repository, [request.commit], [f"refs/pull/{pull.number}/head"])
    return pull_context


def _plan_run(context: Context, request: RunnerRequest) -> Run:
    return Run(
        id=request.run_id,
        kind="plan",
        target=request.target,
        pull=request.pull,
        commit=request.commit,
        phase="preparing",
        created_at=context.now(),
    )


def _planned(context: Context, request: RunnerRequest, pull_context: PullContext) -> Plan | RunnerResult:
    run = replace(_plan_run(context, request), base_commit=pull_context.base_tip)
    with context.store.begin() as tables:
        tables.runs.add(run)
    run_plan(context, run, pull_context)
    with context.store.read() as tables:
        plan, ended = tables.plans.get(run.id), tables.runs.get(run.id)
    if plan is not None:
        return plan
    stopped = ended is not None and ended.outcome in ("cancelled", "timed_out")
    return RunnerResult(
        "refused" if request.phase == "apply" else "failed",
        ended.message if ended else "The plan was not made.",
        interrupted=stopped,
        log=_log(context, run.id),
    )


def _handed_back(context: Context, plan: Plan, tools: JobTools) -> RunnerResult:
    with context.store.read() as tables:
        count = plan.summary.get("pages", 0)
        pages = tuple(page for number in range(1, count + 1) if (page := tables.plans.page(plan.id, number)))
    bucket, key, endpoint = place_of(context.backends.restore(plan.backend))
    remote = RemotePlan(
        reviewed_plan(tools.changes[plan.id], tools.key),
        plan.summary,
        pages,
        plan.has_changes,
        plan.lineage,
        plan.serial,
        plan.tree,
        bucket,
        key,
        endpoint,
        {name: InputValue(**{**one, "version": ""}) for name, one in plan.inputs.items()},
    )
    return RunnerResult("planned", log=_log(context, plan.id), plan=remote)


def _refuse_other_plan(request: RunnerRequest, plan: Plan, tools: JobTools) -> None:
    """Raise Refusal if this is not the plan that was reviewed. The state's serial only grows, so that no request counts again
    once it has been applied."""
    if (plan.lineage, plan.serial) != (request.lineage, request.serial):
        raise Refusal("state-moved", f"The state of {plan.target} has changed since the plan was reviewed.")
    if request.reviewed is None:
        raise Refusal("no-reviewed-plan", "The request names no reviewed plan.")
    found = difference(request.reviewed, reviewed_plan(tools.changes[plan.id], tools.key))
    if found:
        raise Refusal(
            "plan-differs",
            f"The plan for {plan.target} is not the one that was reviewed, so nothing was applied. {found.text}",
        )


def _applied(
    context: Context, request: RunnerRequest, pull_context: PullContext, plan: Plan, tools: JobTools
) -> RunnerResult:
    run = Run(
        id=stable_id(request.run_id, "apply"),
        kind="apply",
        target=request.target,
        pull=request.pull,
        commit=request.commit,
        phase="applying",
        plan_id=plan.id,
        created_at=context.now(),
    )
    with context.store.begin() as tables:
        tables.runs.add(run)
    done: list[RunnerResult] = []

    def finish(finished: FinishedApply) -> None:
        ended, unsaved = finished.ended, None
        if not ended.ok:
            keep_unsaved(context, run)
            unsaved = tools.unsaved()
        done.append(
            RunnerResult(
                "applied" if ended.ok else "failed",
                "" if ended.ok else failure_reason(ended)[:4000],
                exit_code=ended.exit_code,
                interrupted=ended.interrupted,
                timed_out=ended.timed_out,
                unsaved=unsaved,
            )
        )

    apply_here(context, run, plan, pull_context, ApplySteps(lambda: True, finish))
    log = (*_log(context, plan.id), *_log(context, run.id))[-LOG_LINES:]
    if done:
        return replace(done[0], log=log)
    with context.store.read() as tables:
        ended_run = tables.runs.get(run.id)
    return RunnerResult("refused", ended_run.message if ended_run else "", log=log)


def _log(context: Context, run_id: str) -> tuple[str, ...]:
    with context.store.read() as tables:
        _end, lines = tables.runs.log(run_id, 0)
    return tuple(lines[-LOG_LINES:])
