"""Exports in Slack's channel: one message for each, edited in place while it runs."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import Surface
from bot.render import surfaces as render
from bot.services.context import Context
from bot.services.exports import export_view
from bot.surfaces.projector import Projection
from bot.surfaces.slack_message import digest_of, post_message


def export_projection(chat: Chat | None, channel: str, slash: str) -> Projection:
    """Return the projection of exports: subject `<export id>`, into `channel`. It does nothing if Slack is off."""

    def project(context: Context, surface: Surface) -> Surface:
        view = export_view(context, surface.subject) if chat is not None and channel else None
        if chat is None or view is None:
            return surface
        message = render.export(view, slash)
        if (digest := digest_of(*message)) == surface.digest:
            return surface
        posted, _ = post_message(context, chat, channel, surface, message)
        return replace(posted, digest=digest)

    return project
