"""The facts of a guarded environment's check: gate answers, approvals, freezes, the next command."""

from __future__ import annotations

import re

from bot.domain.approvals import ApprovalState, missing_approvals
from bot.domain.chat import Status, TargetStatus
from bot.domain.refusal import GateAnswer
from bot.domain.target import command
from bot.render.document import Command, Person, Plain, Spans
from bot.render.format import format_time, one_line
from bot.render.markup import actor_span, join_spans, to_spans

GATE_NAMES = {
    "Promoted": "Promotion",
    "NotFrozen": "Freeze",
    "Approved": "Approval",
    "PullIsOpen": "Pull request",
    "NotClaimed": "Lock",
    "PlanWasRead": "Plan",
    "PlanIsCurrent": "Plan is current",
}
_CODE = re.compile(r"[a-z][a-z-]*: ")


def gate_answer(answer: GateAnswer) -> Spans:
    """`✅ Promotion: staging has 1a2b3c4, verified`."""
    ground = answer.ground if answer.passed else _CODE.sub("", answer.ground, count=1)
    name = GATE_NAMES.get(answer.gate, answer.gate)
    return (
        Plain(f"{'✅' if answer.passed else '❌'} {name}{': ' if ground else ''}"),
        *to_spans(ground),
    )


def gate_facts(row: TargetStatus) -> tuple[tuple[str, Spans], ...]:
    """Return approvals, freeze and forced applies, each with its label; empty for what does not apply."""
    return (
        ("Approved by", _approved(row.approval_state)),
        ("Still needed", _missing(row.approval_state)),
        ("Freeze", _freeze(row)),
        ("Break-glass", _follow_ups(row)),
    )


def next_command(row: TargetStatus, status: Status) -> Spans:
    """Return the next step of a target that is blocked."""
    if row.blocked is not None and row.blocked.next_step:
        return to_spans(row.blocked.next_step)
    if row.next_step:
        return (Command(row.next_step),)
    running = row.run is not None and row.run.active
    fork = status.pull is not None and status.pull.from_fork
    locked = row.lock is not None and not row.lock.admits(row.pull)
    refused = running or fork or locked or row.hold is not None
    return () if refused else (Command(command("apply", row.target)),)


def _approved(state: ApprovalState | None) -> Spans:
    if state is None:
        return ()
    valid = [(Person(one.login), Plain(f" ({one.via}, {format_time(one.at)})")) for one in state.approved]
    void = [(Person(one.login), Plain(" (no longer counts)")) for one in state.void]
    return join_spans([*valid, *void], ", ")


def _missing(state: ApprovalState | None) -> Spans:
    if state is None:
        return ()
    if not state.approval.live:
        return to_spans(one_line(state.approval.why)) if state.approval.status != "used" else ()
    if state.missing.complete:
        return ()
    until = Plain(f", until {format_time(state.approval.expires_at)}")
    return (*to_spans(missing_approvals(state.approval, state.missing)), until)


def _freeze(row: TargetStatus) -> Spans:
    if row.frozen is not None:
        until = f"until {format_time(row.frozen.until)}" if row.frozen.until else "no end scheduled"
        return (Plain(f"❄️ {until} ({one_line(row.frozen.reason)})"),)
    if row.next_freeze is not None and row.next_freeze.until is not None:
        start = format_time(row.next_freeze.until)
        return (Plain(f"starts {start} ({one_line(row.next_freeze.reason)})"),)
    return ()


def _follow_ups(row: TargetStatus) -> Spans:
    return join_spans(
        [
            (
                Plain("⚠️ by "),
                actor_span(one.actor),
                Plain(f" ({one_line(one.reason)}), not yet acknowledged: "),
                Command(command("acknowledge", row.target)),
            )
            for one in row.follow_ups
        ]
    )
