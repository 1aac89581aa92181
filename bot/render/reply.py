"""What each result says, and in which words a surface says it."""

from __future__ import annotations

from typing import Any, assert_never

from bot.domain.answers import Refused
from bot.domain.results import (
    Asking,
    Difference,
    Drifted,
    Faulted,
    Help,
    History,
    LinkCode,
    Locked,
    Noted,
    Result,
    Started,
    Status,
    Unlocked,
)
from bot.render.blocks import blocks
from bot.render.document import HERE, Document, Voice
from bot.render.documents.answers import faulted, noted, refused
from bot.render.documents.approval import asked
from bot.render.documents.diff import difference
from bot.render.documents.drift import drifted
from bot.render.documents.help import help_page
from bot.render.documents.history import history
from bot.render.documents.locks import link_code, locked, unlocked
from bot.render.documents.started import started
from bot.render.documents.status import status
from bot.render.markdown import markdown
from bot.render.terminal import terminal


def reply(result: Result) -> Document:
    """The document that answers a command."""
    match result:
        case Refused():
            return refused(result)
        case Faulted():
            return faulted(result)
        case Noted():
            return noted(result)
        case Started():
            return started(result)
        case Help():
            return help_page(result)
        case Status():
            return status(result)
        case History():
            return history(result)
        case Difference():
            return difference(result)
        case Drifted():
            return drifted(result)
        case Asking():
            return asked(result)
        case Locked():
            return locked(result)
        case Unlocked():
            return unlocked(result)
        case LinkCode():
            return link_code(result)
        case _:
            assert_never(result)


def on_github(result: Result) -> str:
    """A comment's body, 65,000 characters at most."""
    return markdown(reply(result))


def in_slack(result: Result, voice: Voice) -> tuple[str, list[dict[str, Any]]]:
    """A message's text and blocks."""
    return blocks(reply(result), voice)


def in_terminal(result: Result, voice: Voice = HERE, *, colour: bool = False) -> str:
    """Lines for a terminal."""
    return terminal(reply(result), voice, colour=colour)
