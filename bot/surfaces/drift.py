"""Drift reports in Slack's channel: one message per report, posted once."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import Surface
from bot.render import surfaces as render
from bot.services.context import Context
from bot.surfaces.projector import Projection
from bot.surfaces.slack_message import post_message


def drift_projection(chat: Chat | None, channel: str, slash: str) -> Projection:
    """Return the projection of drift reports: subject `<report id>`, into `channel`. It does nothing if Slack is off."""

    def project(context: Context, surface: Surface) -> Surface:
        if chat is None or not channel or surface.digest == "posted":
            return surface
        with context.store.read() as tables:
            found = tables.drifts.get(surface.subject)
        if found is None:
            return surface
        message = render.drift(found, slash, context.link(found.run_id))
        posted, _ = post_message(context, chat, channel, surface, message)
        return replace(posted, digest="posted")

    return project
