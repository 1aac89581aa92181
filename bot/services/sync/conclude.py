"""Decide what to do with a plan of the default branch: record that it is in sync, report what differs, or apply it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.domain.chat import Notice
from bot.domain.plans import PlanSummary, read_page
from bot.domain.policy import Environment, Policy
from bot.domain.ports.store import Tables
from bot.domain.release import Release
from bot.domain.run import Origin, Plan, Run
from bot.domain.sync import Change, Sync, SyncStatus, changes_digest, changes_of, unreviewed_changes
from bot.domain.target import command
from bot.services.applies import recorded_state
from bot.services.audit import record_run
from bot.services.context import Context, show_run
from bot.services.sync.attempt import attempt, first_report
from bot.services.sync.request import SyncRequest, request_sync
from bot.services.targets import readable_policy

CONSIDERED = 20
"""Latest plans of a pull request among which the reviewed one is looked for."""


def conclude(context: Context, sync_id: str) -> None:
    """Act on a sync's plan, once. After a crash in between, it is done again from the rows."""
    with context.store.read() as tables:
        sync, run, plan = tables.syncs.get(sync_id), tables.runs.get(sync_id), tables.plans.get(sync_id)
    if sync is None or run is None or sync.status != "planning" or run.active or plan is None:
        return
    policy = readable_policy(context, sync.target.repository, 5.0)
    environment = policy.environments.get(sync.target.environment) if policy else None
    if policy is None or environment is None:
        _settle(context, run, "failed", message=f"`{sync.target.environment}` is no longer in the policy.")
        return
    if _overtaken(context, sync, run, plan, policy):
        return
    changes = planned_changes(context, plan)
    digest = changes_digest(changes) if plan.has_changes else ""
    empty = not plan.has_changes or PlanSummary.from_dict(plan.summary).empty
    applies = environment.on_merge == "apply"
    if empty and not (applies and _awaited(context, policy, plan)):
        _settle(context, run, "in_sync")
        return
    if not applies:
        _settle(context, run, "differs", digest=digest)
        return
    known = empty or (bool(changes) and not unreviewed_changes(changes, _reviewed(context, sync)))
    if sync.pull and (known or environment.approval_rules):
        with context.store.begin() as tables:
            tables.syncs.update(sync.id, digest=digest)
        attempt(context, replace(sync, digest=digest))
        return
    _settle(context, run, "differs", message=_unreviewed(sync, environment), digest=digest)


def reconsider(context: Context, sync_id: str) -> None:
    """Decide again about a plan that was not applied by itself: another pull request may have reviewed its changes."""
    with context.store.begin() as tables:
        sync = tables.syncs.get(sync_id)
        fresh = (
            sync is not None and (plan := tables.plans.get(sync_id)) is not None and plan.status == "fresh"
        )
        if sync is None or sync.mode != "apply" or not fresh:
            return
        if not tables.syncs.move(sync_id, ["differs"], "planning"):
            return
    conclude(context, sync_id)


def planned_changes(context: Context, plan: Plan) -> frozenset[Change]:
    """Return all that a plan changes, from its stored pages."""
    with context.store.read() as tables:
        numbers = range(1, plan.summary.get("pages", 0) + 1)
        pages = [tables.plans.page(plan.id, number) for number in numbers]
    return changes_of(read_page(page) for page in pages if page is not None)


def _overtaken(context: Context, sync: Sync, run: Run, plan: Plan, policy: Policy) -> bool:
    """Whether an apply changed the target since the plan was made; then it is planned again, after that apply."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(sync.target)
        now = recorded_state(plan, tables.states.newest(sync.target.key))
        moved = now is not None and now != (plan.lineage, plan.serial)
        if not moved and not tables.runs.active(target=sync.target, kind="apply"):
            return False
        request = SyncRequest(
            sync.target, policy, sync.commit, sync.pulls, run.actor, run.origin, seed=f"after {sync.id}"
        )
        request_sync(context, tables, request)
    return True


def _reviewed(context: Context, sync: Sync) -> Iterator[frozenset[Change]]:
    """Yield the changes that people could read in each pull request, at its last commit, before they merged it."""
    with context.store.read() as tables:
        plans = [plan for number in sync.pulls if (plan := _last_shown(tables, sync, number))]
    return (planned_changes(context, plan) for plan in plans)


def _last_shown(tables: Tables, sync: Sync, number: int) -> Plan | None:
    pull = tables.pulls.get(sync.target.repository, number)
    if pull is None or pull.closed_at is None:
        return None
    for plan in tables.plans.of_pull(sync.target, number, CONSIDERED):
        if plan.sync or plan.reverts or plan.commit != pull.head_sha or plan.published_at is None:
            continue
        if plan.published_at <= pull.closed_at:
            return plan
    return None


def _unreviewed(sync: Sync, environment: Environment) -> str:
    names = ", ".join(f"#{number}" for number in sync.pulls)
    if not names:
        return (
            f"The commit was pushed without a pull request, so nobody reviewed a plan for {environment.name}."
        )
    return f"It makes other changes in {environment.name} than the plan that was shown in {names} before the merge."


def _awaited(context: Context, policy: Policy, plan: Plan) -> bool:
    """Whether another environment waits for a release of this commit here, though its plan has no changes."""
    environment = plan.target.environment
    if not any(env.promote_from == environment for env in policy.environments.values()):
        return False
    with context.store.read() as tables:
        release: Release | None = tables.releases.newest(plan.target)
    same = release is not None and release.configuration == plan.configuration and release.verified
    return release is None or not release.active or not same


def _settle(context: Context, run: Run, status: SyncStatus, **changes: Any) -> None:
    """Record the result, and show it."""
    digest = changes.get("digest", "")
    with context.store.begin() as tables:
        tables.locks.lock_targets(run.target)
        sync = tables.syncs.get(run.sync)
        news = sync is not None and bool(digest) and first_report(tables, sync, digest)
        if not tables.syncs.move(run.sync, ["planning"], status, news=news, **changes):
            return
        if status == "in_sync":
            tables.plans.take(run.id, "fresh", "superseded")  # nothing of it can be applied
        record_run(context, tables, f"sync.{status}", run, digest=digest)
        show_run(tables, context.now(), run)
        if not run.pull and news and context.channel:
            _report_push(context, tables, run)


def _report_push(context: Context, tables: Tables, run: Run) -> None:
    """Tell the channel what was pushed without a pull request, which has no card."""
    text = f"{run.target} differs from the default branch at `{run.commit[:7]}`, which was pushed without a pull request."
    step = f"`{command('drift', run.target)}` compares it with what was applied last."
    origin = Origin(delivery=f"sync:{run.id}", channel=context.channel)
    context.tell(tables, origin, run.target.repository, 0, Notice(text, step, "warning"))
