"""Carry out an export: preview, approval, extraction, load, swap. Safe to repeat after a crash at any step."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.exports import EXPIRES, Export, Manifest, needs_approval
from bot.domain.ports.exports import Cancelled, ExportControl, ExportJob
from bot.domain.refusal import Refusal
from bot.errors import UserError
from bot.services.context import Context
from bot.services.exports.failures import ExportEnd, finish_export
from bot.services.exports.job import exporter_of, job_of
from bot.services.exports.policies import default_settings, settings_at
from bot.services.exports.progress import Recorder
from bot.services.exports.request import export_freeze
from bot.services.exports.retention import clean_after
from bot.services.exports.show import record_export, show_export, tell_requester
from bot.services.targets import fetch


def execute_export(context: Context, export_id: str) -> None:
    """Carry out an export as far as it goes: to its end, or until people must approve it."""
    with context.store.begin() as tables:
        export = tables.exports.get(export_id)
        if export is None or not export.active or export.phase == "approval":
            return
        # What it waited for people is not what it took.
        began = None if export.phase == "approved" else export.started_at
        tables.exports.update(export_id, worker=context.worker, started_at=began or context.now())
    branch = context.known(export.repository).default_branch
    fetch(context, export.repository, [export.commit], [f"refs/heads/{branch}"])
    settings = settings_at(context, export.repository, export.commit)
    job = job_of(context, settings, export)
    control = Recorder(context, export).control
    try:
        _carry_out(context, export, job, control)
    except Cancelled:
        finish_export(
            context, export.id, ExportEnd("cancelled", f"Cancelled by {_canceller(context, export)}.")
        )
        clean_after(context, job)
    except UserError as error:
        finish_export(context, export.id, ExportEnd("failed", error.what, error.next_step))
        clean_after(context, job)


def _carry_out(context: Context, export: Export, job: ExportJob, control: ExportControl) -> None:
    exporter = exporter_of(context)
    if export.kind == "rollback":
        live = exporter.roll_back(job, control)
        what = f"the data of export `{live}`" if live else "the data from before the first export"
        finish_export(
            context, export.id, ExportEnd("done", f"{export.environment} has {what} again.", previous=True)
        )
        return
    if export.phase in ("queued", "previewing") and not _previewed(context, export, job, control):
        return
    manifest = _extracted(context, export, job, control)
    notes = exporter.load(job, manifest, control)
    _refuse_freeze(context, export)
    previous = exporter.swap(job, manifest, control)
    with context.store.begin() as tables:
        tables.exports.update(export.id, notes=(*manifest.notes, *notes), previous=previous)
    finish_export(context, export.id, ExportEnd("done", previous=True))
    clean_after(context, job)


def _previewed(context: Context, export: Export, job: ExportJob, control: ExportControl) -> bool:
    """Count what would leave. Return whether to go on: not for a preview, and not if people must approve."""
    preview = exporter_of(context).preview(job, control)
    with context.store.begin() as tables:
        tables.exports.keep_preview(export.id, preview)
        before = tables.exports.approved(export.repository, export.environment)
        waits = needs_approval(export, [before.policy_digest] if before else [])
        if waits:
            tables.exports.move(
                export.id,
                ("queued", "previewing"),
                "approval",
                expires_at=context.now() + _patience(context, export),
            )
            record_export(context, tables, "approval-asked", export, rows=preview.rows)
            show_export(context, tables, export)
            tell_requester(context, tables, export, "approval")
            return False
    if export.kind == "preview":
        finish_export(context, export.id, ExportEnd("done"))
        return False
    return True


def _extracted(context: Context, export: Export, job: ExportJob, control: ExportControl) -> Manifest:
    """Return the manifest, which exists if an earlier attempt wrote all files."""
    with context.store.read() as tables:
        found, preview = tables.exports.manifest(export.id), tables.exports.preview(export.id)
    if found is not None:
        return found
    if preview is None:
        raise Refusal(
            "no-preview", "The export has no preview.", f"`/export {export.environment} now` begins again."
        )
    manifest = exporter_of(context).extract(job, preview, control)
    with context.store.begin() as tables:
        tables.exports.keep_manifest(export.id, manifest)
    return manifest


def _refuse_freeze(context: Context, export: Export) -> None:
    """Raise Refusal if a freeze began while the export ran: the swap is what a freeze forbids."""
    settings = default_settings(context, export.repository)
    if frozen := export_freeze(context, settings, export):
        raise Refusal("frozen", *frozen)


def _patience(context: Context, export: Export) -> timedelta:
    """Return how long people have to approve."""
    source = default_settings(context, export.repository).policy.environments.get(export.source)
    rules = source.approval_rules if source else None
    return rules.expires if rules else EXPIRES


def _canceller(context: Context, export: Export) -> str:
    with context.store.read() as tables:
        found = tables.exports.get(export.id)
    return f"@{found.cancel_by}" if found and found.cancel_by else "somebody"
