"""The reaction on a comment with commands. Best effort: a failed one never fails a command."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surfaces import Surface
from bot.services.context import Context
from bot.services.reacting import RANK

log = structlog.get_logger()


def project(context: Context, surface: Surface) -> Surface:
    """Put the wanted reaction there, and take the earlier ones of ours away."""
    wanted = str(surface.wanted["reaction"])
    if wanted == surface.digest:
        return surface
    try:
        context.forge.react(
            surface.repository,
            int(surface.wanted["comment"]),
            wanted,  # type: ignore[arg-type]
            instead_of=[word for word in RANK if word not in ("", wanted)],  # type: ignore[misc]
        )
    except ForgeError as error:
        if error.retry_after is not None and surface.attempts < 3:
            raise
        log.info("a reaction was not shown", surface=surface.id, error=str(error)[:200])
    return replace(surface, digest=wanted)
