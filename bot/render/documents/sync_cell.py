"""How an environment compares with the default branch after a merge, in a cell."""

from __future__ import annotations

from bot.domain.approvals import ApprovalState, missing_approvals
from bot.domain.sync import Sync, SyncStatus
from bot.render.document import Code, Plain, Spans
from bot.render.format import one_line
from bot.render.markup import to_spans

_TEXTS: dict[SyncStatus, tuple[str, str]] = {
    "in_sync": ("✅ in sync with {branch} at ", ""),
    "applied": ("✅ applied {branch} at ", ""),
    "differs": ("⚠️ differs from {branch} at ", ""),
    "planning": ("⏳ comparing with {branch} at ", ""),
    "waiting": ("⏳ {branch} at ", " is not applied yet"),
    "approval": ("✋ {branch} at ", " is waiting for approval"),
    "applying": ("⏳ applying {branch} at ", ""),
    "failed": ("❌ {branch} at ", " was not applied"),
    "unverified": ("❌ {branch} at ", " was applied, but its smoke checks failed"),
    "cancelled": ("{branch} at ", " was not compared: cancelled"),
}


def sync_cell(sync: Sync, branch: str, state: ApprovalState | None = None) -> Spans:
    """`✅ in sync with main at 1a2b3c4`, or what stops it from being applied. branch: the default one. state: the latest
    approval."""
    before, after = _TEXTS.get(sync.status, ("{branch} at ", ""))
    if sync.status == "failed" and sync.mode != "apply":
        after = " could not be compared"
    spans: Spans = (Plain(before.replace("{branch}", branch)), Code(sync.commit[:7]), Plain(after))
    if sync.status == "approval" and state is not None and state.approval.live:
        needed = missing_approvals(state.approval, state.missing)
        return (*spans, Plain(": "), *to_spans(needed)) if not state.missing.complete else spans
    if sync.message and sync.status in ("waiting", "differs"):
        return (*spans, Plain(": "), *to_spans(one_line(sync.message)))
    return spans
