"""Check a policy against a database's schema, before any row is read: what is not said is not exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.exports.masks import NUMBERS, TEXTS, refuse_mask, uniqueness, weak_on_unique
from bot.domain.exports.names import written
from bot.domain.exports.policy import ColumnRule, ExportPolicy, TablePolicy
from bot.domain.exports.problem import Problem, generated_rule, missing_rule, told
from bot.domain.exports.schema import Column, DatabaseSchema, Table, TableName
from bot.domain.exports.suggest import suggest_rule
from bot.domain.exports.toml import column_line, table_header
from bot.domain.suggest import hint
from bot.errors import UserError

LONGEST = 64
"""Characters: no mask that keeps values apart writes more, so longer columns count as equally long."""


def check_policy(policy: ExportPolicy, schema: DatabaseSchema) -> tuple[Problem, ...]:
    """Return what is wrong, in the order of the tables; () if every column is spoken for."""
    checks = _Check(policy, schema)
    return tuple(sorted(checks.problems(), key=lambda one: one.table))


def require_valid(policy: ExportPolicy, schema: DatabaseSchema) -> None:
    """Raise UserError, with the lines to add, if a policy does not fit a schema."""
    if found := check_policy(policy, schema):
        raise UserError(told(found), next_step="Correct `envs/export.toml` on the default branch.")


@dataclass(frozen=True)
class _Check:
    policy: ExportPolicy
    schema: DatabaseSchema

    def problems(self) -> Iterator[Problem]:
        known = {table.name: table for table in self.schema.tables}
        for name in self.policy.tables:
            if name not in known:
                meant = hint(written(name), [written(one) for one in known])
                yield Problem(name, f"there is no such table{meant}")
        for table in self.schema.tables:
            rules = self.policy.tables.get(table.name)
            if rules is None:
                yield self._unclassified(table)
            else:
                yield from self._table(table, rules)
        yield from self._references()
        yield from self._places(known)

    def _unclassified(self, table: Table) -> Problem:
        lines = [table_header(self.policy.environment, table.name)]
        lines += [
            column_line(one.name, suggest_rule(table, one)) for one in table.columns if not one.generated
        ]
        return Problem(table.name, "the table has no rules", tuple(lines))

    def _table(self, table: Table, rules: TablePolicy) -> Iterator[Problem]:
        names = {column.name for column in table.columns}
        for name in rules.columns:
            if name not in names:
                yield Problem(table.name, f"there is no column `{name}`{hint(name, names)}")
        if rules.rows == "none":
            return
        if rules.rows == "closure" and not table.key:
            yield Problem(
                table.name,
                'it has no key, so only `rows = "all"` or `rows = "none"` can say which rows are taken',
            )
        for column in table.columns:
            rule = rules.columns.get(column.name)
            if column.generated:
                if rule is not None:
                    yield generated_rule(table.name, column)
            elif rule is None:
                yield missing_rule(self.policy.environment, table, column)
            elif wrong := _wrong(table, column, rule):
                yield Problem(table.name, wrong)

    def _references(self) -> Iterator[Problem]:
        """Both sides of a reference must stay equal: both kept, or both masked alike by a mask that keeps values apart."""
        for key in (*self.schema.foreign_keys, *(one.reference for one in self.policy.keys)):
            for child, parent in zip(key.columns, key.parent_columns, strict=True):
                one, other = self._rule(key.child, child), self._rule(key.parent, parent)
                if (
                    one is None
                    or other is None
                    or one.kind == "null"
                    or (one.kind == "fixed" and key.virtual)
                ):
                    continue
                refers = f"`{child}` refers to `{written(key.parent)}.{parent}`"
                if one.kind == "fixed":
                    yield Problem(
                        key.child, f"{refers} and cannot have a fixed value; use `null` or its parent's rule"
                    )
                elif not _alike(one, other):
                    yield Problem(
                        key.child,
                        f"{refers}, and the two have different rules, which would break the reference",
                    )
                elif one.kind == "mask" and self._differ((key.child, child), (key.parent, parent)):
                    yield Problem(
                        key.child,
                        f"{refers}, which has another type, and a mask gives each type other values; give both one type, or "
                        "keep them",
                    )

    def _differ(self, one: tuple[TableName, str], other: tuple[TableName, str]) -> bool:
        """Whether two columns are of types or lengths for which a mask has different results."""
        found = [
            (column.base, min(column.length or LONGEST, LONGEST))
            for name, column_name in (one, other)
            if (table := self.schema.table(name)) and (column := table.column(column_name))
        ]
        return len(set(found)) > 1

    def _rule(self, table: TableName, column: str) -> ColumnRule | None:
        rules = self.policy.tables.get(table)
        return rules.columns.get(column) if rules and rules.rows != "none" else None

    def _places(self, known: dict[TableName, Table]) -> Iterator[Problem]:
        """Check that roots, edges and keys name columns that exist."""
        from bot.domain.exports.predicates import columns_of  # with it comes the parser

        for root in self.policy.roots:
            yield from _missing(known, root.table, columns_of(root.where), "a root's `where` names")
        for key in self.policy.keys:
            yield from _missing(known, key.child, key.columns, "a key names")
            yield from _missing(known, key.parent, key.parent_columns, "a key names")
        references = {(one.child, one.columns) for one in self.schema.foreign_keys}
        references |= {(one.child, one.columns) for one in self.policy.keys}
        for edge in self.policy.edges:
            yield from _missing(known, edge.child, edge.columns, "an edge names")
            if (edge.child, edge.columns) not in references and edge.child in known:
                columns = ", ".join(edge.columns)
                yield Problem(
                    edge.child, f"an edge names ({columns}), which is no foreign key; declare it under `keys`"
                )


def _missing(
    known: dict[TableName, Table], table: TableName, columns: tuple[str, ...], what: str
) -> Iterator[Problem]:
    if table in known:
        names = [one.name for one in known[table].columns]
        for column in columns:
            if column not in names:
                yield Problem(table, f"{what} `{column}`, which does not exist{hint(column, names)}")


def _alike(one: ColumnRule, other: ColumnRule) -> bool:
    if one.kind == other.kind == "keep":
        return True
    masked = one.kind == other.kind == "mask" and one.mask == other.mask
    return masked and (one.label or one.mask, one.within) == (other.label or other.mask, other.within)


def _wrong(table: Table, column: Column, rule: ColumnRule) -> str:
    name = f"`{column.name}`"
    keys = [key for key in table.keys if column.name in key.columns]
    if rule.kind == "null":
        return f"{name} is NOT NULL and cannot be `null`" if column.not_null else ""
    if rule.kind == "fixed":
        if any(key.columns == (column.name,) for key in keys):
            return f"{name} is unique and cannot have one fixed value"
        return f"{name} is `{column.type}` and cannot be {rule.fixed!r}" if not _fits(rule, column) else ""
    if rule.kind == "keep" or rule.mask is None:
        return ""
    if wrong := refuse_mask(rule.mask, column):
        return f"{name} {wrong}"
    if keys and uniqueness(rule.mask, column) == "lossy":
        return f"{name} is part of a unique key, which `{rule.mask}` would break; use `token`, `digest` or `email`"
    if keys and weak_on_unique(rule.mask, column):
        return f"{name} is unique and too short ({column.length} characters) for `{rule.mask}`"
    return ""


def _fits(rule: ColumnRule, column: Column) -> bool:
    """Whether a fixed value can be of the column's type, as far as that can be told here; the load checks the rest."""
    value = rule.fixed
    if isinstance(value, bool):
        return column.base == "boolean"
    if isinstance(value, int | float):
        return column.base in NUMBERS
    if column.base in TEXTS:
        return not column.length or len(str(value)) <= column.length
    return column.base not in (*NUMBERS, "boolean")
