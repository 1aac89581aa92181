"""Handle clicks in Slack. The payload is not trusted: the person and their permissions are looked up here."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.chat.answers import CommandReply, CommandScope, answered, post_reply
from bot.chat.lateness import refuse_late
from bot.domain.actors import Actor
from bot.domain.approvals import Approval
from bot.domain.chat import ApprovalAnswered, ForceAcknowledged, Message, Result
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.records import FollowUp
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refused, refused
from bot.errors import UserError
from bot.services.access import refuse_other_workspace, resolve_actor
from bot.services.applies import decide_and_apply
from bot.services.approvals import GivenDecision, acknowledge_force, recorded_decision
from bot.services.context import Context

log = structlog.get_logger()


def handle_click(context: Context, request: ApprovalAnswered | ForceAcknowledged) -> None:
    """Act on a click once, and reply to the person who clicked, visible only to them."""
    message = Message(request.actor, "", request.origin, slash=True)
    if answered(context, message, 0):
        return
    actor = resolve_actor(context, request.actor)
    with context.store.read() as tables:
        subject = _subject(tables, request)
    try:
        result = _handle(context, request, subject, actor)
    except UserError as error:
        result = refused(error)
    except ForgeError as error:
        if error.retry_after is not None:
            raise
        log.warning("GitHub refused a click", status=error.status, error=str(error)[:300])
        where = f"`{subject.target.repository}`" if subject else "this repository"
        result = Refused(
            "forge",
            f"Your click did not count: GitHub does not return your permissions in {where} "
            f"({f'status {error.status}' if error.status else 'unreadable response'}).",
            "Ask your Towpath operator to check the App's or token's access, then click again.",
        )
    post_reply(context, message, CommandReply(0, _scope(request, subject), result))


def report_lost_click(context: Context, request: ApprovalAnswered | ForceAcknowledged, ticket: str) -> None:
    """Tell the person who clicked that processing was abandoned, with the reference. The buttons stay as they are."""
    origin = replace(request.origin, response_url="")  # Slack accepts it for only half an hour
    message = Message(request.actor, "", origin, slash=True)
    if answered(context, message, 0):
        return
    with context.store.read() as tables:
        subject = _subject(tables, request)
    result = Refused(
        "given-up",
        "Your decision was recorded, but acting on it failed."
        if _is_recorded(context, request, subject)
        else "Your click could not be processed; nothing was changed.",
        f"Click again. If it fails again, give your Towpath operator the reference {ticket}.",
    )
    post_reply(context, message, CommandReply(0, _scope(request, subject), result))


def _scope(
    request: ApprovalAnswered | ForceAcknowledged, subject: Approval | FollowUp | None
) -> CommandScope:
    repository, pull = (subject.target.repository, subject.pull) if subject else ("", 0)
    return CommandScope(repository, pull, [], request.origin.channel)


def _subject(tables: Tables, request: ApprovalAnswered | ForceAcknowledged) -> Approval | FollowUp | None:
    if isinstance(request, ApprovalAnswered):
        return tables.approvals.get(request.approval)
    return tables.follow_ups.get(request.follow_up)


def _is_recorded(
    context: Context, request: ApprovalAnswered | ForceAcknowledged, subject: Approval | FollowUp | None
) -> bool:
    """Whether the click's decision was recorded before a crash."""
    if not isinstance(subject, Approval):
        return False
    with context.store.read() as tables:
        return recorded_decision(tables, subject, request.origin) is not None


def _handle(
    context: Context,
    request: ApprovalAnswered | ForceAcknowledged,
    subject: Approval | FollowUp | None,
    actor: Actor,
) -> Result:
    if not actor.login:
        return refuse_other_workspace(context, actor) or Refused(
            "unlinked",
            "Your Slack account isn't linked to GitHub, so your click did not count.",
            f"Run `{context.slash} link`, then click again.",
        )
    late = refuse_late(context, request.origin, "If you still want it, click again.")
    if late and not _is_recorded(context, request, subject):
        return late
    if isinstance(request, ApprovalAnswered) and isinstance(subject, Approval):
        decision = GivenDecision(
            request.answer, request.origin, request.reason, request.digest, request.typed
        )
        return decide_and_apply(context, subject, actor, decision)
    if isinstance(subject, FollowUp):
        role = context.forge.role(subject.target.repository, actor.login)
        return acknowledge_force(context, subject, actor, role)
    if isinstance(request, ApprovalAnswered):
        return Refused(
            "approval-over",
            "This approval no longer exists.",
            f"Run `{context.slash} status` for the pending approvals.",
        )
    return Refused(
        "gone", "This forced apply no longer exists.", f"Run `{context.slash} status` for the current status."
    )
