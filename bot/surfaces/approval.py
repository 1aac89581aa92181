"""What asks for consent in Slack, in the channel and to each approver, and what a break-glass leaves to do there.

Both are edited whenever anything of them changes, so that after a decision no button is left anywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import Surface
from bot.render import surfaces as pages
from bot.services.approving import asking
from bot.services.context import Context
from bot.surfaces.message import digest_of, message


def project_with(chat: Chat | None, channel: str, slash: str) -> Any:
    """The projection of approvals: subject `<approval id>` into `channel`, `<approval id>/<Slack user>` to that person.
    Nothing where Slack is off."""

    def project(context: Context, surface: Surface) -> Surface:
        approval_id, _, user = surface.subject.partition("/")
        asked = asking(context, approval_id) if chat is not None and (user or channel) else None
        if chat is None or asked is None:
            return surface
        if user and not asked.standing.approval.live and not surface.tried:
            return surface  # it is over before they heard of it
        text, blocks = pages.approval(asked, slash)
        if (digest := digest_of(text, blocks)) == surface.digest:
            return surface
        place = str(surface.external.get("channel") or chat.conversation(user)) if user else channel
        return replace(message(context, chat, place, surface, text, blocks), digest=digest)

    return project


def follow_ups_with(chat: Chat | None, channel: str, slash: str) -> Any:
    """The projection of break-glasses: subject `<follow-up id>`, into `channel`."""

    def project(context: Context, surface: Surface) -> Surface:
        if chat is None or not channel:
            return surface
        with context.store.read() as tables:
            one = tables.follow_ups.get(surface.subject)
            run = tables.runs.get(one.run_id) if one else None
            pull = tables.pulls.get(one.target.repository, one.pull) if one else None
        if one is None:
            return surface
        text, blocks = pages.follow_up(one, slash, pull, run)
        if (digest := digest_of(text, blocks)) == surface.digest:
            return surface
        return replace(message(context, chat, channel, surface, text, blocks), digest=digest)

    return project
