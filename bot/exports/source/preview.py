"""The preview: what an export would take, counted exactly before any data leaves."""

from __future__ import annotations

from bot.domain.exports import ExportPolicy, Preview, TableCount, require_valid
from bot.domain.ports.exports import ExportControl
from bot.exports.source.closure import select_rows
from bot.exports.source.notes import notes
from bot.exports.source.selection import SelectedTable, Selection, count_query
from bot.exports.source.session import Source


def preview(source: Source, policy: ExportPolicy, control: ExportControl) -> Preview:
    """Check the policy against the source's schema, select the rows and count them. Raises as `select_rows`, and UserError
    for what `check_policy` finds, before it reads a row."""
    require_valid(policy, source.schema)
    selection = select_rows(source, policy, control, "previewing")
    return preview_of(source, policy, selection)


def preview_of(source: Source, policy: ExportPolicy, selection: Selection) -> Preview:
    """The preview of rows that are selected already."""
    return Preview(
        tuple(_count(policy, one, _total(source, one)) for one in selection.tables),
        source.schema.digest,
        policy.digest,
        source.snapshot_at,
        notes(source, selection),
    )


def _total(source: Source, selected: SelectedTable) -> int:
    """The planner's estimate of all rows; counted where a table was never analyzed."""
    if selected.whole:
        return selected.rows
    if not selected.rows or selected.table.rows:
        return max(selected.rows, selected.table.rows)
    with source.connection() as connection:
        row = connection.execute(count_query(selected.table)).fetchone()
    return int(row[0]) if row else selected.rows


def _count(policy: ExportPolicy, selected: SelectedTable, total: int) -> TableCount:
    table, rows = selected.table, selected.rows
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
