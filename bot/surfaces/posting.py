"""Several checks of one surface at one commit: each is created once, and written again only where it has changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from bot.domain.ports.forge import CheckRun
from bot.domain.ports.surfaces import Surface
from bot.services.context import Context


def post(context: Context, surface: Surface, wanted: CheckRun) -> Surface:
    """One check. That it is tried is kept before: should the answer be lost, the next attempt looks first.

    The surface's `external["checks"]` has name → `{"id", "digest", "open"}`: open while it is not completed.
    """
    kept: dict[str, Any] = dict(surface.external.get("checks", {}))
    digest = hashlib.sha256(repr(wanted).encode()).hexdigest()
    have = kept.get(wanted.name)
    if have is None:
        surface = keep(context, surface, checks=kept | {wanted.name: {"id": 0, "digest": "", "open": True}})
        check_id = None
    elif have["digest"] == digest:
        return surface
    else:
        check_id = have["id"] or context.forge.find_check(surface.repository, wanted.head_sha, wanted.name)
    made = context.forge.check(surface.repository, wanted, check_id or None)
    entry = {"id": made, "digest": digest, "open": wanted.status != "completed"}
    return keep(context, surface, checks=kept | {wanted.name: entry})


def keep(context: Context, surface: Surface, **facts: Any) -> Surface:
    """Write down how far the surface is."""
    external = {**surface.external, **facts}
    if external == surface.external:
        return surface
    surface = replace(surface, external=external)
    with context.store.begin() as tables:
        tables.surfaces.save(surface)
    return surface
