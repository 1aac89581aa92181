"""What was found of drift, in Slack's channel: one message a change, posted once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import Surface
from bot.render import surfaces as pages
from bot.services.context import Context
from bot.surfaces.message import message


def project_with(chat: Chat | None, channel: str, slash: str) -> Any:
    """The projection of findings: subject `<finding id>`, into `channel`. Nothing where Slack is off."""

    def project(context: Context, surface: Surface) -> Surface:
        if chat is None or not channel or surface.digest == "posted":
            return surface
        with context.store.read() as tables:
            found = tables.drifts.get(surface.subject)
        if found is None:
            return surface
        text, blocks = pages.drift(found, slash, context.link(found.run_id))
        return replace(message(context, chat, channel, surface, text, blocks), digest="posted")

    return project
