"""What is wrong with a policy of exports, and the lines that would fix it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.exports.names import written
from bot.domain.exports.schema import Column, Table, TableName
from bot.domain.exports.suggest import suggest_rule
from bot.domain.exports.toml import column_line, table_header
from bot.domain.sanitize import outside

SHOWN = 20
"""Problems that a message lists."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. what: a sentence without its full stop. fix: the lines of `envs/export.toml` that would fix it,
    the table's header first, () where people must think."""

    table: TableName
    what: str
    fix: tuple[str, ...] = ()


def missing_rule(environment: str, table: Table, column: Column) -> Problem:
    """Return the problem of a column without a rule. One whose type is not known gets no suggestion."""
    kind = f" ({outside(column.type, 60)})" if column.type else ""
    lines = (table_header(environment, table.name), column_line(column.name, suggest_rule(table, column)))
    return Problem(table.name, f"`{outside(column.name)}`{kind} has no rule", lines if column.base else ())


def generated_rule(table: TableName, column: Column) -> Problem:
    """Return the problem of a rule for a column that is computed from others."""
    return Problem(table, f"`{outside(column.name)}` is generated and must have no rule")


def suggested_lines(problems: Iterable[Problem]) -> list[str]:
    """Return the lines that would fix problems: each table's header once, with its columns below it."""
    tables: dict[str, list[str]] = {}
    for one in problems:
        if one.fix:
            header, *columns = one.fix
            tables.setdefault(header, []).extend(columns)
    return [line for header, columns in tables.items() for line in (header, *dict.fromkeys(columns))]


def told(problems: tuple[Problem, ...]) -> str:
    """Return the problems as a text with one line each, and the lines of the file that would fix them."""
    lines = [f"`envs/export.toml` does not fit the database: {len(problems)} problems, and no row was read."]
    if len(problems) == 1:
        lines = ["`envs/export.toml` does not fit the database, and no row was read:"]
    lines += [f"- `{written(one.table)}`: {one.what}." for one in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"- and {len(problems) - SHOWN} more")
    if fixes := suggested_lines(problems[:SHOWN]):
        lines.append("Suggested lines, to be read before they are added:")
        lines += [f"    {line}" for line in fixes]
    return "\n".join(lines)
