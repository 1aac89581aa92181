"""Which columns of a pull request's migrations its own policy has no rule for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby

from bot.domain.exports.classification import Problem
from bot.domain.exports.migrations import AddedColumn, Migrations, UnreadStatement
from bot.domain.exports.policy import ExportPolicies, ExportPolicy
from bot.domain.exports.schema import Column, Table, TableName
from bot.domain.exports.suggest import suggest_rule
from bot.domain.exports.toml import column_line, table_header
from bot.domain.policy import matches
from bot.domain.sanitize import outside


@dataclass(frozen=True)
class PullCheck:
    """What a pull request makes of exports. invalid: what is wrong with its `envs/export.toml`, "" if nothing is. problems: what the
    file lacks for the migrations. unread: statements that people must look at. files: migrations that were read."""

    invalid: str = ""
    problems: tuple[Problem, ...] = ()
    unread: tuple[UnreadStatement, ...] = ()
    files: int = 0

    @property
    def ok(self) -> bool:
        return not self.invalid and not self.problems


def migration_paths(policies: ExportPolicies, paths: Collection[str]) -> tuple[str, ...]:
    """Return which of these paths are migrations, sorted."""
    return tuple(sorted(path for path in paths if any(matches(glob, path) for glob in policies.migrations)))


def check_migrations(policy: ExportPolicy, migrations: Migrations) -> tuple[Problem, ...]:
    """Return what an export's policy lacks for these migrations, in the order of the tables."""
    added = sorted(migrations.added, key=lambda one: one.table)
    found: list[Problem] = []
    for table, columns in groupby(added, key=lambda one: one.table):
        found += _table(policy, table, list(columns))
    return tuple(found)


def _table(policy: ExportPolicy, table: TableName, added: list[AddedColumn]) -> Iterator[Problem]:
    rules = policy.tables.get(table)
    if rules is not None and rules.rows == "none":
        return
    columns = tuple(one.column for one in added if one.column is not None)
    shape = Table(table, columns)
    lacking = [
        one for one in columns if not one.generated and (rules is None or one.name not in rules.columns)
    ]
    header = table_header(policy.environment, table)
    if rules is None and len(columns) < len(added):
        yield Problem(
            table, "the table was renamed to this, and has no rules; rename its tables in the policy, too"
        )
    for one in lacking:
        # a column that was renamed has no type here, so there is nothing to go by
        fix = (header, column_line(one.name, suggest_rule(shape, one))) if one.base else ()
        yield Problem(table, f"`{outside(one.name)}`{_type(one)} has no rule", fix)
    if rules is not None:
        for one in columns:
            if one.generated and one.name in rules.columns:
                yield Problem(table, f"`{outside(one.name)}` is generated and must have no rule")


def _type(column: Column) -> str:
    return f" ({outside(column.type, 60)})" if column.type else ""
