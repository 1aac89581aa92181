"""Several checks of one surface at one commit: each is created once, and updated only when it changes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bot.domain.ports.forge import CheckRun
from bot.domain.ports.surface_json import PostedCheck, PostedContent
from bot.domain.ports.surfaces import Surface
from bot.services.context import Context


def post(context: Context, surface: Surface, check: CheckRun) -> Surface:
    """Create or update one check. The attempt is recorded first: if the response is lost, the next attempt looks for the
    check before it creates one."""
    posted = dict(surface.external.get("checks", {}))
    digest = hashlib.sha256(repr(check).encode()).hexdigest()
    known = posted.get(check.name)
    check_id = None
    if known is None:
        attempt: PostedCheck = {"id": 0, "digest": "", "open": True}
        surface = record_posted(context, surface, {"checks": posted | {check.name: attempt}})
    elif known["digest"] == digest:
        return surface
    else:
        check_id = known["id"] or context.forge.find_check(surface.repository, check.head_sha, check.name)
    created = context.forge.check(surface.repository, check, check_id or None)
    entry: PostedCheck = {"id": created.id, "digest": digest, "open": check.status != "completed"}
    return record_posted(context, surface, {"checks": posted | {check.name: entry}})


def record_posted(context: Context, surface: Surface, changes: PostedContent) -> Surface:
    """Save what was posted so far."""
    external: PostedContent = {**surface.external, **changes}
    if external == surface.external:
        return surface
    surface = replace(surface, external=external)
    with context.store.begin() as tables:
        tables.surfaces.save(surface)
    return surface
