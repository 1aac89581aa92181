"""Before an apply: the plan that nobody has read yet, and the approval that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.approvals import Approval
from bot.domain.chat import Result
from bot.domain.gates import WAITING, Promoted
from bot.domain.refusal import Refusal, Refused, require
from bot.domain.run import Run
from bot.domain.target import Target, command
from bot.services.applies.facts import gather_facts, observe
from bot.services.applies.options import ApplyRequest
from bot.services.approvals import (
    ApprovalTerms,
    NewApproval,
    approval_request,
    approval_terms,
    notify_approvers,
    open_approval,
)
from bot.services.context import Context
from bot.services.plans import PlanRequest, request_plans
from bot.services.promotion import may_plan
from bot.services.visibility import refuse_unseen_head


def plan_first(context: Context, request: ApplyRequest, targets: list[Target]) -> Result:
    """Make the plans that are missing; where approval is needed, ask for it with them. That is refused for a commit that
    was pushed after the request: nobody asked for it to be applied."""
    for target in targets:
        refusal = may_plan(context, request.pull_context, target, request.actor)
        require(refusal or _refuse_unpromotable(context, request, target))
    environments = request.pull_context.policy.environments
    guarded = [
        one for one in targets if environments[one.environment].approval_rules and not request.options.forced
    ]
    needs_reader = (
        one for one in targets if one in guarded or environments[one.environment].plan_needs == "maintain"
    )
    if first := next(needs_reader, None):
        again = f"{command('apply', first)} {request.pull.head_sha[:7]}"
        require(refuse_unseen_head(context, request.pull, request.origin, again))
    terms = {one: approval_terms(context, request.pull_context, one, request.actor) for one in guarded}
    planning = _planning(context, request, targets)
    opened = [
        approval
        for target in guarded
        if (approval := _open(context, request, planning[target], terms[target]))
    ]
    if opened:
        return approval_requested(context, opened)
    raise _unread(request, targets)


def _planning(context: Context, request: ApplyRequest, targets: Sequence[Target]) -> Mapping[Target, Run]:
    """The plan runs of the targets: those under way, and new ones where there are none."""
    with context.store.read() as tables:
        found = {
            target: run
            for target in targets
            for run in tables.runs.active(target=target, pull=request.pull.number, kind="plan")
        }
    if missing := [target for target in targets if target not in found]:
        asked = PlanRequest(
            request.pull_context, tuple(missing), request.actor, request.origin, request.origin.id
        )
        found |= {run.target: run for run in request_plans(context, asked).runs}
    return found


def _open(context: Context, request: ApplyRequest, run: Run, terms: ApprovalTerms) -> Approval | None:
    """Ask for approval of the plan that `run` makes; None where it came to nothing meanwhile, and says so itself."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(run.target)
        plan, row = tables.plans.get(run.id), tables.runs.get(run.id)
        if plan is None and (row is None or not row.active):
            return None
        wanted = NewApproval(
            pull=request.pull,
            environment=request.pull_context.policy.environments[run.target.environment],
            target=run.target,
            actor=request.actor,
            origin=request.origin,
            terms=terms,
            run_id=run.id,
            plan=plan,
            when_approved=request.options.when_approved,
        )
        return open_approval(context, tables, wanted)


def _unread(request: ApplyRequest, targets: Sequence[Target]) -> Refusal:
    names = ", ".join(f"`{target}`" for target in targets)
    force = " --force <reason>" if request.options.forced else ""
    commands = " or ".join(
        f"`/apply {name}{force}`" for name in dict.fromkeys(one.environment for one in targets)
    )
    return Refusal(
        "unread",
        f"Nobody has read a plan for {names} yet; one is being made now.",
        f"Read it, then comment {commands} again.",
    )


def _refuse_unpromotable(context: Context, request: ApplyRequest, target: Target) -> Refused | None:
    """What would be refused whatever the plan says is refused before a plan sees the environment's secrets."""
    observed = observe(context, request, target, None)
    with context.store.read() as tables:
        facts = gather_facts(context, tables, request, target, None, observed)
    answer = Promoted().check(facts)
    return answer if isinstance(answer, Refused) and answer.code not in WAITING else None


def approval_requested(context: Context, opened: Sequence[Approval]) -> Result:
    """Notify the approvers, and tell whoever asked about the first approval; the status shows all."""
    for approval in opened:
        notify_approvers(context, approval)
    shown = approval_request(context, opened[0].id)
    if shown is None:
        raise Refusal("unapproved", f"{opened[0].target} needs approval.")
    return shown
