"""Bring an instance to what it should be: one step at a time, the same after an event, a run, or a crash."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.actors import SYSTEM
from bot.domain.ports.forge import ForgeError
from bot.domain.previews import Instance
from bot.domain.refusal import Refusal, Refused
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target
from bot.services.applies import ApplyRequest, apply_run_id, attempt_apply
from bot.services.context import Context, show_pull
from bot.services.plans import PlanRequest, request_plans
from bot.services.previews.sleep import switch_instance, switch_of
from bot.services.previews.teardown import request_destroy
from bot.services.promotion import may_plan
from bot.services.targets import GLANCE, PullContext, load_pull_context

REPLANNED = frozenset(["state-moved", "too-old", "policy-changed", "engine-changed", "head-moved", "spent"])
"""Refusals of an apply that a new plan answers."""
REPLANS = 3
"""Plans that are made again in a row, until a push or a person asks for another."""


def reconcile_instance(context: Context, target: Target) -> None:
    """Do the next thing that brings the instance to what it should be; nothing if it is that, or if people have to act.

    Safe to call at any time and from two processes: what it requests has ids of what it is for.
    """
    with context.store.read() as tables:
        instance = tables.instances.get(target)
        pull = tables.pulls.get(target.repository, instance.pull) if instance else None
    if instance is None or pull is None:
        return
    if instance.wanted == "gone":
        request_destroy(context, target)
    elif pull.state == "open":
        _bring_up(context, instance)


def _bring_up(context: Context, instance: Instance) -> None:
    """Put it to sleep or wake it where the policy has commands for that; else plan the latest commit, and apply that plan."""
    target = instance.target
    with context.store.read() as tables:
        if tables.runs.active(target=target):
            return  # it is called again when that run has ended
        plan = tables.plans.newest(target, instance.pull)
        last = tables.runs.newest(target, pull=instance.pull, kind="plan")
    try:
        pull = context.refresh(target.repository, instance.pull, GLANCE)
        pull_context = load_pull_context(context, pull, GLANCE)
        if target.environment not in pull_context.policy.environments:
            return  # the sweep takes it down
        if switch_of(instance, pull_context.policy) is not None:
            if refusal := switch_instance(context, instance, pull_context.policy):
                _note(context, instance, _sentence(refusal))
        elif plan is not None and plan.commit == pull.head_sha and plan.status == "fresh":
            _apply(context, instance, plan, pull_context)
        elif _needs_plan(instance, plan, last, pull.head_sha):
            _plan(context, instance, pull_context, f"{pull.head_sha}:{instance.wanted}:{instance.wanted_at}")
    except (Refusal, ForgeError) as error:
        _note(context, instance, str(error))


def _needs_plan(instance: Instance, plan: Plan | None, last: Run | None, head: str) -> bool:
    """Whether nobody has planned what is wanted. A plan that failed is not made again: people have to push first."""
    if (
        last is not None
        and last.commit == head
        and (last.created_at or instance.wanted_at) >= instance.wanted_at
    ):
        return last.outcome == "superseded"
    return plan is None or plan.commit != head or instance.state != instance.wanted


def _plan(context: Context, instance: Instance, pull_context: PullContext, seed: str) -> None:
    target = instance.target
    if refusal := may_plan(context, pull_context, target, SYSTEM):
        _note(context, instance, _sentence(refusal))
        return
    seed = f"instance:{target.key}:{seed}"
    request = PlanRequest(pull_context, (target,), SYSTEM, Origin(delivery=seed[:200]), seed, limited=False)
    request_plans(context, request)


def _apply(context: Context, instance: Instance, plan: Plan, pull_context: PullContext) -> None:
    """Apply the plan, once. After a refusal that a new plan answers, make that plan; keep any other for people to read."""
    origin = Origin(delivery=f"instance:{plan.id}")
    with context.store.read() as tables:
        before = tables.runs.get(apply_run_id(origin, plan.target))
    if before is not None:
        if before.outcome == "refused":
            _replan(context, instance, plan, pull_context, f"{before.message} {before.next_step}")
        return
    attempted = attempt_apply(context, ApplyRequest(pull_context, (plan.target,), SYSTEM, origin))
    refusal = attempted.refusal
    if refusal is not None and refusal.code in REPLANNED:
        _replan(context, instance, plan, pull_context, _sentence(refusal))
    elif refusal is not None:
        _note(context, instance, _sentence(refusal))


def _replan(context: Context, instance: Instance, plan: Plan, pull_context: PullContext, why: str) -> None:
    """Plan again in place of `plan`, but not for ever: what makes each new plan useless has to be changed by people."""
    if instance.replans >= REPLANS:
        _note(context, instance, why)
        return
    with context.store.begin() as tables:
        tables.locks.lock_targets(instance.target)
        if (current := tables.instances.get(instance.target)) is not None:
            tables.instances.save(replace(current, replans=current.replans + 1))
    _plan(context, instance, pull_context, f"after:{plan.id}")


def _sentence(refusal: Refused) -> str:
    return f"{refusal.fact} {refusal.next_step}".strip()


def _note(context: Context, instance: Instance, note: str) -> None:
    """Keep why the instance is not what it should be, and show it."""
    if instance.note == note:
        return
    with context.store.begin() as tables:
        tables.locks.lock_targets(instance.target)
        current = tables.instances.get(instance.target)
        if current is not None:
            tables.instances.save(replace(current, note=note))
            show_pull(tables, context.now(), instance.target.repository, instance.pull)
