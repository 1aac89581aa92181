"""Request an export, a preview or a rollback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.actors import SYSTEM, Actor
from bot.domain.exports import Export, ExportKind
from bot.domain.policy import Frozen, freeze_at
from bot.domain.refusal import Refusal
from bot.domain.run import Origin
from bot.services.context import Context, stable_id
from bot.services.exports.job import exporter_of, job_of
from bot.services.exports.policies import ExportSettings
from bot.services.exports.show import record_export, show_export

ACTIONS = ("status", "preview", "now", "approve", "reject", "cancel", "history", "rollback")
_KINDS: dict[str, ExportKind] = {"now": "export", "preview": "preview", "rollback": "rollback"}
NOBODY = Origin()


@dataclass(frozen=True)
class ExportRequest:
    """One request. action: `now`, `preview` or `rollback`. pull: the number of the pull request where it was made, 0 for none.
    due_at: of the schedule that asks; missed: earlier due times that passed, for people."""

    environment: str
    action: str
    actor: Actor = SYSTEM
    origin: Origin = NOBODY
    pull: int = 0
    due_at: datetime | None = None
    missed: tuple[str, ...] = ()


def request_export(context: Context, settings: ExportSettings, request: ExportRequest) -> Export:
    """Add an export and enqueue it. Asked twice for the same, it is one.

    Raises Refusal while another one is active, during a freeze, or if a secret is missing.
    """
    export = requested_export(context, settings, request)
    exporter_of(context)
    job_of(context, settings, export)
    if export.kind != "preview" and (frozen := export_freeze(context, settings, export)):
        raise Refusal("frozen", *frozen)
    with context.store.begin() as tables:
        tables.exports.lock(export.repository, export.environment)
        if known := tables.exports.get(export.id):
            return known
        if active := tables.exports.active(export.repository, export.environment):
            raise _busy(active[0])
        tables.exports.add(export)
        record_export(context, tables, "asked", export, kind=export.kind)
        context.work.enqueue_export(export, tables)
        show_export(context, tables, export)
    return export


def requested_export(context: Context, settings: ExportSettings, request: ExportRequest) -> Export:
    """Return the row of a request, with an id that depends on nothing but what was asked for."""
    policy = settings.export(request.environment)
    seed = request.due_at.isoformat() if request.due_at else request.origin.id
    return Export(
        id=stable_id(settings.repository, request.environment, request.action, seed, "export"),
        kind=_KINDS[request.action],
        repository=settings.repository,
        environment=request.environment,
        source=policy.source,
        commit=settings.commit,
        policy_digest=policy.digest,
        actor=request.actor,
        origin=request.origin,
        pull=request.pull,
        missed=request.missed,
        policy_text=settings.text,
        due_at=request.due_at,
        created_at=context.now(),
    )


def newest_export(context: Context, repository: str, environment: str) -> Export:
    """Return the environment's newest export. Raises Refusal if there is none."""
    with context.store.read() as tables:
        found = tables.exports.of_environment(repository, environment, 1)
    if not found:
        raise Refusal(
            "no-export",
            f"There has been no export to `{environment}` yet.",
            f"`/export {environment} preview` shows what the first one would take.",
        )
    return found[0]


def export_freeze(context: Context, settings: ExportSettings, export: Export) -> tuple[str, str] | None:
    """Return why a freeze of the source or of the target forbids an export now, and what to do; None if none does."""
    for name in (export.environment, export.source):
        environment = settings.policy.environments.get(name)
        frozen: Frozen | None = (
            freeze_at(environment.windows, "apply", context.now()) if environment else None
        )
        if frozen is not None:
            return (
                f"`{name}` is frozen {frozen.span}.",
                f"`/export {export.environment} now` once that is over.",
            )
    return None


def _busy(active: Export) -> Refusal:
    waits = active.phase == "approval"
    return Refusal(
        "export-active",
        f"Another {active.kind} of {active.environment} {'waits for approval' if waits else 'is under way'}.",
        f"`/export {active.environment} status` shows it; `/export {active.environment} cancel` ends it.",
    )
