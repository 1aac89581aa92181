"""How a target stands, in one word, and what runs there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.domain.results import TargetStatus
from bot.domain.run import Plan, Run
from bot.render.document import Code, Plain, Spans
from bot.render.documents.plan import summary_of
from bot.render.words import BAD, count

Standing = Literal[
    "running",
    "failed",
    "ready",
    "waiting",
    "locked",
    "stale",
    "unplanned",
    "applied",
    "reverted",
    "unchanged",
    "idle",
    "over",
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
_DOING = {
    "create": "creating",
    "update": "changing",
    "delete": "destroying",
    "replace": "replacing",
    "read": "reading",
    "import": "importing",
}
_BAR = 10


def at_work(row: TargetStatus) -> Run | None:
    """The run that is on now: an apply there, whoever's, before a plan of this pull request."""
    return next((run for run in (row.busy, row.run) if run is not None and run.active), None)


def standing(row: TargetStatus) -> Standing:
    if row.pull == 0:
        return "running" if at_work(row) else "locked" if row.lock else "idle"
    if at_work(row):
        return "running"
    if row.run is not None and row.run.outcome in BAD:
        return "failed"
    if row.plan is not None and row.plan.status == "applied":
        return "reverted" if row.plan.reverts or row.undone else "applied"
    if row.over and not row.returning:
        return "over"
    if row.plan is None:
        return "unplanned"
    if row.stale or row.plan.status != "fresh":
        return "stale"
    if not row.plan.has_changes:
        return "unchanged"
    if row.lock is not None and not row.lock.admits(row.pull):
        return "locked"
    return "waiting" if row.blocked is not None else "ready"


def goes_back(row: TargetStatus) -> bool:
    """Whether what is to be said of it is about a revert: the newest run's, else the plan's."""
    if row.run is not None and row.run.outcome in BAD:
        return bool(row.run.reverts) and row.run.kind == "apply"
    return row.plan is not None and bool(row.plan.reverts)


def progress(run: Run, plan: Plan | None) -> Spans:
    """`applying · ██████░░░░ 6/10 · playground_server.web creating 12 s`."""
    phase = "reverting" if run.phase == "applying" and run.reverts else _PHASES.get(run.phase, run.phase)
    said: list[Plain | Code] = [Plain("stopping" if run.cancel_by else phase)]
    if run.phase == "queued" and run.progress.get("behind"):
        return (Plain("waits for the apply there"),)
    facts = {address: _facts(value) for address, value in run.progress.items() if address != "behind"}
    if run.phase == "verifying":
        return (*said, *_checking(facts))
    if run.kind == "apply" and facts:
        summary = summary_of(plan) if plan is not None and plan.id == run.plan_id else None
        planned = sum(change.action != "read" for change in summary.changes) if summary else 0
        done = sum(fact["state"] == "done" for fact in facts.values())
        total = max(planned, len(facts))
        full = _BAR * done // total
        said.append(Plain(f" · {'█' * full}{'░' * (_BAR - full)} {done}/{total}"))
        failed = sum(fact["state"] == "failed" for fact in facts.values())
        if failed:
            said.append(Plain(f" · {count(failed, 'failure')}"))
    moving = [(address, fact) for address, fact in facts.items() if fact["state"] in ("started", "progress")]
    if moving and run.kind == "apply":
        address, fact = moving[-1]
        elapsed = fact.get("elapsed")
        seconds = elapsed if isinstance(elapsed, (int, float)) else 0
        said += [Plain(" · "), Code(address), Plain(f" {_DOING.get(str(fact.get('action')), 'working')}")]
        said.append(
            Plain(
                (f" {seconds:.0f} s" if seconds >= 1 else "")
                + (f" and {len(moving) - 1} more" if len(moving) > 1 else "")
            )
        )
    return tuple(said)


def _checking(facts: Mapping[str, Mapping[str, object]]) -> Spans:
    """` · 1/2 · healthz`: the smoke check that is on, or was last."""
    begun = [name for name, fact in facts.items() if fact["state"] in ("started", "done", "failed")]
    failed = sum(fact["state"] == "failed" for fact in facts.values())
    if not begun:
        return ()
    return (
        Plain(f" · {len(begun)}/{len(facts)} · "),
        Plain(begun[-1]),
        *((Plain(f" · {count(failed, 'failure')}"),) if failed else ()),
    )


def _facts(value: object) -> Mapping[str, object]:
    return {"state": "", **value} if isinstance(value, dict) else {"state": value}
