"""What a click in Slack does. Its payload proves nothing: who it is and what they may do is found out here."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.approval import Approval
from bot.domain.people import Actor
from bot.domain.ports.records import FollowUp
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
        about = _about(tables, request)
    try:
        result = _do(context, request, about, actor)
    except UserError as error:
        result = Refused("refused", error.what, error.next_step)
    repository, pull = (about.target.repository, about.pull) if about else ("", 0)
    tell(context, said, 0, Place(repository, pull, [], request.origin.channel), result)


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
        return Refused("approval-over", "There is no such approval.", "Look at the pull request.")
    return Refused("gone", "There is no such forced apply.", f"`{context.slash} status`")
