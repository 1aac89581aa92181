"""The reaction on a comment with commands. Best effort: a failed reaction never fails a command."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surfaces import Surface
from bot.services.context import Context
from bot.services.runs import RANK

log = structlog.get_logger()

ATTEMPTS = 3
"""Attempts before a reaction that GitHub rate-limits is dropped."""


def project(context: Context, surface: Surface) -> Surface:
    """Add the wanted reaction, and remove the bot's earlier ones."""
    wanted = surface.wanted["reaction"]
    if wanted == surface.digest:
        return surface
    try:
        context.forge.react(
            surface.repository,
            surface.wanted["comment"],
            wanted,  # type: ignore[arg-type]
            instead_of=[reaction for reaction in RANK if reaction not in ("", wanted)],  # type: ignore[misc]
        )
    except ForgeError as error:
        if error.retry_after is not None and surface.attempts < ATTEMPTS:
            raise
        log.info("reaction failed", surface=surface.id, error=str(error)[:200])
    return replace(surface, digest=wanted)
