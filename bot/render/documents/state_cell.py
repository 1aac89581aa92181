"""The state of one environment in a cell: runs, locks, holds, approvals, freezes, drift."""

from __future__ import annotations

from bot.domain.approvals import missing_approvals
from bot.domain.chat import Status, TargetStatus
from bot.domain.refusal import Refused
from bot.domain.run import Run
from bot.render.document import Code, Link, Plain, Spans
from bot.render.documents.break_glass import forced_by, unacknowledged
from bot.render.documents.instance_facts import instance_facts
from bot.render.documents.sync_cell import sync_cell
from bot.render.documents.target_state import TargetState, current_run, is_revert, progress, target_state
from bot.render.format import FAILED, OUTCOMES, format_day, format_time, locked_by, one_line, pull_link
from bot.render.markup import join_spans, to_spans

ICONS: dict[TargetState, str] = {
    "running": "⏳",
    "waiting": "✋",
    "failed": "❌",
    "locked": "🔒",
    "held": "📌",
    "stale": "⚠️",
    "applied": "✅",
    "reverted": "✅",
    "verified": "✅",
    "unverified": "❌",
    "stuck": "❌",
    "unchanged": "✅",
    "in_sync": "✅",
    "differs": "⚠️",
    "merged": "⏳",
}


def state_cell(row: TargetStatus, status: Status) -> Spans:
    """Say what is in progress, how the last run ended, who holds the lock or waits for it, and what is forced or frozen."""
    state = target_state(row)
    parts = [*_forced(row), _main(row, state, status), *instance_facts(row), _freeze(row)]
    if row.lock is not None and state != "locked" and row.instance is None:
        own = row.pull != 0 and row.lock.pull == row.pull
        lock: Spans = (Plain("locked by this pull request"),) if own else locked_by(row.lock)
        parts.append((Plain("🔒 "), *lock))
    if row.hold is not None and state != "held":
        parts.append((Plain("📌 on hold at "), Code(row.hold.commit[:7])))
    parts.append(_drift(row))
    if row.waiters:
        parts.append((Plain("waiting: " + ", ".join(f"#{waiter.pull}" for waiter in row.waiters[:5])),))
    return join_spans(parts)


def _main(row: TargetStatus, state: TargetState, status: Status) -> Spans:
    icon = Plain(f"{ICONS[state]} ") if state in ICONS else Plain("")
    run = current_run(row)
    if run is not None:
        pull = () if run.pull == row.pull else (Plain(" · for "), pull_link(run.pull))
        return (icon, *progress(run, row.plan, row.after), *pull, *_log(run, status))
    if row.sync is not None:
        return sync_cell(row.sync, status.pull.base_ref if status.pull else "", row.approval_state)
    if state == "failed" and row.run is not None:
        outcome = f"{row.run.word} {OUTCOMES[row.run.outcome or 'failed']}"
        return (icon, Plain(outcome), *_log(row.run, status))
    if state == "locked" and row.lock is not None:
        return (icon, *locked_by(row.lock))
    if state == "held" and row.hold is not None:
        return (icon, Plain("on hold at "), Code(row.hold.commit[:7]))
    if state == "waiting" and row.first is not None:
        return (icon, Plain(f"after {row.first}"))
    if state == "waiting" and row.applies_itself and row.instance is not None:
        return (icon, *to_spans(one_line(row.instance.note or "about to be applied")))
    if state == "waiting" and row.blocked is not None:
        return (icon, *_waiting_for(row, row.blocked))
    if state == "stale":
        return (icon, *to_spans(one_line(row.stale) if row.stale else "this plan can no longer be applied"))
    if state in ("applied", "reverted"):
        return _applied(row, state, icon)
    return (icon, Plain(_label(row, state)))


def _label(row: TargetStatus, state: TargetState) -> str:
    revert = is_revert(row)
    labels: dict[TargetState, str] = {
        "unplanned": "no plan yet",
        "unchanged": "nothing to revert" if revert else "up to date",
        "ready": "ready to revert" if revert else "ready to apply",
        "verified": "verified, then destroyed",
        "unverified": "smoke checks failed; destroyed",
        "destroyed": "destroyed",
        "stuck": "could not be destroyed",
        "idle": "–",
        "over": "not reverted" if revert else "not applied",
    }
    return labels.get(state, "")


def _applied(row: TargetStatus, label: str, icon: Plain) -> Spans:
    """`✅ applied 22 Nov 14:03 UTC`, or `✅ reverted to 1a2b3c4 … by #14`; without a time if it is no longer deployed."""
    release = row.release
    if release is None or not (row.own_release or row.reverted):
        return (icon, Plain(label))
    commit: Spans = (Plain(" to "), Code(release.commit[:7])) if release.reverts else ()
    spans: Spans = (Plain(label), *commit, Plain(f" {format_time(release.created_at)}"))
    if row.reverted and release.pull != row.pull:
        spans = (*spans, Plain(" by "), pull_link(release.pull))
    return (icon, *spans) if release.verified else (Plain("❌ "), *spans, Plain(", smoke checks failed"))


def _forced(row: TargetStatus) -> list[Spans]:
    """Forced applies that nobody has acknowledged, and a forced run in progress."""
    forced = [unacknowledged(one) for one in row.follow_ups]
    known = {one.run_id for one in row.follow_ups}
    run = current_run(row)
    if run is not None and run.forced and run.id not in known:
        forced.append(forced_by(run.actor, run.forced))
    return forced


def _waiting_for(row: TargetStatus, blocked: Refused) -> Spans:
    """The first thing that an apply waits for."""
    if blocked.code == "soaking" and blocked.until:
        source = f" on {row.environment.promote_from}" if row.environment.promote_from else ""
        return (Plain(f"soaking{source} until {format_time(blocked.until)}"),)
    if blocked.code == "frozen" and blocked.until:
        return (Plain(f"frozen until {format_day(blocked.until)}"),)
    if blocked.code == "unapproved":
        state = row.approval_state
        if state is None or not state.approval.live:
            return (Plain("needs approval"),)
        return (Plain("needs "), *to_spans(missing_approvals(state.approval, state.missing)))
    return to_spans(one_line(blocked.fact))


def _drift(row: TargetStatus) -> Spans:
    """The latest drift report, and whether a check is running or failed."""
    parts: list[Spans] = []
    if row.drift is not None:
        parts.append((Plain(f"⚠️ drift: {row.drift.headline}"),))
    check = row.drift_check
    if check is not None and check.active:
        parts.append((Plain("🔎 checking for drift"),))
    elif check is not None and check.outcome in FAILED and check.finished_at:
        parts.append((Plain(f"❔ drift check failed {format_time(check.finished_at)}"),))
    return join_spans(parts)


def _freeze(row: TargetStatus) -> Spans:
    """A freeze that is in effect or near, unless the cell says so already."""
    shown = target_state(row) == "waiting" and row.blocked is not None and row.blocked.code == "frozen"
    if row.frozen is not None and not shown and not row.pull_closed:
        until = f" until {format_day(row.frozen.until)}" if row.frozen.until else ""
        return (Plain(f"❄️ frozen{until}"),)
    if row.next_freeze is not None and row.next_freeze.until and not row.pull_closed:
        return (Plain(f"❄️ freeze starts {format_day(row.next_freeze.until)}"),)
    return ()


def _log(run: Run, status: Status) -> Spans:
    url = (status.links or {}).get(run.id, "")
    return (Plain(" · "), Link("log", url)) if url else ()
