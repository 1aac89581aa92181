"""Apply a plan of the default branch by itself, by the same path and gates as any apply."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.actors import SYSTEM
from bot.domain.policy import Policy
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refused
from bot.domain.run import Origin
from bot.domain.sync import Sync, SyncStatus, is_news
from bot.services.applies import ApplyOptions, ApplyRequest, apply_run_id, attempt_apply, verdict_of
from bot.services.approvals import notify_approvers
from bot.services.context import Context, show_run
from bot.services.promotion import source_of
from bot.services.sync.request import SyncRequest, request_sync
from bot.services.targets import PullContext, load_pull_context

RETRIED = frozenset(["locked", "unpromoted", "other-commit", "other-configuration", "inactive", "unverified"])
"""Refusals that end when something else is done: the plan is tried again then. A freeze, a soak time and running checks
are waited for by an approval, which is complete if nobody has to give it."""
STALE = frozenset(["base-moved", "policy-changed", "engine-changed", "too-old", "state-moved"])
"""Refusals that a new plan answers."""
EARLIER = 10
"""Latest syncs of a target among which a report of the same difference is looked for."""


def attempt(context: Context, sync: Sync) -> None:
    """Try to apply a sync's plan, on behalf of whoever merged. What a gate refuses is recorded, shown, and tried again when
    that can help."""
    if _superseded(context, sync):
        return
    pull_context = load_pull_context(context, context.refresh(sync.target.repository, sync.pull))
    request = _request(context, sync, pull_context)
    if request is None:
        return
    with context.store.read() as tables:
        hint = hint_of(tables, pull_context.policy, sync)
    if sync.status == "waiting":
        refusal = verdict_of(context, request, sync.target)
        if refusal is not None and refusal.code in RETRIED:  # what is refused again is not recorded twice
            _settle(context, sync, "waiting", refusal, hint)
            return
    outcome = attempt_apply(context, request)
    for approval in outcome.opened:
        notify_approvers(context, approval)
    if outcome.opened:
        _settle(context, sync, "approval", None, hint)
    elif outcome.refusal is not None and outcome.refusal.code in STALE:
        _plan_again(context, sync, pull_context)
    elif outcome.refusal is not None:
        waits = outcome.refusal.code in RETRIED
        _settle(context, sync, "waiting" if waits else "differs", outcome.refusal, hint)


def hint_of(tables: Tables, policy: Policy, sync: Sync) -> str:
    """Return what a waiting apply depends on: the target's lock and what is deployed in the environment before it."""
    lock, source = tables.locks.get(sync.target), source_of(tables, policy, sync.target, sync.pull)
    release = source.release if source else None
    before = f"{release.id} {release.verification} {release.active}" if release else ""
    return f"{lock.owner if lock else ''}|{before}|{source.applying_pull if source else 0}"


def first_report(tables: Tables, sync: Sync, digest: str) -> bool:
    """Whether a difference was not reported by the syncs of the target before this one."""
    earlier = [one for one in tables.syncs.of_target(sync.target, EARLIER) if one.id != sync.id]
    return is_news(digest, earlier)


def _superseded(context: Context, sync: Sync) -> bool:
    """Whether there is a newer sync of the target, so that this plan is nobody's business any more."""
    with context.store.begin() as tables:
        newest = tables.syncs.newest(sync.target)
        if newest is None or newest.id == sync.id:
            return False
        tables.syncs.move(sync.id, ["planning", "waiting", "approval"], "superseded")
    return True


def _request(context: Context, sync: Sync, pull_context: PullContext) -> ApplyRequest | None:
    """Return the request; None while an apply that it made before is queued or running."""
    origin = Origin(delivery=f"sync:{sync.id}")
    with context.store.read() as tables:
        while run := tables.runs.get(apply_run_id(origin, sync.target)):
            if run.active:
                return None
            origin = replace(origin, index=origin.index + 1)  # it was refused as it started, and may pass now
    return ApplyRequest(pull_context, (sync.target,), SYSTEM, origin, ApplyOptions(when_approved=True))


def _plan_again(context: Context, sync: Sync, pull_context: PullContext) -> None:
    tip = pull_context.base_tip
    seed = "" if tip != sync.commit else f"after {sync.id}"
    with context.store.begin() as tables:
        tables.locks.lock_targets(sync.target)
        request = SyncRequest(sync.target, pull_context.policy, tip, sync.pulls, seed=seed)
        request_sync(context, tables, request)


def _settle(context: Context, sync: Sync, status: SyncStatus, refusal: Refused | None, hint: str) -> None:
    message = refusal.fact if refusal else ""
    with context.store.begin() as tables:
        facts = {"message": message, "hint": hint, "news": first_report(tables, sync, sync.digest)}
        moved = tables.syncs.move(sync.id, ["planning", "waiting", "approval"], status, **facts)
        run = tables.runs.get(sync.id)
        if moved and run is not None and (sync.status, sync.message) != (status, message):
            show_run(tables, context.now(), run)
