"""What a closure will follow, decided from schema and policy before any row is read."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.exports import DatabaseSchema, ExportPolicy, ForeignKey, Root, Table, TableName
from bot.errors import UserError
from bot.exports.source.graph import Step, reachable


@dataclass(frozen=True)
class ClosurePlan:
    """steps: to follow. whole: tables of which every row is taken, with the reason. whole_roots: those of them that are
    roots with their children. forbidden: references into tables that stay empty, which no included row may have."""

    steps: list[Step]
    whole: dict[TableName, str]
    whole_roots: frozenset[TableName]
    forbidden: list[Step]


def plan_closure(schema: DatabaseSchema, policy: ExportPolicy) -> ClosurePlan:
    """Decide it. Raises UserError for unknown tables and keys, and for tables without a key of which a part is wanted."""
    tables = {table.name: table for table in schema.tables}
    whole = {name: "all" for name, rule in policy.tables.items() if rule.rows == "all" and name in tables}
    empty = {name for name, rule in policy.tables.items() if rule.rows == "none"}
    for root in policy.roots:
        table = _known(tables, root.table)
        if root.table in empty:
            raise UserError(
                f'{root.table} is a root, and has rows = "none".',
                next_step="Remove one of them from envs/export.toml.",
            )
        if is_whole(root):
            whole[root.table] = "root"
        elif not table.key:
            raise _keyless(table, "its rows cannot be chosen one by one")
    steps = reachable(_steps(schema, policy), [*whole, *(root.table for root in policy.roots)])
    followed = [step for step in steps if step.target not in whole and step.target not in empty]
    for step in followed:
        if not tables[step.target].key:
            raise _keyless(tables[step.target], f"{step.source} leads to a part of its rows")
    forbidden = [
        s
        for s in steps
        if s.kind == "parents" and s.target in empty and not s.key.virtual and s.source not in empty
    ]
    roots = frozenset(root.table for root in policy.roots if root.children and is_whole(root))
    return ClosurePlan([s for s in followed if s.source not in empty], whole, roots, forbidden)


def is_whole(root: Root) -> bool:
    """Whether the root takes every row of its table."""
    return not root.where and root.percent >= 100


def _steps(schema: DatabaseSchema, policy: ExportPolicy) -> list[Step]:
    tables = {table.name: table for table in schema.tables}
    virtual = [key.reference for key in policy.keys]
    for key in virtual:
        _check_columns(_known(tables, key.child), key.columns)
        _check_columns(_known(tables, key.parent), key.parent_columns)
    keys = [*schema.foreign_keys, *virtual]
    steps = [Step("parents", key) for key in keys if not _cleared(policy, key)]
    chosen: set[ForeignKey] = set()
    for edge in policy.edges:
        matching = [key for key in keys if key.child == edge.child and set(key.columns) == set(edge.columns)]
        if not matching:
            raise UserError(
                f"No foreign key of {edge.child} has the columns {', '.join(edge.columns)}, which an edge names.",
                next_step="Name the columns of a foreign key in envs/export.toml, or declare one under keys.",
            )
        steps += [Step("children", key, most=edge.most) for key in matching]
        chosen.update(matching)
    rooted = {root.table for root in policy.roots if root.children}
    return steps + [
        Step("children", key, from_roots=True) for key in keys if key.parent in rooted and key not in chosen
    ]


def _cleared(policy: ExportPolicy, key: ForeignKey) -> bool:
    """Whether a column of the reference becomes NULL in the export, so that there is no reference any more."""
    rules = policy.tables[key.child].columns if key.child in policy.tables else {}
    return any(column in rules and rules[column].kind == "null" for column in key.columns)


def _known(tables: dict[TableName, Table], name: TableName) -> Table:
    if name in tables:
        return tables[name]
    raise UserError(f"The source has no table {name}.", next_step="Correct its name in envs/export.toml.")


def _check_columns(table: Table, columns: tuple[str, ...]) -> None:
    for column in columns:
        if table.column(column) is None:
            raise UserError(
                f"{table.name} has no column {column}.", next_step="Correct it in envs/export.toml."
            )


def _keyless(table: Table, why: str) -> UserError:
    return UserError(
        f"{table.name} has no primary key and no unique key without NULLs, and {why}.",
        next_step=f'Set rows = "all" or rows = "none" for {table.name} in envs/export.toml.',
    )
