"""Record what a run has left of its instance, and go on with the instance."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.chat import Notice
from bot.domain.ports.store import Tables
from bot.domain.previews import (
    Instance,
    after_apply,
    after_destroy,
    after_failure,
    after_switch,
    preview_command,
)
from bot.domain.run import SLEEPING, Origin, Run
from bot.services.audit import record_run
from bot.services.context import Context, SurfaceKey, show, show_run
from bot.services.previews.reconcile import reconcile_instance


def settle_run(context: Context, run_id: str) -> None:
    """Record the end of a run in its instance, if it has one, and bring the instance to what it should be.

    Called after each plan, apply and destroy, also when it is carried out again after a crash: a run is recorded once.
    """
    with context.store.begin() as tables:
        run = tables.runs.get(run_id)
        if run is None or run.active or not run.target.instance:
            return
        tables.locks.lock_targets(run.target)
        instance = tables.instances.get(run.target)
        if instance is None:
            return
        if run.kind != "plan" and instance.settled != run.id:
            _record(context, tables, instance, run)
        others = tables.instances.of_pull(run.target.repository, run.pull)
    reconcile_instance(context, run.target)
    for other in others:  # of other stacks, which may have waited for this run
        if other.target != run.target and other.state != other.wanted:
            reconcile_instance(context, other.target)


def _record(context: Context, tables: Tables, instance: Instance, run: Run) -> None:
    now = context.now()
    if run.kind == "apply":
        tables.instances.save(after_apply(instance, run))
    elif run.kind in SLEEPING:
        tables.instances.save(after_switch(instance, run))
    elif run.outcome == "destroyed":
        tables.instances.save(after_destroy(instance, run, now))
        record_run(context, tables, "destroy.ended", run, outcome="destroyed")
        if applied := tables.runs.last_apply(run.target):
            show(tables, now, SurfaceKey("deployment", applied.id, run.target.repository, run.pull))
    elif instance.wanted != "gone":  # superseded, since it is wanted again
        tables.instances.save(replace(instance, settled=run.id))
    else:
        left = after_failure(instance, run, now)
        tables.instances.save(left)
        record_run(context, tables, "destroy.ended", run, outcome=run.outcome, attempt=left.attempts)
        if left.state == "stuck" and instance.state != "stuck":
            _tell_stuck(context, tables, left)
    show_run(tables, now, run)


def _tell_stuck(context: Context, tables: Tables, instance: Instance) -> None:
    """Tell the pull request and the channel that resources are left: nobody may be looking at it any more."""
    text = Notice(
        f"{instance.target} of #{instance.pull} could not be destroyed after {instance.attempts} attempts, so resources are "
        f"left: {instance.note}",
        f"Remove what blocks it, then run `{preview_command('down', instance.target)}`.",
        tone="warning",
    )
    places = [Origin(delivery=f"stuck:{instance.settled}")]
    if context.channel:
        places.append(Origin(delivery=f"stuck:{instance.settled}", index=1, channel=context.channel))
    for place in places:
        context.tell(tables, place, instance.target.repository, instance.pull, text)
