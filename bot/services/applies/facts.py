"""The facts that gates judge: slow reads outside the transaction, rows inside it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.gates import ApplyFacts
from bot.domain.hold import Hold
from bot.domain.ports.store import Tables
from bot.domain.previews import refuse_full
from bot.domain.run import Plan
from bot.domain.states import LockInfo, StateVersion
from bot.domain.target import Target
from bot.services.applies.options import ApplyRequest
from bot.services.approvals import approval_state, refresh_approval
from bot.services.context import Context
from bot.services.holds import hold_against
from bot.services.order import outdated_inputs, upstreams_of
from bot.services.plans import state_of
from bot.services.promotion import configuration_digest_of, frozen_now, source_of
from bot.services.states import foreign_lock
from bot.services.targets import PullContext, changed_on_base, on_main, touched_stacks


@dataclass(frozen=True)
class Observed:
    """What was read outside the transaction, since it may be slow (git, GitHub, S3)."""

    moved: list[str]
    state: tuple[str, int] | None
    configuration: str = ""
    held: Hold | None = None
    touched: frozenset[str] = frozenset()
    state_lock: LockInfo | None = None


def observe(context: Context, request: ApplyRequest, target: Target, plan: Plan | None) -> Observed:
    """Read a target's facts, after bringing its open approval up to date in the rows. A forced apply skips the approval:
    nothing about approvers may stop it. Raises UserError if the code owners cannot be determined."""
    pull_context = context_for(request, plan)
    pull = pull_context.pull
    environment = pull_context.policy.environments[target.environment]
    if not request.options.forced:
        with context.store.read() as tables:
            approval = tables.approvals.live(target, pull.number)
        if approval is not None and approval.status == "open":
            refresh_approval(context, approval, pull_context)
    return Observed(
        # an instance is the pull request's own: an apply undoes nothing of others'
        [] if target.instance else changed_on_base(context, pull_context, target.stack),
        current_state(context, target, plan) if plan else None,
        configuration_digest_of(context, pull.repository, pull.head_sha, pull_context.policy, target.stack)
        if environment.promote_from
        else "",
        hold_against(context, target, plan.commit if plan and plan.reverts else pull.head_sha),
        _touched(context, request, target),
        foreign_lock(context, target, context.backends.restore(plan.backend)) if plan else None,
    )


def context_for(request: ApplyRequest, plan: Plan | None) -> PullContext:
    """Return the context of what the plan applies: the pull request's latest commit, or one of the default branch."""
    return on_main(request.pull_context, plan.commit) if plan and plan.sync else request.pull_context


def _touched(context: Context, request: ApplyRequest, target: Target) -> frozenset[str]:
    """Return the stacks that the pull request changes, where the target comes after others."""
    if not request.pull_context.policy.upstream(target) or request.options.revert:
        return frozenset()
    return frozenset(stack.name for stack in touched_stacks(context, request.pull_context))


def _handed_over(context: Context, tables: Tables, request: ApplyRequest, target: Target) -> frozenset[str]:
    """Return the stacks before the target that other jobs of this workflow have applied: their plans are in no database
    of this job's."""
    if context.merge is None:
        return frozenset()
    releases = tables.releases.newest_of(request.pull_context.policy.upstream(target))
    head = request.pull.head_sha
    return frozenset(
        one.stack for one, release in releases.items() if release.active and release.commit == head
    )


def gather_facts(
    context: Context,
    tables: Tables,
    request: ApplyRequest,
    target: Target,
    plan: Plan | None,
    observed: Observed,
) -> ApplyFacts:
    """Return everything that the gates ask for, from rows and from what was observed."""
    pull_context, options = context_for(request, plan), request.options
    pull = pull_context.pull
    approval = tables.approvals.live(target, pull.number)
    policy = pull_context.policy
    environment = policy.environments[target.environment]
    before = tables.plans.newest_of(policy.upstream(target), pull.number)
    return ApplyFacts(
        pull=pull,
        target=target,
        environment=environment,
        plan=plan,
        lock=tables.locks.get(target),
        now=context.now(),
        engine=context.terraform.engine.identity,
        policy=policy.digest(target.stack, target.environment),
        base_changes=observed.moved,
        state=observed.state,
        requested_at=request.origin.written_at,
        visible_since=plan.visible_since(request.origin) if plan else None,
        pushed_at=tables.pulls.head_seen(pull.repository, pull.number, plan.commit) if plan else None,
        source=source_of(tables, policy, target, pull.number),
        configuration=observed.configuration,
        frozen=frozen_now(context, policy, target),
        approval_state=approval_state(tables, approval) if approval else None,
        forced=options.forced,
        revert=options.revert,
        losing=options.losing,
        merged=context.merge is not None,
        hold=observed.held,
        state_lock=observed.state_lock,
        unsaved=next(iter(tables.unsaved.open([target])), None),
        upstream=tuple(
            one
            for one in upstreams_of(
                policy, target, before, observed.touched - _handed_over(context, tables, request, target)
            )
            if one.target not in request.targets
        ),
        outdated_inputs=outdated_inputs(context, tables, [plan] if plan else []).get(target, ()),
        full=refuse_full(
            environment, target, tables.instances.of_environment(pull.repository, target.environment)
        )
        if environment.cap
        else None,
    )


def current_state(context: Context, target: Target, plan: Plan) -> tuple[str, int] | None:
    """Return the state's current (lineage, serial), read from the plan's proven backend."""
    if plan.backend["kind"] != "http":
        return state_of(context, target, context.backends.restore(plan.backend))
    with context.store.read() as tables:
        return recorded_state(plan, tables.states.newest(target.key))


def recorded_state(plan: Plan, newest: StateVersion | None) -> tuple[str, int] | None:
    """Return (lineage, serial) of the latest version on the built-in backend; None for others, which only Terraform
    compares."""
    if plan.backend["kind"] != "http":
        return None
    return (newest.lineage, newest.serial) if newest else ("", 0)
