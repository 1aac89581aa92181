"""Approval requests in Slack, in the channel and to each approver, and the messages about forced applies.

Both are edited whenever anything in them changes, so that no button is left after a decision.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import Surface
from bot.render import surfaces as render
from bot.services.approvals import approval_request
from bot.services.context import Context
from bot.surfaces.projector import Projection
from bot.surfaces.slack_message import digest_of, post_message


def approval_projection(chat: Chat | None, channel: str, slash: str) -> Projection:
    """Return the projection of approvals: subject `<approval id>` into `channel`, `<approval id>/<Slack user>` to that
    person. It does nothing if Slack is off."""

    def project(context: Context, surface: Surface) -> Surface:
        approval_id, _, user = surface.subject.partition("/")
        request = approval_request(context, approval_id) if chat is not None and (user or channel) else None
        if chat is None or request is None:
            return surface
        if user and not request.state.approval.live and not surface.tried:
            return surface  # it ended before they were notified
        text, blocks = render.approval(request, slash)
        if (digest := digest_of(text, blocks)) == surface.digest:
            return surface
        destination = (surface.external.get("channel") or chat.conversation(user)) if user else channel
        posted, _ = post_message(context, chat, destination, surface, (text, blocks))
        return replace(posted, digest=digest)

    return project


def follow_up_projection(chat: Chat | None, channel: str, slash: str) -> Projection:
    """Return the projection of forced applies: subject `<follow-up id>`, into `channel`."""

    def project(context: Context, surface: Surface) -> Surface:
        if chat is None or not channel:
            return surface
        with context.store.read() as tables:
            follow_up = tables.follow_ups.get(surface.subject)
            run = tables.runs.get(follow_up.run_id) if follow_up else None
            pull = tables.pulls.get(follow_up.target.repository, follow_up.pull) if follow_up else None
        if follow_up is None:
            return surface
        text, blocks = render.follow_up(follow_up, slash, pull, run)
        if (digest := digest_of(text, blocks)) == surface.digest:
            return surface
        posted, _ = post_message(context, chat, channel, surface, (text, blocks))
        return replace(posted, digest=digest)

    return project
