"""What the surfaces show: the status comment, the check runs, the card, a run's end in its thread, and the messages
that ask for consent or tell of drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.drift import Drift
from bot.domain.plan import PlanSummary
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.results import Asking, Status, TargetStatus
from bot.domain.run import Plan, Run
from bot.render.blocks import blocks
from bot.render.budget import CHECK, CHECK_TITLE, COMMENT, short
from bot.render.document import Voice
from bot.render.documents.approval import request
from bot.render.documents.card import card as card_of
from bot.render.documents.check import check_summary, check_text
from bot.render.documents.drift import finding
from bot.render.documents.ended import ended as ended_of
from bot.render.documents.follow_up import follow_up as follow_up_of
from bot.render.documents.gate import gate as gate_of
from bot.render.documents.status import status as status_of
from bot.render.escape import clean
from bot.render.markdown import markdown


def comment(status: Status) -> str:
    """The status comment's body, 65,000 characters at most; the caller adds its hidden marker (536 are left for it)."""
    return markdown(status_of(status), limit=COMMENT)


def check(
    row: TargetStatus, summary: PlanSummary | None, *, status: Status | None = None, log: Sequence[str] = ()
) -> tuple[str, str, str]:
    """A check run's title (255 characters), summary and text (65,535 bytes of UTF-8 each).

    status: where `row` is from, for links to commits and logs. log: the lines of a run that failed, already redacted.
    """
    about = status or Status(row.target.repository, (row,))
    head = check_summary(row, summary, about, log)
    return (
        short(clean(head.title), CHECK_TITLE),
        markdown(head, limit=CHECK, size=_bytes),
        markdown(check_text(summary), limit=CHECK, size=_bytes),
    )


def gate(environment: str, rows: Sequence[TargetStatus], status: Status) -> tuple[str, str]:
    """A gate check's title (255 characters) and summary (65,535 bytes). rows: the environment's own of `status`."""
    said = gate_of(environment, rows, status)
    return short(clean(said.title), CHECK_TITLE), markdown(said, limit=CHECK, size=_bytes)


def card(status: Status, slash: str) -> tuple[str, list[dict[str, Any]]]:
    """The card's text and blocks. Raises ValueError for a status that is about no pull request."""
    number = status.pull.number if status.pull else 0
    return blocks(card_of(status), Voice(slash, number, status.repository))


def ended(
    run: Run, plan: Plan | None, slash: str, *, log: Sequence[str] = (), next_step: str = ""
) -> tuple[str, list[dict[str, Any]]]:
    """The message in the card's thread when a run has ended. plan: the one it made or applied. next_step: the command
    that leads on from its plan, the same as in the status."""
    return blocks(ended_of(run, plan, log, next_step), Voice(slash, run.pull, run.target.repository))


def approval(asking: Asking, slash: str) -> tuple[str, list[dict[str, Any]]]:
    """The message that asks for consent, in the channel and to each approver; and after its end what became of it."""
    return blocks(request(asking), Voice(slash, asking.pull.number, asking.pull.repository))


def follow_up(
    one: FollowUp, slash: str, pull: PullRequest | None = None, run: Run | None = None
) -> tuple[str, list[dict[str, Any]]]:
    """The message about a break-glass. run: the forced apply."""
    return blocks(follow_up_of(one, pull, run), Voice(slash, one.pull, one.target.repository))


def drift(one: Drift, slash: str, link: str = "") -> tuple[str, list[dict[str, Any]]]:
    """The message about a finding. link: address of its look's log."""
    return blocks(finding(one, link), Voice(slash, 0, one.target.repository))


def _bytes(text: str) -> int:
    return len(text.encode())
