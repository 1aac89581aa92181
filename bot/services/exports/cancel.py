"""Cancel an export until its swap begins."""

from __future__ import annotations

from bot.domain.actors import Actor
from bot.domain.exports import RUNNING, Export
from bot.domain.refusal import Refusal
from bot.services.context import Context
from bot.services.exports.failures import ExportEnd, finish_export
from bot.services.exports.show import record_export


def cancel_export(context: Context, export: Export, actor: Actor) -> None:
    """Cancel an export: at once if nothing runs, else its worker stops within seconds. Raises Refusal if it has ended, or is being
    swapped."""
    with context.store.begin() as tables:
        found = tables.exports.get(export.id) or export
        if not found.active:
            raise Refusal(
                "nothing-to-cancel",
                f"No export to {export.environment} is under way.",
                f"`/export {export.environment} history` lists its exports.",
            )
        if found.phase == "swapping":
            raise Refusal(
                "too-late",
                "The databases are being swapped, which takes milliseconds.",
                f"`/export {export.environment} rollback` brings the data before back.",
            )
        tables.exports.update(found.id, cancel_by=actor.login or actor.name)
        record_export(context, tables, "cancel", found, actor)
    if found.phase not in RUNNING:
        finish_export(context, found.id, ExportEnd("cancelled", f"Cancelled by {actor.name}."))
