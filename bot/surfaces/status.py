"""The one status comment of a pull request."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surfaces import Surface
from bot.render import surfaces as pages
from bot.services.context import Context
from bot.services.status import of_pull
from bot.surfaces.projector import tried


def marker(surface: Surface) -> str:
    """An invisible line by which the bot knows its own comment again."""
    return f"<!-- towpath:{hashlib.sha256(surface.id.encode()).hexdigest()[:16]} -->"


def project(context: Context, surface: Surface) -> Surface:
    """Create or edit it; a deleted one is made anew, since people will look for it."""
    with context.store.read() as tables:
        pull = tables.pulls.get(surface.repository, surface.pull)
        working = bool(tables.runs.active(repository=surface.repository, pull=surface.pull))
    if pull is None:
        return surface
    body = f"{pages.comment(of_pull(context, pull))}\n{marker(surface)}"
    return comment(context, surface, body, final=not working)


def comment(context: Context, surface: Surface, body: str, *, final: bool = True) -> Surface:
    """Post `body` as the comment of this surface, whatever happened before."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    if digest == surface.digest:
        return surface
    comment_id = surface.external.get("comment_id")
    if comment_id is None and surface.tried:
        found = context.forge.find_comment(surface.repository, surface.pull, marker(surface))
        comment_id = found.id if found else None
        surface = replace(
            surface, external={"comment_id": found.id, "node_id": found.node_id} if found else {}
        )
    if comment_id is not None:
        try:
            context.forge.edit_comment(surface.repository, comment_id, body, final=final)
            return replace(surface, digest=digest)
        except ForgeError as error:
            if error.status not in (404, 410):
                raise
    tried(context, surface)
    made = context.forge.comment(surface.repository, surface.pull, body)
    return replace(
        surface, external={"comment_id": made.id, "node_id": made.node_id}, digest=digest, tried=True
    )
