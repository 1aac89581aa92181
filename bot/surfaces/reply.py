"""Replies: rendered when they are given, posted once, where the request was made."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import structlog

from bot.domain.chat import ApprovalRequest, Help, Late, LinkCode, Notice, Reply, Status
from bot.domain.ports.chat import Chat, ChatError
from bot.domain.ports.store import Tables
from bot.domain.ports.surface_json import WantedContent
from bot.domain.ports.surfaces import Surface
from bot.domain.refusal import Refused
from bot.domain.run import Origin
from bot.domain.secrets import SecretsReport
from bot.render.command_style import CommandStyle
from bot.render.reply import in_slack, on_github
from bot.services.context import Context
from bot.surfaces.projector import Projection, mark_tried
from bot.surfaces.status_comment import marker, post_comment

log = structlog.get_logger()

PRIVATE = (Refused, ApprovalRequest, Help, Status, LinkCode, Notice, SecretsReport)
"""Results that only the requester sees in Slack; what changes anything is posted in the channel."""


def queue_reply(tables: Tables, due_at: datetime, style: CommandStyle, origin: Origin, result: Reply) -> None:
    """Store a reply to be posted. It is rendered now, since it describes how things are now.

    style: how commands are written in Slack, for which pull request and repository. Without these, a reply on GitHub has
    no place and is dropped.
    """
    wanted: WantedContent
    if origin.channel:
        text, blocks = in_slack(result, style)
        told = result.result if isinstance(result, Late) else result
        wanted = {
            "platform": "slack",
            "channel": origin.channel,
            "thread": origin.thread,
            "user": origin.user,
            "response_url": origin.response_url,
            "text": text,
            "blocks": list(blocks),
            "private": isinstance(told, PRIVATE) and origin.channel != origin.user,
        }
    elif style.pull and style.repository:
        wanted = {"platform": "github", "body": on_github(result)}
    else:
        return
    surface = Surface(
        f"reply:{origin.id}",
        "reply",
        origin.id,
        style.repository,
        style.pull,
        wanted=wanted,
        due_at=due_at,
    )
    tables.surfaces.want(surface)


def reply_projection(chat: Chat | None) -> Projection:
    """Return the projection of replies, for both platforms."""

    def project(context: Context, surface: Surface) -> Surface:
        if surface.digest == "posted":
            return surface
        if surface.wanted["platform"] == "github":
            body = f"{surface.wanted['body']}\n{marker(surface)}"
            posted, _ = post_comment(context, surface, body)
            return replace(posted, digest="posted")
        if chat is None:
            return surface
        return _post_in_slack(context, chat, surface)

    return project


def _post_in_slack(context: Context, chat: Chat, surface: Surface) -> Surface:
    wanted, posted = surface.wanted, replace(surface, digest="posted")
    channel, thread, user = wanted["channel"], wanted["thread"], wanted["user"]
    if channel == user:
        channel = chat.conversation(user)  # a message that stays, unlike one that only they see
    text, blocks, url = wanted["text"], wanted["blocks"], wanted["response_url"]
    private = wanted["private"] and user
    try:
        if private:
            if url and not thread:
                chat.respond(url, text, blocks)
            else:
                chat.ephemeral(channel, user, text, blocks, thread=thread)
            return posted
        found = chat.find(channel, surface.id, thread=thread) if surface.tried else None
        if found is None:
            mark_tried(context, surface)
            found = chat.post(channel, text, blocks, thread=thread, key=surface.id)
        return replace(posted, tried=True, external={"channel": found.channel, "ts": found.ts})
    except ChatError as error:
        if error.retry_after is not None or surface.attempts or not (url or private):
            raise
        log.info(
            "the channel refused the reply; sent to the requester alone", surface=surface.id, code=error.code
        )
        if url:
            chat.respond(url, text, blocks)
        else:
            chat.direct(user, text, blocks)
        return posted
