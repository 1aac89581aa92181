"""Read `envs/export.toml`. All problems are reported at once, each with its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from bot.domain.exports.file import (
    DataTable,
    EdgeTable,
    ExportTable,
    KeyTable,
    LimitsTable,
    RetentionTable,
    RootTable,
    TableRules,
)
from bot.domain.exports.names import parse_table, written
from bot.domain.exports.policy import (
    PATH,
    Edge,
    ExportPolicies,
    ExportPolicy,
    Limits,
    PreviewData,
    Retention,
    Root,
    TablePolicy,
    VirtualKey,
)
from bot.domain.exports.schema import TableName
from bot.domain.policy import Globs, Lines, Location, PolicyError, Problems, Table, Vocabulary, load_toml
from bot.domain.suggest import hint

LARGEST = 2 * 1024 * 1024
"""Bytes. A rule for each column of a thousand tables is less than a megabyte."""
MOST_EXPORTS = 20

_EXAMPLES = {
    "from": 'from = "prod"',
    "table": 'table = "public.customers"',
    "child": 'child = "public.orders"',
    "columns": 'columns = ["customer_id"]',
    "parent": 'parent = "public.customers"',
    "parent_columns": 'parent_columns = ["id"]',
    "export": 'export = "staging"',
    "stack": 'stack = "infra"',
    "output": 'output = "database_url"',
    "limits": "{ connections = 2 }",
    "keep": "{ count = 3 }",
    "roots": '{ table = "public.customers", percent = 5 }',
    "edges": '{ child = "public.orders", columns = ["customer_id"] }',
    "keys": '{ child = "public.events", columns = ["user_id"], parent = "public.users", parent_columns = ["id"] }',
    "tables": '[export.staging.tables."public.customers"]',
}
_TABLES: dict[str, type[Table]] = {
    "export": ExportTable,
    "data": DataTable,
    "roots": RootTable,
    "edges": EdgeTable,
    "keys": KeyTable,
    "limits": LimitsTable,
    "keep": RetentionTable,
}
_Named = Annotated[dict[str, dict[str, Any]], Field(max_length=MOST_EXPORTS)]


class _File(Table):
    migrations: Globs = ()
    export: _Named = Field(default_factory=dict)
    data: _Named = Field(default_factory=dict)


T = TypeVar("T", bound=BaseModel)


def _known(table: Location) -> list[str]:
    """Return the keys of the table at a path."""
    keys = [part for part in table if isinstance(part, str)]
    if not keys:
        return list(_File.model_fields)
    if len(keys) == 4 and keys[2] == "tables":
        kind: type[Table] = TableRules
    elif len(keys) > 4:
        return ["mask", "label", "within", "fixed"]
    else:
        kind = _TABLES.get(keys[0] if len(keys) == 2 else keys[-1], ExportTable)
    return [field.alias or name for name, field in kind.model_fields.items()]


WORDS = Vocabulary(examples=_EXAMPLES, named={"export": "staging", "data": "test"}, known=_known)


def parse_export_policies(
    text: str, source: str = PATH, environments: Collection[str] | None = None
) -> ExportPolicies:
    """Return the exports that a file declares. source: its name, for problems. environments: those of the main policy, which the
    file may name; None to accept any.

    Raises PolicyError, and nothing else, whatever the text is.
    """
    raw = load_toml(text, source, LARGEST)
    problems = Problems(source, Lines(text), WORDS)
    file = _read(problems, _File, (), raw)
    exports = {
        name: _export(problems, name, table)
        for name, raw_table in (file.export if file else _tables(raw, "export")).items()
        if (table := _read(problems, ExportTable, ("export", name), raw_table)) is not None
    }
    previews = {
        name: PreviewData(name, data.export, data.stack, data.output, data.tables)
        for name, raw_table in (file.data if file else _tables(raw, "data")).items()
        if (data := _read(problems, DataTable, ("data", name), raw_table)) is not None
    }
    _check_environments(problems, exports, previews, environments)
    if problems:
        raise PolicyError(problems.told())
    return ExportPolicies(exports, previews, file.migrations if file else (), source)


def _tables(raw: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
    """Return what can be read of a file whose top level is not valid, so that the problems of its tables are reported, too."""
    tables = raw.get(key)
    found = tables if isinstance(tables, dict) else {}
    return {name: table for name, table in list(found.items())[:MOST_EXPORTS] if isinstance(table, dict)}


def _read(problems: Problems, kind: type[T], path: tuple[str, ...], table: dict[str, Any]) -> T | None:
    """Validate a table; None if something in it is wrong, which is reported."""
    try:
        return TypeAdapter(kind).validate_python(table, by_alias=True, by_name=False)
    except ValidationError as error:
        problems.report(path, error.errors(include_url=False, include_input=False))
        return None


def _export(problems: Problems, name: str, table: ExportTable) -> ExportPolicy:
    tables: dict[TableName, TablePolicy] = {}
    for written_name, rules in table.tables.items():
        found = parse_table(written_name)
        where = ("export", name, "tables", written_name)
        if found is None:
            problems.add(
                where, f'`{written_name[:80]}` must be a table with its schema, such as "public.customers"'
            )
        elif found in tables:
            problems.add(where, f"`{written_name[:80]}` is there twice")
        else:
            tables[found] = TablePolicy(found, rules.rules, rules.rows, rules.most)
    roots = tuple(Root(one.table, one.where, one.percent, one.seed, one.children) for one in table.roots)
    edges = tuple(Edge(one.child, one.columns, one.most) for one in table.edges)
    keys = tuple(VirtualKey(one.child, one.columns, one.parent, one.parent_columns) for one in table.keys)
    for what, named in (
        ("roots", [one.table for one in roots]),
        ("edges", [one.child for one in edges]),
        ("keys", [table for one in keys for table in (one.child, one.parent)]),
    ):
        for one in named:
            if one not in tables:
                meant = hint(written(one), [written(known) for known in tables])
                problems.add(
                    ("export", name, what),
                    f"`{what}` names `{written(one)}`, which has no `[export.{name}.tables.…]`{meant}",
                )
    if not roots and not any(one.rows == "all" for one in tables.values()) and not problems:
        problems.add(("export", name), f"`[export.{name}]` selects no rows: add `[[export.{name}.roots]]`")
    limits, keep = table.limits, table.retention
    return ExportPolicy(
        environment=name,
        source=table.source,
        roots=roots,
        tables=tables,
        digest=_digest(table.source, roots, edges, keys, tables),
        edges=edges,
        keys=keys,
        schedule=table.schedule,
        time_zone=table.time_zone,
        limits=Limits(limits.connections, limits.statement, limits.total, limits.lag, limits.sessions),
        retention=Retention(keep.count, keep.age),
    )


def _digest(
    source: str,
    roots: tuple[Root, ...],
    edges: tuple[Edge, ...],
    keys: tuple[VirtualKey, ...],
    tables: dict[TableName, TablePolicy],
) -> str:
    """Return the sha256 of what decides which data leaves and how it is masked, in an order of its own."""
    facts = [
        source,
        [asdict(one) for one in roots],
        sorted(json.dumps(asdict(one), sort_keys=True) for one in edges),
        sorted(json.dumps(asdict(one), sort_keys=True) for one in keys),
        [asdict(tables[name]) for name in sorted(tables)],
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _check_environments(
    problems: Problems,
    exports: dict[str, ExportPolicy],
    previews: dict[str, PreviewData],
    environments: Collection[str] | None,
) -> None:
    for name, export in exports.items():
        if export.source == name:
            problems.add(("export", name, "from"), f"`[export.{name}]` cannot export from itself")
        for used, where in ((name, ("export", name)), (export.source, ("export", name, "from"))):
            if environments is not None and used not in environments:
                meant = hint(used, environments)
                problems.add(where, f"there is no environment `{used}` in `envs/environments.toml`{meant}")
    for name, data in previews.items():
        if environments is not None and name not in environments:
            meant = hint(name, environments)
            problems.add(
                ("data", name), f"there is no environment `{name}` in `envs/environments.toml`{meant}"
            )
        if data.export not in exports:
            problems.add(
                ("data", name, "export"), f"`[data.{name}]` names `{data.export}`, which has no `[export.…]`"
            )
