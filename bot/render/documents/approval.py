"""Approval requests: the message to approvers, and the reply to the requester."""

from __future__ import annotations

import json

from bot.domain.approvals import Approval, missing_approvals
from bot.domain.chat import ApprovalRequest
from bot.render.document import (
    Actions,
    Bold,
    Button,
    Document,
    Element,
    Facts,
    Heading,
    Link,
    Note,
    Plain,
    Spans,
    Text,
    Tone,
)
from bot.render.documents.approval_facts import approval_facts, approval_outcome
from bot.render.documents.plan import counts, summary_of
from bot.render.documents.plan_overview import destroyed
from bot.render.format import commit_link, format_time, one_line
from bot.render.markup import to_spans

NAMED = 10
"""Destroyed and replaced resources that get a line each in the message."""

IN_SENTENCES = frozenset(["Commit", "Expires", "Approved by", "Still needed"])
"""Facts that the reply says in a sentence, or that the status comment keeps up to date."""

_TITLES: dict[str, str] = {
    "used": "{subject} was approved",
    "rejected": "{subject} was rejected",
    "expired": "The request to {verb} expired",
    "dead": "The request to {verb} is no longer valid",
}
_TONES: dict[str, Tone] = {"used": "good", "rejected": "bad", "expired": "warning", "dead": "warning"}


def button_value(approval: Approval) -> str:
    """Return what a button of this approval carries: its id, and the first 16 hex digits of the plan's digest."""
    facts = {"a": approval.id, "d": approval.plan_digest[:16]} | ({} if approval.destroys else {"s": 1})
    return json.dumps(facts, separators=(",", ":"))


def approval_message(request: ApprovalRequest) -> Document:
    """The request while it is open, with buttons to answer it, and afterwards how it ended."""
    approval, pull = request.state.approval, request.pull
    title = _title(approval, pull.number)
    name = f"{pull.repository}#{pull.number} {one_line(pull.title)}"
    body: list[Element] = [
        Heading((Plain(title),)),
        Text((Link(name, pull.url),)),
        *_changes(request),
        Facts(tuple(approval_facts(request))),
        Text(approval_outcome(request)),
        Actions(_buttons(request)),
    ]
    return Document(title, tuple(body), _TONES.get(approval.status, "plain"))


def approval_reply(request: ApprovalRequest) -> Document:
    """The reply to the requester: whose approval is needed, and where to follow it."""
    approval = request.state.approval
    title = _title(approval, request.pull.number)
    body: tuple[Element, ...] = (
        Text((Bold(title), Plain(" · "), *commit_link(approval.commit, request.pull))),
        Text(_requirement(request)),
        Facts(tuple(pair for pair in approval_facts(request) if pair[0] not in IN_SENTENCES)),
    )
    if approval.live and not request.state.missing.complete:
        body = (*body, Note(_how_to_answer(approval)))
    return Document(title, body, _TONES.get(approval.status, "plain"))


def _requirement(request: ApprovalRequest) -> Spans:
    state, approval = request.state, request.state.approval
    if not approval.live or state.missing.complete:
        return approval_outcome(request)
    needed = to_spans(missing_approvals(approval, state.missing))
    return (Plain("Needs "), *needed, Plain(f"; expires {format_time(approval.expires_at)}."))


def _how_to_answer(approval: Approval) -> Spans:
    ready = "" if approval.status == "open" else ", once it is ready,"
    return to_spans(
        f"The status comment shows the plan{ready} and all answers. Approve {approval.ways}; "
        f"reject with `/reject {approval.target.environment} <reason>`."
    )


def _changes(request: ApprovalRequest) -> tuple[Element, ...]:
    """Name what the plan destroys, then count its changes."""
    summary = summary_of(request.plan)
    if summary is None:
        return ()
    return (*destroyed(summary, NAMED), Text((Plain("Changes: "), *counts(summary))))


def _buttons(request: ApprovalRequest) -> tuple[Button, ...]:
    approval, value = request.state.approval, button_value(request.state.approval)
    buttons: list[Button] = []
    if approval.live and approval.status != "planning" and request.plan is not None:
        buttons.append(Button("Approve", action="modal:approve", value=value, style="primary"))
        buttons.append(Button("Reject", action="modal:reject", value=value, style="danger"))
        buttons.append(Button("View plan", action="modal:plan", value=value))
        if request.page.startswith("http"):
            buttons.append(Button("Full plan", url=request.page))
    elif approval.live and request.link.startswith("http"):
        buttons.append(Button("Log", url=request.link))
    return (
        (*buttons, Button("Open pull request", url=request.pull.url)) if request.pull.url else tuple(buttons)
    )


def _title(approval: Approval, pull: int) -> str:
    name = approval.actor.login or ("A Slack user" if approval.actor.slack else "Towpath")
    title = _TITLES.get(approval.status, "{name} requests approval to {verb}")
    verb = f"revert {approval.target}" if approval.reverts else f"apply #{pull} to {approval.target}"
    subject = (
        f"The revert of {approval.target}"
        if approval.reverts
        else f"The apply of #{pull} to {approval.target}"
    )
    return title.format(name=name, subject=subject, verb=verb)
