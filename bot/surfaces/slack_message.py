"""A message in Slack that is edited in place: posted once, and found again if the response was lost."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime

from bot.domain.ports.chat import Blocks, Chat, ChatError
from bot.domain.ports.surface_json import PostedContent
from bot.domain.ports.surfaces import Surface
from bot.services.context import Context
from bot.surfaces.projector import mark_tried


def digest_of(text: str, blocks: Blocks) -> str:
    """Return the digest by which a surface knows whether its message must be edited."""
    return hashlib.sha256(json.dumps([text, list(blocks)], sort_keys=True).encode()).hexdigest()


def post_message(
    context: Context, chat: Chat, channel: str, surface: Surface, content: tuple[str, Blocks]
) -> tuple[Surface, datetime | None]:
    """Post or edit the surface's message in `channel`; a deleted message is posted again.

    content: text and blocks. Returns also when it was posted, by Slack's clock, if known. The caller saves the digest.
    Raises ChatError.
    """
    text, blocks = content
    posted_in, ts = surface.external.get("channel", ""), surface.external.get("ts", "")
    if not (posted_in and ts) and surface.tried and (found := chat.find(channel, surface.id)):
        posted_in, ts = found.channel, found.ts
    if posted_in and ts:
        try:
            at = chat.update(posted_in, ts, text, blocks)
            return replace(surface, external={**surface.external, "channel": posted_in, "ts": ts}), at
        except ChatError as error:
            if error.code not in ("message_not_found", "cant_update_message"):
                raise
    mark_tried(context, surface)
    posted = chat.post(channel, text, blocks, key=surface.id)
    external: PostedContent = {"channel": posted.channel, "ts": posted.ts}
    return replace(surface, external=external, tried=True), posted.at
