"""Random schemas with rows, and their closure by brute force, in plain Python."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import groupby

from bot.domain.exports import Edge, ForeignKey, Root, TableName

Row = tuple[int | None, ...]
"""id, or id and part for a table with a composite key; then `code`, unique; then the values of its foreign keys."""


@dataclass
class Graph:
    """One schema. composite: tables with the key (id, part). columns: of every table. rows: by table and key."""

    schema: str
    composite: set[TableName] = field(default_factory=set)
    columns: dict[TableName, list[str]] = field(default_factory=dict)
    keys: list[ForeignKey] = field(default_factory=list)
    required: set[ForeignKey] = field(default_factory=set)
    rows: dict[TableName, dict[Row, dict[str, int | None]]] = field(default_factory=dict)

    def key_of(self, table: TableName) -> tuple[str, ...]:
        return ("id", "part") if table in self.composite else ("id",)


def random_graph(schema: str, chance: random.Random) -> Graph:
    """Up to six tables with up to nine foreign keys: cycles, self references, composite keys, unique columns, NOT NULL."""
    graph = Graph(schema)
    tables = [TableName(schema, f"t{n}") for n in range(chance.randint(2, 6))]
    graph.composite = {table for table in tables if chance.random() < 0.35}
    graph.columns = {table: [*graph.key_of(table), "code"] for table in tables}
    for n in range(chance.randint(2, 9)):
        child, parent = chance.choice(tables), chance.choice(tables)
        target = ("code",) if chance.random() < 0.25 else graph.key_of(parent)
        key = ForeignKey(child, tuple(f"f{n}_{one}" for one in target), parent, target, f"fk{n}")
        graph.keys.append(key)
        graph.columns[child] += key.columns
        if chance.random() < 0.3:
            graph.required.add(key)
    for table in tables:
        identities = [
            (n, n % 3) if table in graph.composite else (n,) for n in range(1, chance.randint(3, 25))
        ]
        graph.rows[table] = {
            key: dict(zip([*graph.key_of(table), "code"], [*key, 100 + key[0]], strict=True))
            for key in identities
        }
    for key in graph.keys:
        parents = list(graph.rows[key.parent].values())
        for row in graph.rows[key.child].values():
            chosen = chance.choice(parents)
            values: list[int | None] = [chosen[column] for column in key.parent_columns]
            if key not in graph.required and chance.random() < 0.4:
                values[chance.randrange(len(values))] = None
            row.update(zip(key.columns, values, strict=True))
    return graph


def statements(graph: Graph) -> str:
    """SQL that makes it. Keys are deferred, since rows may refer to each other in a ring."""
    lines = [f"CREATE SCHEMA {graph.schema};", "BEGIN;"]
    for table, columns in graph.columns.items():
        needed = {column for key in graph.required if key.child == table for column in key.columns}
        defined = [f"{column} int{' NOT NULL' if column in needed else ''}" for column in columns]
        lines.append(
            f"CREATE TABLE {table} ({', '.join(defined)}, PRIMARY KEY ({', '.join(graph.key_of(table))}), UNIQUE (code));"
        )
    lines += [
        f"ALTER TABLE {key.child} ADD FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {key.parent} "
        f"({', '.join(key.parent_columns)}) DEFERRABLE INITIALLY DEFERRED;"
        for key in graph.keys
    ]
    for table, rows in graph.rows.items():
        for row in rows.values():
            values = ", ".join(
                "NULL" if row[column] is None else str(row[column]) for column in graph.columns[table]
            )
            lines.append(f"INSERT INTO {table} VALUES ({values});")  # noqa: S608 - numbers
    return "\n".join([*lines, "COMMIT;"])


def brute_force(
    graph: Graph, roots: list[Root], chosen: dict[TableName, set[Row]], edges: list[Edge]
) -> dict[TableName, set[Row]]:
    """All rows that the roots' rows (`chosen`) lead to, by trying every rule until nothing changes."""
    included: dict[TableName, set[Row]] = {table: set(chosen.get(table, ())) for table in graph.columns}
    followed = {(edge.child, frozenset(edge.columns)): edge for edge in edges}
    before = -1
    while before != (before := sum(map(len, included.values()))):
        for key in graph.keys:
            edge = followed.get((key.child, frozenset(key.columns)))
            included[key.parent] |= _parents(graph, key, included[key.child])
            if edge:
                included[key.child] |= _children(graph, key, included[key.parent], edge.most)
            elif any(root.children for root in roots if root.table == key.parent):
                included[key.child] |= _children(graph, key, chosen[key.parent], 0)
    return included


def _parents(graph: Graph, key: ForeignKey, children: set[Row]) -> set[Row]:
    values = {tuple(graph.rows[key.child][one][column] for column in key.columns) for one in children}
    return {
        parent
        for parent, row in graph.rows[key.parent].items()
        if tuple(row[column] for column in key.parent_columns) in values
    }


def _children(graph: Graph, key: ForeignKey, parents: set[Row], most: int) -> set[Row]:
    values = {tuple(graph.rows[key.parent][one][column] for column in key.parent_columns) for one in parents}
    referring = [
        (reference, child)
        for child, row in graph.rows[key.child].items()
        if (reference := tuple(row[column] for column in key.columns)) in values
    ]
    found: set[Row] = set()
    for _, group in groupby(sorted(referring), key=lambda one: one[0]):
        found |= {child for _, child in list(group)[: most or None]}
    return found
