"""Request the destroy of an instance that is not wanted any more."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.actors import SYSTEM
from bot.domain.ports.store import Tables
from bot.domain.previews import Instance
from bot.domain.run import Run
from bot.domain.target import Target
from bot.services.audit import record_run
from bot.services.context import Context, show_pull, show_run, stable_id
from bot.services.runs import RunEnd, finish_in
from bot.services.targets import readable_policy

FRESH = 600.0
"""Seconds for which the policy that was read last is fresh enough to order destroys."""


def request_destroy(context: Context, target: Target) -> None:
    """Queue the destroy of an instance, unless it is queued already, is not due yet, or there is nothing to destroy.

    Runs that wait on the target are ended and an apply that runs there is stopped: the destroy comes after it, in the same
    queue. Stacks that come after this one are destroyed first.
    """
    later = _later(context, target)
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        instance, now = tables.instances.get(target), context.now()
        if instance is None or instance.wanted != "gone" or instance.state == "gone":
            return
        if (instance.retry_at and instance.retry_at > now) or tables.runs.active(
            target=target, kind="destroy"
        ):
            return
        running = _stop_runs(context, tables, instance)
        if any(one.exists and one.wanted == "gone" for one in tables.instances.of_targets(later).values()):
            return  # called again when that is gone
        if not instance.exists and not running:
            tables.instances.save(replace(instance, state="gone", ended_at=now))
            show_pull(tables, now, target.repository, instance.pull)
            return
        plan = tables.plans.newest(target, instance.pull)
        run = Run(
            id=stable_id(target.key, now.isoformat(), "destroy"),
            kind="destroy",
            target=target,
            pull=instance.pull,
            commit=instance.commit,
            actor=SYSTEM,
            plan_id=plan.id if plan and plan.commit == instance.commit and not plan.additions else "",
            created_at=now,
        )
        tables.runs.add(run)
        context.work.enqueue(run, tables)
        record_run(context, tables, "destroy.asked", run, why=instance.why, attempt=instance.attempts + 1)
        show_run(tables, now, run)


def _later(context: Context, target: Target) -> list[Target]:
    """Return the instance's targets of stacks that come after this one, as far as the policy can be read."""
    policy = readable_policy(context, target.repository, FRESH)
    if policy is None or target.stack not in policy.stacks or target.environment not in policy.environments:
        return []
    others = [replace(target, stack=name) for name in policy.stacks]
    return [one for one in others if target in policy.upstream(one)]


def _stop_runs(context: Context, tables: Tables, instance: Instance) -> bool:
    """End the target's queued runs and stop the others. Returns whether an apply is still running."""
    applying = False
    for run in tables.runs.active(target=instance.target):
        if run.phase == "queued":
            what = RunEnd(
                "superseded", message=f"This instance of `{run.target.environment}` is being destroyed."
            )
            finish_in(context, tables, run, what)
            continue
        applying = applying or run.kind == "apply"
        if not run.superseded_by:
            tables.runs.update(run.id, superseded_by=instance.why or "gone")
    return applying
