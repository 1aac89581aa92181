"""What the surfaces show: the status comment, the check runs, and the messages in Slack."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.chat import ApprovalRequest, Status, TargetStatus
from bot.domain.drift import Drift
from bot.domain.exports import ExportView, PullCheck
from bot.domain.plans import PlanSummary
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.records import FollowUp
from bot.domain.release import Release
from bot.domain.run import Plan, Run
from bot.domain.target import Target
from bot.render.blocks import Json, blocks
from bot.render.command_style import CommandStyle
from bot.render.documents.approval import approval_message
from bot.render.documents.break_glass import forced_apply
from bot.render.documents.card import card as card_document
from bot.render.documents.drift import drift_message
from bot.render.documents.export import export_message
from bot.render.documents.export_check import export_check as export_check_document
from bot.render.documents.gate import gate as gate_document
from bot.render.documents.issue import issue as issue_document
from bot.render.documents.issue import issue_closed as issue_closed_document
from bot.render.documents.plan_check import check_summary, check_text
from bot.render.documents.run_finished import run_finished as run_finished_document
from bot.render.documents.status import status as status_document
from bot.render.escape import clean
from bot.render.markdown import markdown
from bot.render.truncation import CHECK, CHECK_TITLE, COMMENT, shorten

SlackMessage = tuple[str, list[Json]]
"""A message's text and blocks."""


def comment(status: Status, limit: int = COMMENT) -> str:
    """Return the status comment, at most 65,000 characters. The caller adds its hidden marker, for which 536 are left, and
    lowers the limit for a longer one."""
    return markdown(status_document(status), limit=limit)


def check(
    row: TargetStatus, summary: PlanSummary | None, *, status: Status | None = None, log: Sequence[str] = ()
) -> tuple[str, str, str]:
    """Return a check run's title (255 characters), summary and text (65,535 bytes of UTF-8 each).

    status: the status that contains `row`, for links to commits and logs. log: the lines of a run that failed, already
    redacted.
    """
    whole = status or Status(row.target.repository, (row,))
    document = check_summary(row, summary, whole, log)
    return (
        shorten(clean(document.title), CHECK_TITLE),
        markdown(document, limit=CHECK, size=_bytes),
        markdown(check_text(summary), limit=CHECK, size=_bytes),
    )


def gate(environment: str, rows: Sequence[TargetStatus], status: Status) -> tuple[str, str]:
    """Return a gate check's title (255 characters) and summary (65,535 bytes). rows: the environment's rows of `status`."""
    document = gate_document(environment, rows, status)
    return shorten(clean(document.title), CHECK_TITLE), markdown(document, limit=CHECK, size=_bytes)


def export_check(found: PullCheck) -> tuple[str, str]:
    """Return the title (255 characters) and summary (65,535 bytes) of the check of a pull request's migrations."""
    document = export_check_document(found)
    return shorten(clean(document.title), CHECK_TITLE), markdown(document, limit=CHECK, size=_bytes)


def card(status: Status, slash: str) -> SlackMessage:
    """Return the card of a pull request. Raises ValueError for a status without one."""
    number = status.pull.number if status.pull else 0
    return blocks(card_document(status), CommandStyle(slash, number, status.repository))


def run_finished(
    run: Run,
    plan: Plan | None,
    slash: str,
    *,
    log: Sequence[str] = (),
    next_step: str = "",
    page: str = "",
) -> SlackMessage:
    """Return the message in the card's thread about a run that ended. plan: the one it made or applied. next_step: the
    command to use after the plan, as in the status. page: address of the page with all that the plan changes."""
    document = run_finished_document(run, plan, log, next_step, page)
    return blocks(document, CommandStyle(slash, run.pull, run.target.repository))


def approval(request: ApprovalRequest, slash: str) -> SlackMessage:
    """Return the approval request, for the channel and for each approver; after its end, how it ended."""
    style = CommandStyle(slash, request.pull.number, request.pull.repository)
    return blocks(approval_message(request), style)


def follow_up(
    one: FollowUp, slash: str, pull: PullRequest | None = None, run: Run | None = None
) -> SlackMessage:
    """Return the message about a forced apply. run: the apply."""
    return blocks(forced_apply(one, pull, run), CommandStyle(slash, one.pull, one.target.repository))


def drift(one: Drift, slash: str, link: str = "") -> SlackMessage:
    """Return the message about a drift report. link: address of the check's log."""
    return blocks(drift_message(one, link), CommandStyle(slash, 0, one.target.repository))


def export(view: ExportView, slash: str) -> SlackMessage:
    """Return the message about an export, as it is now."""
    return blocks(export_message(view), CommandStyle(slash, 0, view.export.repository))


def issue(run: Run, times: int, link: str) -> tuple[str, str]:
    """Return the title (256 characters) and text of the issue about a failed apply of the default branch."""
    document = issue_document(run, times, link)
    return shorten(clean(document.title), CHECK_TITLE), markdown(document, limit=COMMENT)


def issue_closed(target: Target, release: Release | None) -> str:
    """Return the comment that closes it."""
    return markdown(issue_closed_document(target, release), limit=COMMENT)


def _bytes(text: str) -> int:
    return len(text.encode())
