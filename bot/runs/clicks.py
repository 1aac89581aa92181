"""What a click in Slack does. Its payload proves nothing: who it is and what they may do is found out here."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.domain.answers import Refused
from bot.domain.approval import Approval
from bot.domain.people import Actor
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.records import FollowUp
from bot.domain.ports.store import Tables
from bot.domain.requests import Acknowledged, Answered, Said
from bot.domain.results import Result
from bot.errors import UserError
from bot.runs.answering import Place, answered, tell
from bot.services import deciding, forcing
from bot.services.context import Context
from bot.services.linking import resolve

log = structlog.get_logger()


def click(context: Context, request: Answered | Acknowledged) -> None:
    """Do it once, and answer whoever clicked, for their eyes alone."""
    said = Said(request.actor, "", request.origin, slash=True)
    if answered(context, said, 0):
        return
    actor = resolve(context, request.actor)
    with context.store.read() as tables:
        about = _about(tables, request)
    try:
        result = _do(context, request, about, actor)
    except UserError as error:
        result = Refused("refused", error.what, error.next_step)
    except ForgeError as error:
        if error.retry_after is not None:
            raise
        log.warning("GitHub refused a click", status=error.status, error=str(error)[:300])
        where = f"`{about.target.repository}`" if about else "this repository"
        result = Refused(
            "forge",
            f"GitHub does not let me see what you may do in {where} (it answered {error.status or 'nothing I can read'}), "
            "so your click did not count.",
            "Somebody who runs Towpath has to see that its App or token still has access there; then click again.",
        )
    tell(context, said, 0, _place(request, about), result)


def lost(context: Context, request: Answered | Acknowledged, ticket: str) -> None:
    """Tell whoever clicked that their click was given up, with the reference; the buttons are as they were."""
    said = Said(
        request.actor, "", replace(request.origin, response_url=""), slash=True
    )  # that is good for half an hour
    if answered(context, said, 0):
        return
    with context.store.read() as tables:
        about = _about(tables, request)
        given = isinstance(about, Approval) and deciding.given(tables, about, request.origin)
    result = Refused(
        "given-up",
        "Your click was taken, but what should follow from it could not be done."
        if given
        else "Your click could not be worked through, and nothing came of it.",
        f"Click again; if that does not help, show your operator the reference {ticket}.",
    )
    tell(context, said, 0, _place(request, about), result)


def _place(request: Answered | Acknowledged, about: Approval | FollowUp | None) -> Place:
    repository, pull = (about.target.repository, about.pull) if about else ("", 0)
    return Place(repository, pull, [], request.origin.channel)


def _about(tables: Tables, request: Answered | Acknowledged) -> Approval | FollowUp | None:
    if isinstance(request, Answered):
        return tables.approvals.get(request.approval)
    return tables.follow_ups.get(request.follow_up)


def _do(
    context: Context, request: Answered | Acknowledged, about: Approval | FollowUp | None, actor: Actor
) -> Result:
    if not actor.login:
        return Refused(
            "unlinked",
            "I do not know your GitHub login yet, so your word cannot count.",
            f"`{context.slash} link` links you in a minute; then click again.",
        )
    if isinstance(request, Answered) and isinstance(about, Approval):
        return deciding.answer(
            context,
            about,
            actor,
            request.answer,
            reason=request.reason,
            origin=request.origin,
            digest=request.digest,
            typed=request.typed,
        )
    if isinstance(about, FollowUp):
        role = context.forge.role(about.target.repository, actor.login)
        return forcing.acknowledge(context, about, actor, role)
    if isinstance(request, Answered):
        return Refused(
            "approval-over",
            "There is no such approval (any more).",
            f"`{context.slash} status` shows what there is.",
        )
    return Refused(
        "gone", "There is no such forced apply (any more).", f"`{context.slash} status` shows what there is."
    )
