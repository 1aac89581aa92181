"""End exports, once, and say how."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.exports import Export, ExportOutcome
from bot.errors import UserError
from bot.services.context import Context
from bot.services.exports.show import record_export, show_export, tell_requester


@dataclass(frozen=True)
class ExportEnd:
    """How an export ended. message, next_step: for people. reference: ties it to the log. previous: whether the database before
    is kept, to go back to."""

    outcome: ExportOutcome
    message: str = ""
    next_step: str = ""
    reference: str = ""
    previous: bool = False


def finish_export(context: Context, export_id: str, end: ExportEnd) -> None:
    """End an export; nothing happens if it has ended. An earlier export's previous database is gone once a newer one is live."""
    with context.store.begin() as tables:
        export = tables.exports.get(export_id)
        if export is None or not export.active:
            return
        tables.exports.update(
            export_id,
            phase="finished",
            outcome=end.outcome,
            message=end.message,
            next_step=end.next_step,
            reference=end.reference,
            finished_at=context.now(),
        )
        if end.previous and export.kind == "export":
            for older in tables.exports.of_environment(export.repository, export.environment, 50):
                if older.id != export_id and older.previous:
                    tables.exports.update(older.id, previous="")
        record_export(context, tables, end.outcome, export, why=end.message)
        show_export(context, tables, export)
        tell_requester(context, tables, export, "end")


def end_failed_export(context: Context, export_id: str, error: Exception, ticket: str) -> None:
    """End an export whose work raised an error that nothing else handled."""
    with context.store.read() as tables:
        export = tables.exports.get(export_id)
    if export is None:
        return
    if isinstance(error, UserError):
        finish_export(context, export_id, ExportEnd("failed", error.what, error.next_step))
        return
    finish_export(
        context,
        export_id,
        ExportEnd("failed", _sentence(export), f"`/export {export.environment} now` begins again.", ticket),
    )


def _sentence(export: Export) -> str:
    return f"Internal error; {export.environment} has the data that it had before."
