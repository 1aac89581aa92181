"""The one status comment of a pull request."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surface_json import PostedContent
from bot.domain.ports.surfaces import Surface
from bot.render import surfaces as render
from bot.services.context import Context
from bot.services.pulls import pull_status
from bot.surfaces.projector import mark_tried
from bot.surfaces.publication import publish, unpublished


def marker(surface: Surface) -> str:
    """Return an invisible line by which the bot recognizes its own comment."""
    return f"<!-- towpath:{hashlib.sha256(surface.id.encode()).hexdigest()[:16]} -->"


def project(context: Context, surface: Surface) -> Surface:
    """Create or edit the comment. A deleted comment is created again, since people will look for it."""
    with context.store.read() as tables:
        pull = tables.pulls.get(surface.repository, surface.pull)
        running = bool(tables.runs.active(repository=surface.repository, pull=surface.pull))
    if pull is None:
        return surface
    status = pull_status(context, pull)
    plans = unpublished(row.plan for row in status.targets)
    body = f"{render.comment(status)}\n{marker(surface)}"
    known = replace(surface, digest="") if plans else surface
    posted, at = post_comment(context, known, body, final=not running)
    publish(context, plans, at)
    return posted


def post_comment(
    context: Context, surface: Surface, body: str, *, final: bool = True
) -> tuple[Surface, datetime | None]:
    """Create or edit the comment of a surface. If a response was lost, the comment is found by its marker. Returns also
    when it was posted, by GitHub's clock; None if it was up to date."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    if digest == surface.digest:
        return surface, None
    comment_id = surface.external.get("comment_id")
    if comment_id is None and surface.tried:
        found = context.forge.find_comment(surface.repository, surface.pull, marker(surface))
        comment_id = found.id if found else None
        surface = replace(
            surface, external={"comment_id": found.id, "node_id": found.node_id} if found else {}
        )
    if comment_id is not None:
        try:
            edited_at = context.forge.edit_comment(surface.repository, comment_id, body, final=final)
            return replace(surface, digest=digest), edited_at
        except ForgeError as error:
            if error.status not in (404, 410):
                raise
    mark_tried(context, surface)
    created = context.forge.comment(surface.repository, surface.pull, body)
    external: PostedContent = {"comment_id": created.id, "node_id": created.node_id}
    return replace(surface, external=external, digest=digest, tried=True), created.created_at
