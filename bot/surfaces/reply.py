"""Answers: rendered when they were given, posted once, where the question was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from bot.domain.answers import Refused
from bot.domain.ports.chat import Chat, ChatError
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.results import Asking, Help, LinkCode, Noted, Result, Status
from bot.domain.run import Origin
from bot.render.document import Voice
from bot.render.reply import in_slack, on_github
from bot.services.context import Context
from bot.surfaces.projector import tried
from bot.surfaces.status import comment, marker

log = structlog.get_logger()

PRIVATE = (Refused, Asking, Help, Status, LinkCode, Noted)
"""In Slack these are for the asker's eyes; what changes the world is said to the channel."""


def want(
    tables: Tables, now: datetime, slash: str, origin: Origin, repository: str, pull: int, result: Result
) -> None:
    """Store an answer to be posted: rendered now, since it tells how things were when it was given."""
    subject = origin.id
    wanted: dict[str, Any]
    if origin.channel:
        text, blocks = in_slack(result, Voice(slash, pull, repository))
        wanted = {
            "platform": "slack",
            "channel": origin.channel,
            "thread": origin.thread,
            "user": origin.user,
            "response_url": origin.response_url,
            "text": text,
            "blocks": list(blocks),
            "private": isinstance(result, PRIVATE),
        }
    else:
        wanted = {"platform": "github", "body": on_github(result)}
        if not pull or not repository:
            return
    tables.surfaces.want(
        Surface(f"reply:{subject}", "reply", subject, repository, pull, wanted=wanted, due_at=now)
    )


def project_with(chat: Chat | None) -> Any:
    """The projection of replies, on whichever platform they are for."""

    def project(context: Context, surface: Surface) -> Surface:
        if surface.digest == "posted":
            return surface
        if surface.wanted["platform"] == "github":
            body = f"{surface.wanted['body']}\n{marker(surface)}"
            return replace(comment(context, surface, body), digest="posted")
        if chat is None:
            return surface
        return _slack(context, chat, surface)

    return project


def _slack(context: Context, chat: Chat, surface: Surface) -> Surface:
    wanted = surface.wanted
    channel, thread, user = str(wanted["channel"]), str(wanted["thread"]), str(wanted["user"])
    text, blocks, url = str(wanted["text"]), wanted["blocks"], str(wanted["response_url"])
    try:
        if wanted["private"] and user:
            if url and not thread:
                chat.respond(url, text, blocks)
            else:
                chat.ephemeral(channel, user, text, blocks, thread=thread)
            return replace(surface, digest="posted")
        found = chat.find(channel, surface.id, thread=thread) if surface.tried else None
        if found is None:
            tried(context, surface)
            found = chat.post(channel, text, blocks, thread=thread, key=surface.id)
        return replace(
            surface, digest="posted", tried=True, external={"channel": found.channel, "ts": found.ts}
        )
    except ChatError as error:
        private = wanted["private"] and user
        if error.retry_after is not None or surface.attempts or not (url or private):
            raise
        log.info(
            "the channel does not take it; answering its asker alone", surface=surface.id, code=error.code
        )
        if url:
            chat.respond(url, text, blocks)
        else:
            chat.direct(user, text, blocks)
        return replace(surface, digest="posted")
