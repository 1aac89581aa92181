"""The approval and the forced applies of a guarded environment, in the status comment."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.approvals import missing_approvals
from bot.domain.chat import TargetStatus
from bot.render.document import Bold, Code, Element, Plain, Span, Spans, Text
from bot.render.documents.approval_facts import decision_list, ended_approval
from bot.render.documents.break_glass import acknowledgement, forced_by
from bot.render.documents.plan import full_plan
from bot.render.format import format_time, one_line
from bot.render.markup import actor_span, to_spans


def approval_summary(row: TargetStatus, pages: Mapping[str, str] | None = None) -> tuple[Element, ...]:
    """A prominent paragraph for each forced apply that nobody has acknowledged, and one for the latest approval.

    pages: plan id → address of the page with all that it changes.
    """
    elements: list[Element] = [
        Text(
            (
                *forced_by(one.actor, one_line(one.reason)),
                Plain(f" ({format_time(one.created_at)}). "),
                *acknowledgement(one),
            )
        )
        for one in row.follow_ups
    ]
    if row.approval_state is not None:
        elements.append(Text(_paragraph(row, full_plan(row.plan, pages))))
    return tuple(elements)


def _paragraph(row: TargetStatus, page: Spans) -> Spans:
    state = row.approval_state
    if state is None:
        return ()
    approval = state.approval
    spans: list[Span] = [
        Bold(str(row.target)),
        Plain(": "),
        actor_span(approval.actor),
        Plain(" requested approval for "),
        Code(approval.commit[:7]),
        Plain(f" at {format_time(approval.created_at)}."),
    ]
    if state.approved:
        spans += [Plain(" Approved by "), *decision_list(state.approved), Plain(".")]
    if state.void:
        spans += [Plain(" No longer counts: "), *decision_list(state.void), Plain(".")]
    if not approval.live:
        return (*spans, Plain(" "), *ended_approval(approval))
    if approval.status == "planning":
        return (*spans, Plain(" The plan is being made."))
    if not state.missing.complete:
        spans += [
            Plain(" Still needed: "),
            *to_spans(missing_approvals(approval, state.missing)),
            Plain(f". Expires {format_time(approval.expires_at)}. "),
            *((Plain("Read the "), *page, Plain(" first. ")) if page else ()),
            *to_spans(f"Approve {approval.ways}; reject with `/reject {row.target.environment} <reason>`."),
        ]
    elif approval.when_approved:
        spans.append(Plain(" It is applied automatically once nothing else blocks it."))
    return tuple(spans)
