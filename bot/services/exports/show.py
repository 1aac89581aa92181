"""Mark what shows an export as due, and reply where it was requested."""

from __future__ import annotations

from bot.domain.actors import Actor
from bot.domain.exports import Export
from bot.domain.ports.store import Tables
from bot.domain.run import Origin
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, SurfaceKey, show
from bot.services.exports.view import view_of


def show_export(context: Context, tables: Tables, export: Export, *, urgent: bool = True) -> None:
    """Mark the export's message in Slack as due."""
    show(tables, context.now(), SurfaceKey("export", export.id, export.repository, 0), urgent=urgent)


def tell_requester(context: Context, tables: Tables, export: Export, step: str) -> None:
    """Reply on the pull request where it was requested; in Slack its own message tells. step: what happened, once."""
    if not export.pull or export.origin.channel:
        return
    found = tables.exports.get(export.id)
    if found is not None:
        origin = Origin(delivery=f"export:{export.id}:{step}")
        context.tell(tables, origin, export.repository, export.pull, view_of(context, tables, found))


def record_export(
    context: Context, tables: Tables, action: str, export: Export, by: Actor | None = None, **facts: object
) -> None:
    """Add an entry to the audit record. by: who did it, if it was not the requester."""
    record(
        context,
        tables,
        f"export.{action}",
        by or export.actor,
        AuditSubject(pull=export.pull, run_id=export.id),
        repository=export.repository,
        environment=export.environment,
        source=export.source,
        policy=export.policy_digest,
        **facts,
    )
