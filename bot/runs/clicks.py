"""What a click in Slack does. Its payload proves nothing: who it is and what they may do is found out here."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.people import Actor
from bot.domain.ports.store import Tables
from bot.domain.requests import Acknowledged, Answered, Said
from bot.domain.results import Result
from bot.errors import UserError
from bot.runs.answering import Place, answered, tell
from bot.services import deciding, forcing
from bot.services.context import Context
from bot.services.linking import resolve


def click(context: Context, request: Answered | Acknowledged) -> None:
    """Do it once, and answer whoever clicked, for their eyes alone."""
    said = Said(request.actor, "", request.origin, slash=True)
    if answered(context, said, 0):
        return
    with context.store.read() as tables:
        actor = resolve(context, tables, request.actor)
        place = _place(tables, request)
    try:
        result = _do(context, request, actor)
    except UserError as error:
        result = Refused("refused", error.what, error.next_step)
    tell(context, said, 0, place, result)


def _do(context: Context, request: Answered | Acknowledged, actor: Actor) -> Result:
    if not actor.login:
        return Refused(
            "unlinked",
            "I do not know your GitHub login yet, so your word cannot count.",
            f"`{context.slash} link` links you in a minute; then click again.",
        )
    if isinstance(request, Acknowledged):
        with context.store.read() as tables:
            follow_up = tables.follow_ups.get(request.follow_up)
        if follow_up is None:
            return Refused("gone", "There is no such forced apply.", f"`{context.slash} status`")
        role = context.forge.role(follow_up.target.repository, actor.login)
        return forcing.acknowledge(context, follow_up, actor, role)
    with context.store.read() as tables:
        approval = tables.approvals.get(request.approval)
    if approval is None:
        return Refused("approval-over", "There is no such approval.", "Look at the pull request.")
    return deciding.answer(
        context,
        approval,
        actor,
        request.answer,
        reason=request.reason,
        origin=request.origin,
        digest=request.digest,
        typed=request.typed,
    )


def _place(tables: Tables, request: Answered | Acknowledged) -> Place:
    if isinstance(request, Answered):
        approval = tables.approvals.get(request.approval)
        target, pull = (approval.target, approval.pull) if approval else (None, 0)
    else:
        one = tables.follow_ups.get(request.follow_up)
        target, pull = (one.target, one.pull) if one else (None, 0)
    return Place(target.repository if target else "", pull, [], request.origin.channel)
