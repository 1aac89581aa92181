"""Write rules as lines of `envs/export.toml`."""

from __future__ import annotations

import json

from bot.domain.exports.names import written
from bot.domain.exports.policy import ColumnRule
from bot.domain.exports.schema import DatabaseSchema, Table, TableName
from bot.domain.exports.suggest import suggest_rule
from bot.domain.policy import quoted


def table_header(environment: str, table: TableName) -> str:
    """Return the header above a table's columns."""
    return f"[export.{environment}.tables.{quoted(written(table))}.columns]"


def column_line(name: str, rule: ColumnRule) -> str:
    """Return a column's line."""
    return f"{quoted(name)} = {_rule(rule)}"


def first_policy(schema: DatabaseSchema, environment: str, source: str) -> str:
    """Return a first policy for a database: nothing that may be personal is kept, and people must read it.

    The largest table that others refer to is the root, with five percent of its rows; tables without foreign keys and with few rows
    are taken whole.
    """
    parents = {key.parent for key in schema.foreign_keys}
    children = {key.child for key in schema.foreign_keys}
    candidates = [one for one in schema.tables if one.key and one.name in parents] or [
        one for one in schema.tables if one.key
    ]
    root = max(candidates, key=lambda one: one.rows, default=None)
    lines = [
        "# What is exported, and how it is masked. Read every line: `towpath export check` tells what is missing,",
        "# and nobody but you knows what your columns mean.",
        f"[export.{environment}]",
        f"from = {json.dumps(source)}",
    ]
    if root is not None:
        lines += [
            "",
            f"[[export.{environment}.roots]]",
            f"table = {json.dumps(written(root.name))}",
            "percent = 5",
            'seed = "1"',
        ]
    for table in schema.tables:
        whole = table.name not in children and table is not root and table.rows <= _FEW
        lines += ["", *_table(environment, table, whole)]
    return "\n".join(lines) + "\n"


_FEW = 10_000
"""Rows of a table that is taken for reference data."""


def _table(environment: str, table: Table, whole: bool) -> list[str]:
    header = f"[export.{environment}.tables.{quoted(written(table.name))}"
    lines = []
    if whole or not table.key:
        rows = "all" if whole else "none"
        why = "" if table.key else "  # it has no key: all or none"
        lines += [f"{header}]", f"rows = {json.dumps(rows)}{why}"]
        if rows == "none":
            return lines
    lines.append(f"{header}.columns]")
    lines += [column_line(one.name, suggest_rule(table, one)) for one in table.columns if not one.generated]
    return lines


def _rule(rule: ColumnRule) -> str:
    if rule.kind in ("keep", "null"):
        return json.dumps(rule.kind)
    if rule.kind == "fixed":
        return f"{{ fixed = {json.dumps(rule.fixed, ensure_ascii=False)} }}"
    more = f", label = {json.dumps(rule.label)}" if rule.label else ""
    more += f", within = {rule.within}" if rule.within else ""
    return f"{{ mask = {json.dumps(rule.mask)}{more} }}"
