"""An export as people see it."""

from __future__ import annotations

import difflib

from bot.domain.exports import Export, ExportHistory, ExportView, missing_approval, next_due
from bot.domain.policy import PolicyError
from bot.domain.ports.store import Tables
from bot.errors import UserError
from bot.services.context import Context
from bot.services.exports.policies import default_settings
from bot.services.targets import readable_policy

SHOWN = 10
"""Exports in a history."""
_FRESH = 60.0
"""Seconds for which GitHub's last answer is fresh enough to be shown."""


def export_view(context: Context, export_id: str) -> ExportView | None:
    """Return an export with what belongs to it; None if it is unknown."""
    with context.store.read() as tables:
        export = tables.exports.get(export_id)
        return None if export is None else view_of(context, tables, export)


def view_of(context: Context, tables: Tables, export: Export) -> ExportView:
    """Return it within a transaction."""
    missing = ""
    if export.phase == "approval":
        policy = readable_policy(context, export.repository, _FRESH)
        source = policy.environments.get(export.source) if policy else None
        missing = missing_approval(source.approval_rules if source else None, export.approved_by)
    return ExportView(
        export,
        tables.exports.preview(export.id),
        tables.exports.manifest(export.id) if export.outcome == "done" else None,
        _changes(tables, export),
        missing,
        context.export_link(export.id),
    )


def export_history(context: Context, repository: str, environment: str) -> ExportHistory:
    """Return the newest exports of an environment, and when the next one is due."""
    with context.store.read() as tables:
        exports = tables.exports.of_environment(repository, environment, SHOWN)
    due = None
    try:
        policy = default_settings(context, repository, _FRESH).exports.exports.get(environment)
    except (UserError, PolicyError):
        policy = None
    if policy is not None and policy.schedule:
        due = next_due(policy.schedule, policy.time_zone, context.now())
    return ExportHistory(environment, tuple(exports), due)


def _changes(tables: Tables, export: Export) -> tuple[str, ...]:
    """Return a diff of the policy's file since the last approved export, () for the first one."""
    if export.phase != "approval":
        return ()
    before = tables.exports.approved(export.repository, export.environment)
    if before is None or before.policy_text == export.policy_text:
        return ()
    lines = difflib.unified_diff(
        before.policy_text.splitlines(), export.policy_text.splitlines(), lineterm="", n=1
    )
    return tuple(line for line in lines if not line.startswith(("---", "+++")))
