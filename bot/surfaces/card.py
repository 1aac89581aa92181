"""The Slack card of a pull request, and its thread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import Surface
from bot.domain.results import Status
from bot.domain.run import Run
from bot.render import surfaces as pages
from bot.services.context import Context
from bot.services.status import of_pull
from bot.surfaces.logs import tail
from bot.surfaces.message import digest_of, message


def project_with(chat: Chat | None, channel: str, slash: str) -> Any:
    """The projection of cards into `channel`; nothing where Slack is off."""

    def project(context: Context, surface: Surface) -> Surface:
        if chat is None or not channel:
            return surface
        with context.store.read() as tables:
            pull = tables.pulls.get(surface.repository, surface.pull)
        if pull is None:
            return surface
        status = of_pull(context, pull)
        text, blocks = pages.card(status, slash)
        digest = digest_of(text, blocks)
        if digest != surface.digest:
            surface = replace(message(context, chat, channel, surface, text, blocks), digest=digest)
        return _thread(context, chat, surface, status, slash)

    return project


def _thread(context: Context, chat: Chat, surface: Surface, status: Status, slash: str) -> Surface:
    """Ends of runs go into the card's thread, each once."""
    said = list(surface.external.get("said", []))
    for row in status.targets:
        run = row.run
        if run is None or run.active or run.id in said or not _worth_telling(run):
            continue
        text, blocks = pages.ended(
            run,
            row.plan if row.plan and row.plan.run_id in (run.id, run.plan_id) else None,
            slash,
            log=tail(context, run),
            next_step=row.next_step,
        )
        key = f"ended:{run.id}"
        channel, ts = str(surface.external["channel"]), str(surface.external["ts"])
        tried_before = surface.external.get("saying") == run.id
        surface = _keep(context, surface, saying=run.id)
        if not tried_before or chat.find(channel, key, thread=ts) is None:
            chat.post(channel, text, blocks, thread=ts, key=key)
        said.append(run.id)
        surface = _keep(context, surface, said=said[-50:], saying="")
    return surface


def _keep(context: Context, surface: Surface, **facts: Any) -> Surface:
    """Note how far the thread is, before and after each message."""
    surface = replace(surface, external={**surface.external, **facts})
    with context.store.begin() as tables:
        tables.surfaces.save(surface)
    return surface


def _worth_telling(run: Run) -> bool:
    """A superseded plan is nobody's news."""
    return run.outcome not in ("superseded", None)
