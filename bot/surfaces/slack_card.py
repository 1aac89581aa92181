"""The Slack card of a pull request, and its thread."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.chat import Status, TargetStatus
from bot.domain.ports.chat import Chat
from bot.domain.ports.surfaces import Surface
from bot.domain.run import Run
from bot.render import surfaces as render
from bot.services.context import Context
from bot.services.pulls import pull_status
from bot.surfaces.check_runs import record_posted
from bot.surfaces.log_tail import log_tail
from bot.surfaces.plan_check import shown_plan
from bot.surfaces.projector import Projection
from bot.surfaces.publication import publish, unpublished
from bot.surfaces.slack_message import digest_of, post_message

KEPT = 50
"""Ids of posted runs that are remembered."""


def card_projection(chat: Chat | None, channel: str, slash: str) -> Projection:
    """Return the projection of cards into `channel`. It does nothing if Slack is off."""

    def project(context: Context, surface: Surface) -> Surface:
        if chat is None or not channel:
            return surface
        with context.store.read() as tables:
            pull = tables.pulls.get(surface.repository, surface.pull)
        if pull is None:
            return surface
        status = pull_status(context, pull)
        text, blocks = render.card(status, slash)
        digest = digest_of(text, blocks)
        plans = unpublished((row.plan for row in status.targets), in_slack=True)
        if digest != surface.digest or plans:
            posted, at = post_message(context, chat, channel, surface, (text, blocks))
            publish(context, plans, at, in_slack=True)
            surface = replace(posted, digest=digest)
        return _post_finished_runs(context, chat, surface, status, slash)

    return project


def _post_finished_runs(
    context: Context, chat: Chat, surface: Surface, status: Status, slash: str
) -> Surface:
    """Post each run that ended into the card's thread, once. Progress is saved before and after each message."""
    posted = list(surface.external.get("said", []))
    for row in status.targets:
        run = row.run
        if run is None or run.active or run.id in posted or not _is_news(row, run):
            continue
        plan = shown_plan(row)
        text, blocks = render.run_finished(
            run,
            plan,
            slash,
            log=log_tail(context, run),
            next_step=row.next_step,
            page=context.plan_page(plan),
        )
        key = f"ended:{run.id}"
        channel, thread = surface.external["channel"], surface.external["ts"]
        tried = surface.external.get("saying") == run.id
        surface = record_posted(context, surface, {"saying": run.id})
        if not tried or chat.find(channel, key, thread=thread) is None:
            chat.post(channel, text, blocks, thread=thread, key=key)
        posted.append(run.id)
        surface = record_posted(context, surface, {"said": posted[-KEPT:], "saying": ""})
    return surface


def _is_news(row: TargetStatus, run: Run) -> bool:
    """Return whether the end of a run is worth a message; that of a superseded plan is not, nor a sync that found nothing
    new."""
    if run.kind == "sync" and run.outcome == "planned":
        return row.sync is not None and row.sync.news
    return run.outcome not in ("superseded", None)
