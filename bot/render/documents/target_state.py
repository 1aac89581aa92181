"""The state of a target, and the progress of the run on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast

from bot.domain.chat import TargetStatus
from bot.domain.plans import PlanSummary
from bot.domain.run import CHANGING, SLEEPING, Plan, ResourceProgress, Run
from bot.domain.sync import SyncStatus
from bot.domain.target import Target
from bot.render.document import Code, Plain, Span, Spans
from bot.render.format import FAILED, count, join_names

TargetState = Literal[
    "running",
    "failed",
    "ready",
    "waiting",
    "locked",
    "held",
    "stale",
    "unplanned",
    "applied",
    "reverted",
    "verified",
    "unverified",
    "destroyed",
    "stuck",
    "unchanged",
    "idle",
    "over",
    "in_sync",
    "differs",
    "merged",
]

_PHASES = {
    "queued": "queued",
    "preparing": "preparing",
    "initialising": "initialising",
    "planning": "planning",
    "applying": "applying",
    "recording": "recording the state",
    "verifying": "verifying",
}
_ACTIONS = {
    "create": "creating",
    "update": "changing",
    "delete": "destroying",
    "replace": "replacing",
    "read": "reading",
    "import": "importing",
}
_BAR_WIDTH = 10
_SYNCED: dict[SyncStatus, TargetState] = {
    "in_sync": "in_sync",
    "applied": "applied",
    "differs": "differs",
    "failed": "failed",
    "unverified": "failed",
}
"""States of what was merged; otherwise `merged`: it is waited for."""


def current_run(row: TargetStatus) -> Run | None:
    """Return the run in progress: an apply there, whoever's, before a plan of this pull request."""
    return next((run for run in (row.active_run, row.run) if run is not None and run.active), None)


def target_state(row: TargetStatus) -> TargetState:
    """Return the state that matters most."""
    if row.pull == 0:
        return "running" if current_run(row) else "locked" if row.lock else "idle"
    if current_run(row):
        return "running"
    if row.instance is not None and row.instance.leaked:
        return "stuck"
    if row.sync is not None:
        return _SYNCED.get(row.sync.status, "merged")
    if row.run is not None and row.run.outcome in FAILED:
        return "failed"
    if row.plan is not None and row.plan.status == "applied":
        if row.instance is not None and row.instance.state == "gone":
            return _gone_state(row)
        return "reverted" if row.plan.reverts or row.reverted else "applied"
    if row.pull_closed and not row.revert_pending:
        return "over"
    if row.plan is None:
        return "unplanned" if row.first is None else "waiting"
    return _plan_state(row, row.plan)


def _gone_state(row: TargetStatus) -> TargetState:
    """Return the state of an instance that was destroyed: of one that was only verified, the result counts."""
    release = row.own_release
    if row.instance is None or not row.instance.passing or release is None:
        return "destroyed"
    return "verified" if release.verified else "unverified"


def _plan_state(row: TargetStatus, plan: Plan) -> TargetState:
    """Return the state of a target whose plan has not been applied."""
    if row.stale or plan.status != "fresh":
        return "stale"
    if not plan.has_changes:
        return "unchanged"
    if row.lock is not None and not row.lock.admits(row.pull):
        return "locked"
    if row.hold is not None and row.next_step.startswith("/unhold"):
        return "held"
    waits = row.blocked is not None or row.first is not None or row.applies_itself
    return "waiting" if waits else "ready"


def is_revert(row: TargetStatus) -> bool:
    """Return whether the latest run, or else the plan, is a revert."""
    if row.run is not None and row.run.outcome in FAILED:
        return bool(row.run.reverts) and row.run.kind == "apply"
    return row.plan is not None and bool(row.plan.reverts)


def progress(run: Run, plan: Plan | None, after: Sequence[Target] = ()) -> Spans:
    """`applying · ██████░░░░ 6/10 · playground_server.web creating 12 s`. after: where the runs are that it waits for."""
    if after and run.after:
        return (Plain(f"waiting for {join_names([str(target) for target in after])}"),)
    if run.phase == "queued" and run.waits_for:
        return (Plain("waiting for the apply in progress"),)
    phase = _PHASES.get(run.phase, run.phase)
    if run.phase == "applying":
        phase = "destroying" if run.kind == "destroy" else "reverting" if run.reverts else phase
    elif run.kind == "destroy":
        phase = "waiting to be destroyed" if run.phase == "queued" else "preparing to destroy"
    if run.kind in SLEEPING:
        phase = "falling asleep" if run.kind == "sleep" else "waking up"
    spans: list[Span] = [Plain("stopping" if run.cancel_by else phase)]
    entries = {name: _entry(value) for name, value in run.progress.items()}
    if run.phase == "verifying":
        return (*spans, *_checks(entries))
    if run.kind in CHANGING and entries:
        spans += [Plain(f" · {_bar(entries, max(_planned(run, plan), len(entries)))}"), *_moving(entries)]
    return tuple(spans)


def _planned(run: Run, plan: Plan | None) -> int:
    """Return the number of changes in the plan that the run applies; 0 if it is not known."""
    if plan is None or plan.id != run.plan_id:
        return 0
    return sum(change.action != "read" for change in PlanSummary.from_dict(plan.summary).changes)


def _bar(entries: Mapping[str, ResourceProgress], total: int) -> str:
    done = sum(entry["state"] == "done" for entry in entries.values())
    failed = sum(entry["state"] == "failed" for entry in entries.values())
    full = _BAR_WIDTH * done // total
    failures = f" · {count(failed, 'failure')}" if failed else ""
    return f"{'█' * full}{'░' * (_BAR_WIDTH - full)} {done}/{total}{failures}"


def _moving(entries: Mapping[str, ResourceProgress]) -> Spans:
    """Return the resource that started last and is not done, and the number of others."""
    moving = [
        (address, entry) for address, entry in entries.items() if entry["state"] in ("started", "progress")
    ]
    if not moving:
        return ()
    address, entry = moving[-1]
    elapsed = entry.get("elapsed", 0)
    seconds = f" {elapsed:.0f} s" if isinstance(elapsed, (int, float)) and elapsed >= 1 else ""
    more = f" and {len(moving) - 1} more" if len(moving) > 1 else ""
    action = _ACTIONS.get(str(entry.get("action")), "working")
    return (Plain(" · "), Code(address), Plain(f" {action}{seconds}{more}"))


def _checks(entries: Mapping[str, ResourceProgress]) -> Spans:
    """` · 1/2 · healthz`: the smoke check that is running, or ran last."""
    begun = [name for name, entry in entries.items() if entry["state"] in ("started", "done", "failed")]
    failed = sum(entry["state"] == "failed" for entry in entries.values())
    if not begun:
        return ()
    failures = f" · {count(failed, 'failure')}" if failed else ""
    return (Plain(f" · {len(begun)}/{len(entries)} · "), Plain(begun[-1] + failures))


def _entry(value: object) -> ResourceProgress:
    """Read one entry of a run's progress; earlier versions stored some as bare states."""
    if isinstance(value, dict):
        return cast("ResourceProgress", {"state": "", **value})
    return {"state": str(value)}
