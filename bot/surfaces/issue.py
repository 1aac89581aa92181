"""The issue about a failed apply of the default branch: one for each target, closed by the bot when that is fixed."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import structlog

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surface_json import PostedContent
from bot.domain.ports.surfaces import Surface
from bot.domain.target import Target
from bot.render import surfaces as render
from bot.services.context import Context
from bot.services.sync import open_failure
from bot.surfaces.projector import mark_tried

log = structlog.get_logger()

GONE = (404, 410)
"""GitHub: the issue was deleted, or the repository has issues turned off."""


def project(context: Context, surface: Surface) -> Surface:
    """Open the issue when an apply of the default branch fails, edit it when it fails again, and close it when the default
    branch, or something newer, is applied. Whoever closes it by hand sees it opened again by the next failure."""
    target = Target.from_key(surface.subject)
    with context.store.read() as tables:
        failure = open_failure(tables, target)
        release = tables.releases.newest(target)
    if failure is None:
        if not surface.external.get("episode"):
            return surface
        return _close(context, surface, render.issue_closed(target, release))
    title, body = render.issue(failure.run, failure.times, context.link(failure.run.id))
    episode = surface.external.get("episode") or failure.first
    body = f"{body}\n{_marker(surface, episode)}"
    digest = hashlib.sha256(body.encode()).hexdigest()
    if surface.digest == digest:
        return surface
    try:
        return replace(_show(context, surface, episode, (title, body)), digest=digest)
    except ForgeError as error:
        if error.status != 410:
            raise
        log.info("issues are turned off", repository=surface.repository)
        return replace(surface, digest=digest)


def _show(context: Context, surface: Surface, episode: str, content: tuple[str, str]) -> Surface:
    """Edit the issue of this failure, or open it. The attempt is recorded first: after a lost response it is looked for."""
    title, body = content
    number = surface.external.get("issue", 0)
    if (
        not number
        and surface.tried
        and (found := context.forge.find_issue(surface.repository, _marker(surface, episode)))
    ):
        number = found.number
    if number:
        try:
            context.forge.edit_issue(surface.repository, number, title=title, body=body, state="open")
            return _noted(context, surface, {"issue": number, "episode": episode})
        except ForgeError as error:
            if error.status not in GONE:
                raise
    mark_tried(context, surface)
    created = context.forge.open_issue(surface.repository, title, body)
    return _noted(context, replace(surface, tried=True), {"issue": created.number, "episode": episode})


def _close(context: Context, surface: Surface, comment: str) -> Surface:
    """Say why, once, and close it. After a lost response the comment is looked for before it is posted again."""
    number, marker = surface.external.get("issue", 0), _closing_marker(surface)
    text = f"{comment}\n{marker}"
    try:
        if context.forge.find_comment(surface.repository, number, marker) is None:
            context.forge.comment(surface.repository, number, text)
        context.forge.edit_issue(surface.repository, number, state="closed")
    except ForgeError as error:
        if error.status not in GONE:
            raise
    return replace(surface, external={}, digest="", tried=False)


def _marker(surface: Surface, episode: str) -> str:
    """Return what the issue of one failure is found by."""
    return f"<!-- towpath:{hashlib.sha256(f'{surface.id} {episode}'.encode()).hexdigest()[:16]} -->"


def _closing_marker(surface: Surface) -> str:
    return _marker(surface, f"{surface.external['episode']} closed")


def _noted(context: Context, surface: Surface, external: PostedContent) -> Surface:
    surface = replace(surface, external=external)
    with context.store.begin() as tables:
        tables.surfaces.save(surface)
    return surface
