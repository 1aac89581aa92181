"""The closure of random foreign-key graphs is what brute force says."""

from __future__ import annotations

import random

import pytest

from bot.domain.exports import Edge, ExportPolicy, Root, TableName
from bot.exports.source import Source, select_rows
from tests.integration.exports.source.graphs import Graph, Row, brute_force, random_graph, statements
from tests.integration.exports.source.support import made, opened, policy, read, told

pytestmark = pytest.mark.postgres

GRAPHS = 60


def test_the_closure_of_random_graphs_is_what_brute_force_says(empty_postgres_url: str) -> None:
    chance = random.Random(20_26)
    graphs = [random_graph(f"g{n}", chance) for n in range(GRAPHS)]
    made(empty_postgres_url, "\n".join(map(statements, graphs)))

    with opened(empty_postgres_url, policy()) as source:
        for graph in graphs:
            roots, chosen = _roots(graph, chance)
            edges = [
                Edge(key.child, key.columns, chance.choice([0, 1, 2]))
                for key in graph.keys
                if chance.random() < 0.3
            ]
            rules = policy(*roots, edges=tuple(edges))
            assert _selected(source, graph, rules) == brute_force(graph, roots, chosen, edges), graph


def _roots(graph: Graph, chance: random.Random) -> tuple[list[Root], dict[TableName, set[Row]]]:
    """One or two roots, and the rows that each chooses; sometimes a whole table."""
    tables = chance.sample(list(graph.columns), k=min(2, len(graph.columns)))[: chance.randint(1, 2)]
    roots, chosen = [], {}
    for table in tables:
        rows = graph.rows[table]
        if chance.random() < 0.2:
            roots.append(Root(table, children=chance.random() < 0.5))
            chosen[table] = set(rows)
        else:
            last = chance.randint(0, 6)
            roots.append(Root(table, where=f"id <= {last}", children=chance.random() < 0.7))
            chosen[table] = {key for key in rows if key[0] is not None and key[0] <= last}
    return roots, chosen


def _selected(source: Source, graph: Graph, rules: ExportPolicy) -> dict[TableName, set[Row]]:
    selection = select_rows(source, rules, told())
    return {
        table: {
            tuple(int(str(value)) for value in row[: len(graph.key_of(table))])
            for row in read(source, selection, table)
        }
        for table in graph.columns
    }
