"""The reply to each result, for GitHub, Slack and the terminal."""

from __future__ import annotations

from typing import assert_never

from bot.domain.chat import (
    ApprovalRequest,
    Drifted,
    Help,
    History,
    InternalError,
    Late,
    LinkCode,
    Locked,
    Notice,
    Reply,
    RunsStarted,
    StateComparison,
    Status,
    Unlocked,
)
from bot.domain.exports import ExportHistory, ExportView
from bot.domain.parity import Parity
from bot.domain.refusal import Refused
from bot.domain.secrets import SecretsReport
from bot.domain.why import Why
from bot.render.blocks import Json, blocks
from bot.render.command_style import AS_TYPED, CommandStyle
from bot.render.document import Document
from bot.render.documents.answers import internal_error, late, notice, refused
from bot.render.documents.approval import approval_reply
from bot.render.documents.drift import drift_answer
from bot.render.documents.export import export_answer, export_history
from bot.render.documents.help import help_page
from bot.render.documents.history import history
from bot.render.documents.locks import link_code, locked, unlocked
from bot.render.documents.parity import parity
from bot.render.documents.runs_started import runs_started
from bot.render.documents.secrets import secrets_report
from bot.render.documents.state_diff import state_difference
from bot.render.documents.status import status
from bot.render.documents.why import why
from bot.render.markdown import markdown
from bot.render.terminal import terminal


def reply(result: Reply) -> Document:
    """Return the document that answers a command."""
    match result:
        case Refused():
            return refused(result)
        case InternalError():
            return internal_error(result)
        case Notice():
            return notice(result)
        case RunsStarted():
            return runs_started(result)
        case Help():
            return help_page(result)
        case Status():
            return status(result)
        case History():
            return history(result)
        case StateComparison():
            return state_difference(result)
        case Drifted():
            return drift_answer(result)
        case Parity():
            return parity(result)
        case ApprovalRequest():
            return approval_reply(result)
        case Locked():
            return locked(result)
        case Unlocked():
            return unlocked(result)
        case LinkCode():
            return link_code(result)
        case Why():
            return why(result)
        case SecretsReport():
            return secrets_report(result)
        case ExportView():
            return export_answer(result)
        case ExportHistory():
            return export_history(result)
        case Late():
            return late(result, reply(result.result))
        case _:
            assert_never(result)


def on_github(result: Reply) -> str:
    """Return a comment's body, at most 65,000 characters."""
    return markdown(reply(result))


def in_slack(result: Reply, style: CommandStyle) -> tuple[str, list[Json]]:
    """Return a message's text and blocks."""
    return blocks(reply(result), style)


def in_terminal(result: Reply, style: CommandStyle = AS_TYPED, *, colour: bool = False) -> str:
    """Return lines for a terminal."""
    return terminal(reply(result), style, colour=colour)
