"""Claiming a target and queueing its apply, or recording why not."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.gates import ApplyFacts
from bot.domain.lock import Lock, Waiter
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refused
from bot.domain.run import Origin, Run
from bot.domain.target import Target
from bot.services.applies.options import ApplyRequest
from bot.services.audit import AuditSubject, record, record_run
from bot.services.context import Context, show_pull, show_run, stable_id


class LockLost(Exception):
    """Somebody claimed a target after the gates looked: nothing of this request is kept."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(lock.target.key)
        self.lock = lock


def apply_run_id(origin: Origin, target: Target) -> str:
    """The id of the apply that a request makes: asking twice makes one run."""
    return stable_id(origin.delivery, origin.index, target.key, "apply")


def queue_apply(
    context: Context, tables: Tables, request: ApplyRequest, facts: ApplyFacts
) -> tuple[Run, Run | None]:
    """Claim one target and queue its apply, after those of the stacks before its own. Returns also the apply that it waits
    for, if any. Raises LockLost."""
    options, target, plan = request.options, facts.target, facts.plan
    _claim(context, tables, request, facts)
    running = tables.runs.changing(target)
    before = [] if options.revert else request.pull_context.policy.upstream(target)
    applies = tables.runs.active(repository=target.repository, kind="apply")
    first = [one for one in applies if one.target in before]
    run = Run(
        id=apply_run_id(request.origin, target),
        kind="apply",
        target=target,
        pull=request.pull.number,
        commit=plan.commit if plan and plan.reverts else facts.pull.head_sha,
        reverts=plan.reverts if plan else "",
        base_commit=plan.base_commit if plan else "",
        sync=plan.sync if plan else "",
        actor=request.actor,
        origin=request.origin,
        plan_id=plan.id if plan else "",
        approval=facts.approval_state.approval.id if facts.approval_state and not options.forced else "",
        forced=options.forced,
        after=tuple(one.id for one in first),
        created_at=context.now(),
    )
    tables.runs.add(run)
    if run.sync:
        tables.syncs.update(run.sync, status="applying")
    if not first:
        context.work.enqueue(run, tables)
    record_run(context, tables, "apply.asked", run, plan=plan.digest if plan else "", forced=options.forced)
    show_run(tables, context.now(), run)
    return run, next(iter([*running, *reversed(first)]), None)


def _claim(context: Context, tables: Tables, request: ApplyRequest, facts: ApplyFacts) -> None:
    """Take the target's lock for the pull request. Raises LockLost where another has it."""
    pull, now, life = request.pull, context.now(), facts.environment.lock_expires
    lock = Lock(
        facts.target,
        request.actor,
        now,
        pull=pull.number,
        reason="apply",
        url=pull.url,
        expires_at=now + life if life else None,
    )
    held = tables.locks.take(lock, now)
    if not held.admits(pull.number):
        raise LockLost(held)


def record_refusal(
    context: Context, tables: Tables, request: ApplyRequest, target: Target, refusal: Refused
) -> Refused:
    """Record that an apply was refused. Where the target is locked, put the pull request on the waiting list; the
    returned refusal says so."""
    pull = request.pull
    record(
        context,
        tables,
        "apply.refused",
        request.actor,
        AuditSubject(target=target, pull=pull.number),
        commit=pull.head_sha,
        code=refusal.code,
        fact=refusal.fact,
        next_step=refusal.next_step,
    )
    if refusal.code != "locked" or tables.locks.get(target) is None:
        return refusal
    tables.locks.wait(Waiter(target, pull.number, request.actor, context.now()))
    show_pull(tables, context.now(), target.repository, pull.number)
    return replace(
        refusal,
        next_step=f"{refusal.next_step} #{pull.number} is on the waiting list: it gets a fresh "
        "plan and is notified when the lock is released.",
    )
