"""One message in Slack that is edited in place: posted once, found again after a lost answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from bot.domain.ports.chat import Blocks, Chat, ChatError
from bot.domain.ports.surfaces import Surface
from bot.services.context import Context
from bot.surfaces.projector import tried


def digest_of(text: str, blocks: Blocks) -> str:
    """What a surface remembers of a message, to see whether it has to be edited."""
    return hashlib.sha256(json.dumps([text, list(blocks)], sort_keys=True).encode()).hexdigest()


def message(
    context: Context, chat: Chat, channel: str, surface: Surface, text: str, blocks: Blocks
) -> Surface:
    """Post the surface's message in `channel`, or edit it; one that somebody deleted is posted anew. The caller keeps
    the digest. Raises ChatError."""
    where = (surface.external.get("channel"), surface.external.get("ts"))
    if not all(where) and surface.tried and (found := chat.find(channel, surface.id)):
        where = (found.channel, found.ts)
    if all(where):
        try:
            chat.update(str(where[0]), str(where[1]), text, blocks)
            return replace(surface, external={**surface.external, "channel": where[0], "ts": where[1]})
        except ChatError as error:
            if error.code not in ("message_not_found", "cant_update_message"):
                raise
    tried(context, surface)
    posted = chat.post(channel, text, blocks, key=surface.id)
    return replace(surface, external={"channel": posted.channel, "ts": posted.ts}, tried=True)
