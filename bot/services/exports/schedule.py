"""The clock's part: exports that are due, each once, and requests for approval that expired."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.domain.exports import LATE, ExportPolicy, due_between
from bot.domain.ports.forge import ForgeError
from bot.domain.refusal import Refusal
from bot.errors import TransientError, UserError
from bot.services.context import Context
from bot.services.exports.failures import ExportEnd, finish_export
from bot.services.exports.policies import ExportSettings, default_settings
from bot.services.exports.request import ExportRequest, request_export, requested_export
from bot.services.exports.show import record_export, show_export

log = structlog.get_logger()

FRESH = 300.0
"""Seconds for which a branch's tip that was read last is fresh enough."""


def schedule_exports(context: Context) -> None:
    """Request the exports that are due, and end requests that were not approved in time.

    Until when the due times are dealt with is recorded after the export was added under an id made of its due time: a crash in
    between, or a second clock, requests the same one again, which changes nothing.
    """
    _expire(context)
    with context.store.read() as tables:
        repositories = [one.name for one in tables.pulls.repositories()]
    for repository in repositories:
        try:
            settings = default_settings(context, repository, FRESH)
            for policy in settings.exports.exports.values():
                if policy.schedule:
                    _tick(context, settings, policy)
        except (UserError, TransientError, ForgeError) as error:
            log.warning("scheduled exports are postponed", repository=repository, error=str(error)[:200])


def _tick(context: Context, settings: ExportSettings, policy: ExportPolicy) -> None:
    now, place = context.now(), (settings.repository, policy.environment)
    name = f"{policy.schedule} {policy.time_zone}"
    with context.store.begin() as tables:
        since = tables.exports.ticked_at(*place, name)
        if since is None:
            tables.exports.tick(*place, name, now)
    dues = due_between(policy.schedule, policy.time_zone, since, now) if since else ()
    if not dues:
        return
    due, late = dues[-1], now - dues[-1] > LATE
    missed = dues if late else dues[:-1]
    request = ExportRequest(
        policy.environment,
        "now",
        due_at=due,
        missed=tuple(f"{moment:%d %b %H:%M} UTC" for moment in missed),
    )
    try:
        request_export(context, settings, request)
    except Refusal as refusal:
        log.warning("a scheduled export was not run", environment=policy.environment, why=refusal.what)
        _report(context, settings, request, refusal)
    with context.store.begin() as tables:
        tables.exports.tick(*place, name, now)


def _report(context: Context, settings: ExportSettings, request: ExportRequest, refusal: Refusal) -> None:
    """Add the export as refused, so that people see that a due time passed without one."""
    due = f"{request.due_at:%d %b %H:%M} UTC"
    export = replace(
        requested_export(context, settings, request),
        phase="finished",
        outcome="refused",
        message=f"The export due {due} was not run: {refusal.what}",
        next_step=refusal.next_step,
        finished_at=context.now(),
    )
    with context.store.begin() as tables:
        if tables.exports.add(export):
            record_export(context, tables, "refused", export, why=refusal.what)
            show_export(context, tables, export)


def _expire(context: Context) -> None:
    with context.store.read() as tables:
        waiting = [one for one in tables.exports.active() if one.phase == "approval"]
    for one in waiting:
        if one.expires_at is not None and one.expires_at <= context.now():
            finish_export(
                context,
                one.id,
                ExportEnd("expired", next_step=f"`/export {one.environment} now` requests it again."),
            )
