"""Slack's modals for an approval: what is destroyed, the reason of a rejection, and the plan in pages.

Slack's limits: a title, submit or close of 24 characters, 100 blocks, private_metadata of 3,000 characters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.approvals import Approval
from bot.domain.plans import PlanSummary, fold
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Plan
from bot.render import escape
from bot.render.blocks import blocks
from bot.render.command_style import CommandStyle
from bot.render.document import Code, Document, Element, Link, Note, Plain, Spans, Text
from bot.render.documents.approval_facts import ended_approval
from bot.render.documents.plan import counts, summary_of
from bot.render.documents.plan_overview import destroyed
from bot.render.markup import join_spans
from bot.render.truncation import SECTION, shorten

Json = dict[str, Any]

TITLE = 24
ENVIRONMENT, REASON = "environment", "reason"
"""block_id of the input blocks, by which errors are reported."""
TEXT = "text"
MAX_REASON = 500
PAGE = 6
"""Code blocks on one page of a plan: about 18,000 characters, well below the limit of a view."""


@dataclass(frozen=True)
class PlanView:
    """What the modals show of one plan. Computed once, since a plan never changes and a large one takes a while.

    plan: its digest and commit. numbers: what changes, counted, with a link to all of it. destroyed: what is destroyed or replaced. pages: for each
    page the texts of its code blocks, which are the plan's lines as Terraform writes them.
    """

    plan: Spans
    numbers: Spans
    destroyed: tuple[Element, ...]
    pages: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, plan: Plan, page: str = "") -> PlanView:
        """page: address of the page with all that the plan changes."""
        summary = summary_of(plan) or PlanSummary()
        lines = [line for change in summary.changes for line in change.lines]
        lines += [f"output: {line}" for output in summary.outputs for line in output.lines]
        lines += [f"changed outside: {line}" for change in summary.drift for line in change.lines]
        texts = _packed([part for line in lines or ["No changes."] for part in fold(line)])
        pages = tuple(tuple(texts[start : start + PAGE]) for start in range(0, len(texts), PAGE))
        named = (Plain("plan "), Code(plan.digest[:12]), Plain(" for "), Code(plan.commit[:7]))
        numbers = join_spans([counts(summary), (Link("full plan", page),) if page.startswith("http") else ()])
        return cls(named, numbers, destroyed(summary), pages)


def approve(approval: Approval, view: PlanView, metadata: str) -> Json:
    """List what is destroyed or replaced, and ask for the environment's name."""
    environment = approval.target.environment
    body = (*view.destroyed, Text((*view.numbers, Plain(" · "), *view.plan)))
    field = _input(ENVIRONMENT, f"Type {shorten(environment, 100)} to approve", longest=200)
    return _modal("approve", f"Approve {environment}", [*_written(body), field], metadata, submit="Approve")


def reject(approval: Approval, metadata: str) -> Json:
    """Ask for the reason."""
    field = _input(REASON, "Why should this not be applied?", longest=MAX_REASON, lines=True)
    effect = f"#{approval.pull} will not be applied to {approval.target}. Everyone can see the reason."
    body = (Text((Plain(effect),)),)
    return _modal("reject", f"Reject {approval.target}", [*_written(body), field], metadata, submit="Reject")


def plan_page(approval: Approval, view: PlanView, pull: PullRequest | None, page: int, metadata: str) -> Json:
    """Show page `page` of the plan, counted from 1; out of range, the nearest page."""
    last = len(view.pages)
    page = min(max(page, 1), last)
    title = (Plain(f" · {pull.title}"),) if pull else ()
    head: list[Element] = [
        Note((Plain(f"Page {page} of {last} · #{approval.pull} · "), *view.plan, *title)),
        Text(view.numbers),
    ]
    if not approval.live:
        head.insert(0, Text(ended_approval(approval)))
    body = [*_written(tuple(head)), *(_code(text) for text in view.pages[page - 1])]
    targets = [("Back", page - 1), ("Next", page + 1)]
    if buttons := [_page_button(label, to, approval) for label, to in targets if 1 <= to <= last]:
        body.append({"type": "actions", "elements": buttons})
    return _modal("plan", f"Plan for {approval.target}", body, metadata)


def _page_button(label: str, page: int, approval: Approval) -> Json:
    value = {"a": approval.id, "d": approval.plan_digest[:16], "n": page}
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": label},
        "action_id": f"modal:page:{label.lower()}",
        "value": json.dumps(value, separators=(",", ":")),
    }


def _packed(lines: Sequence[str]) -> list[str]:
    """Pack escaped lines into texts that fit one code block each."""
    texts: list[str] = []
    room = SECTION - len("``````") - 4  # guarding a backtick beside the fence takes some
    for line in lines:
        written = escape.slack_block(escape.clean(line))
        if texts and len(texts[-1]) + 1 + len(written) <= room:
            texts[-1] += f"\n{written}"
        else:
            texts.append(written)
    return texts


def _code(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": f"```{text or ' '}```", "verbatim": True}}


def _written(elements: tuple[Element, ...]) -> list[Json]:
    return blocks(Document("", elements), CommandStyle())[1]


def _input(name: str, label: str, *, longest: int, lines: bool = False) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": {"type": "plain_text", "text": label},
        "element": {
            "type": "plain_text_input",
            "action_id": TEXT,
            "multiline": lines,
            "min_length": 1,
            "max_length": longest,
        },
    }


def _modal(callback: str, title: str, body: list[Json], metadata: str, *, submit: str = "") -> Json:
    view: Json = {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": metadata,
        "title": {"type": "plain_text", "text": shorten(escape.clean(title), TITLE)},
        "close": {"type": "plain_text", "text": "Cancel" if submit else "Close"},
        "blocks": body,
    }
    return {**view, "submit": {"type": "plain_text", "text": submit}} if submit else view
