"""Slack's modals about an approval: what is destroyed, why not, and the plan in pages.

Slack: a title, submit or close of 24 characters, 100 blocks, private_metadata of 3,000 characters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.approval import Approval
from bot.domain.plan import PlanSummary
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Plan
from bot.render import escape
from bot.render.blocks import blocks
from bot.render.budget import LINE, SECTION, short
from bot.render.document import Code, Document, Element, Note, Plain, Spans, Text, Voice
from bot.render.documents.approval import over
from bot.render.documents.plan import counts, losses, summary_of

Json = dict[str, Any]

TITLE = 24
ENVIRONMENT, REASON = "environment", "reason"
"""The input blocks, by whose block_id errors are told."""
TEXT = "text"
LONGEST_REASON = 500
PAGE = 6
"""Blocks of code on one page of a plan: about 18,000 characters, well below what Slack takes of a view."""


@dataclass(frozen=True)
class Read:
    """What the modals show of one plan. It is worked out once: a plan never changes, and a large one takes a while.

    pages: of each page the texts of its code blocks, the plan's lines as Terraform would write them.
    """

    plan: Spans
    numbers: Spans
    lost: tuple[Element, ...]
    pages: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, plan: Plan) -> Read:
        summary = summary_of(plan) or PlanSummary()
        lines = [line for change in summary.changes for line in change.lines]
        lines += [f"output: {attribute.line}" for attribute in summary.outputs]
        lines += [f"changed outside: {line}" for change in summary.drift for line in change.lines]
        texts = _packed([short(line, LINE) for line in lines or ["No changes."]])
        pages = tuple(tuple(texts[start : start + PAGE]) for start in range(0, len(texts), PAGE))
        named = (Plain("plan "), Code(plan.digest[:12]), Plain(" of "), Code(plan.commit[:7]))
        return cls(named, counts(summary), losses(summary), pages)


def approve(approval: Approval, read: Read, metadata: str) -> Json:
    """Names what is destroyed or replaced, and asks to type the environment's name."""
    environment = approval.target.environment
    said = (*read.lost, Text((*read.numbers, Plain(" · "), *read.plan)))
    field = _input(ENVIRONMENT, f"Type {short(environment, 100)} to approve this", longest=200)
    return _modal("approve", f"Approve {environment}", [*_written(said), field], metadata, submit="Approve")


def reject(approval: Approval, metadata: str) -> Json:
    """Asks for the reason."""
    field = _input(REASON, "Why should it not be applied?", longest=LONGEST_REASON, lines=True)
    said = (
        Text((Plain(f"#{approval.pull} is not applied to {approval.target} then; everybody sees why."),)),
    )
    return _modal("reject", f"Reject {approval.target}", [*_written(said), field], metadata, submit="Reject")


def plan_page(approval: Approval, read: Read, pull: PullRequest | None, page: int, metadata: str) -> Json:
    """Page `page` (from 1; beyond the ends the nearest) of the plan."""
    most = len(read.pages)
    page = min(max(page, 1), most)
    title = (Plain(f" · {pull.title}"),) if pull else ()
    head: list[Element] = [
        Note((Plain(f"Page {page} of {most} · #{approval.pull} · "), *read.plan, *title)),
        Text(read.numbers),
    ]
    if not approval.live:
        head.insert(0, Text(over(approval)))
    body = [*_written(tuple(head)), *(_code(text) for text in read.pages[page - 1])]
    turns = [("Back", page - 1), ("Next", page + 1)]
    if buttons := [_turn(label, to, approval) for label, to in turns if 1 <= to <= most]:
        body.append({"type": "actions", "elements": buttons})
    return _modal("plan", f"Plan for {approval.target}", body, metadata)


def _turn(label: str, page: int, approval: Approval) -> Json:
    value = {"a": approval.id, "d": approval.plan_digest[:16], "n": page}
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": label},
        "action_id": f"modal:page:{label.lower()}",
        "value": json.dumps(value, separators=(",", ":")),
    }


def _packed(lines: Sequence[str]) -> list[str]:
    """Escaped lines in texts that fit one code block each."""
    texts: list[str] = []
    room = SECTION - len("``````") - 4  # what guards a backtick beside the fence takes some
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
    return blocks(Document("", elements), Voice())[1]


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
        "title": {"type": "plain_text", "text": short(escape.clean(title), TITLE)},
        "close": {"type": "plain_text", "text": "Cancel" if submit else "Close"},
        "blocks": body,
    }
    return {**view, "submit": {"type": "plain_text", "text": submit}} if submit else view
