"""Which columns of a pull request's migrations its own policy has no rule for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby

from bot.domain.exports.added_columns import AddedColumn, MigrationFile, Migrations, UnreadStatement
from bot.domain.exports.policy import ExportPolicies, ExportPolicy
from bot.domain.exports.problem import Problem, generated_rule, missing_rule
from bot.domain.exports.schema import Table, TableName
from bot.domain.policy import matches


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


def read_migrations(files: tuple[MigrationFile, ...]) -> Migrations:
    """Return what these files add over their texts on the base branch, in the order of their paths."""
    from bot.domain.exports.migrations import Tables  # with it comes the parser

    added: dict[tuple[TableName, str], AddedColumn] = {}
    unread: list[UnreadStatement] = []
    known: set[tuple[TableName, str]] = set()
    for one in sorted(files, key=lambda one: one.path):
        earlier = Tables(one.path)
        earlier.read(one.before)
        known |= set(earlier.columns)
        tables = Tables(one.path, added)
        tables.read(one.text)
        said = {statement.text for statement in earlier.unread}
        unread += [statement for statement in tables.unread if statement.text not in said]
    return Migrations(tuple(one for key, one in added.items() if key not in known), tuple(unread))


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
    if rules is None and len(columns) < len(added):
        yield Problem(
            table, "the table was renamed to this, and has no rules; rename its tables in the policy, too"
        )
    for one in lacking:
        yield missing_rule(policy.environment, shape, one)
    if rules is not None:
        for one in columns:
            if one.generated and one.name in rules.columns:
                yield generated_rule(table, one)
