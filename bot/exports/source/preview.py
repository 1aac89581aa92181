"""The preview: what an export would take, counted exactly before any data leaves."""

from __future__ import annotations

from bot.domain.exports import ExportPolicy, Preview, TableCount
from bot.domain.ports.exports import ExportControl
from bot.exports.source.closure import select_rows
from bot.exports.source.notes import notes
from bot.exports.source.selection import SelectedTable, Selection
from bot.exports.source.session import Source


def preview(source: Source, policy: ExportPolicy, control: ExportControl) -> Preview:
    """Check the policy against the source's schema, select the rows and count them. Raises as `select_rows`, and UserError
    for what `check_policy` refuses, before it reads a row."""
    selection = select_rows(source, policy, control, "previewing")
    return preview_of(source, policy, selection)


def preview_of(source: Source, policy: ExportPolicy, selection: Selection) -> Preview:
    """The preview of rows that are selected already."""
    return Preview(
        tuple(_count(policy, one) for one in selection.tables),
        source.schema.digest,
        policy.digest,
        source.snapshot_at,
        notes(source, selection),
    )


def _count(policy: ExportPolicy, selected: SelectedTable) -> TableCount:
    table, rows = selected.table, selected.rows
    total = rows if selected.whole else max(rows, table.rows)
    rules = policy.tables[table.name].columns if table.name in policy.tables else {}
    return TableCount(
        table.name,
        rows,
        total,
        table.bytes * rows // total if total else 0,
        tuple(name for name, rule in rules.items() if rule.kind == "mask"),
        tuple(name for name, rule in rules.items() if rule.kind in ("null", "fixed")),
        selected.why,
    )
