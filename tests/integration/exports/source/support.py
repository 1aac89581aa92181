"""What tests of the source share: a job for a database, tables by name, rows of a selection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import make_url

from bot.domain.exports import (
    Edge,
    ExportPhase,
    ExportPolicy,
    Limits,
    Progress,
    Root,
    TableName,
    TablePolicy,
    VirtualKey,
)
from bot.domain.ports.exports import ExportControl, ExportJob, ExportSecrets
from bot.exports.source import Selection, Source, open_source, select_rows


def told(seen: list[Progress] | None = None, cancelled: list[bool] | None = None) -> ExportControl:
    """A control that keeps what it is told; `cancelled` is true once it has an element."""

    def progress(_: ExportPhase, progress: Progress) -> None:
        if seen is not None:
            seen.append(progress)

    return ExportControl(progress, lambda: bool(cancelled))


def named(name: str, schema: str = "public") -> TableName:
    return TableName(schema, name)


def policy(
    *roots: Root,
    tables: tuple[TablePolicy, ...] = (),
    edges: tuple[Edge, ...] = (),
    keys: tuple[VirtualKey, ...] = (),
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> ExportPolicy:
    return ExportPolicy(
        "staging",
        "prod",
        roots,
        {one.name: one for one in tables},
        "digest",
        edges=edges,
        keys=keys,
        limits=limits,
    )


def job(url: str, policy: ExportPolicy, replica: str = "") -> ExportJob:
    secrets = ExportSecrets(source=url, replica=replica)
    return ExportJob("e1", "acme/shop", "staging", policy, secrets)


def made(url: str, statements: str) -> None:
    """Run statements in the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


@contextmanager
def opened(url: str, policy: ExportPolicy) -> Iterator[Source]:
    with open_source(job(url, policy), told()) as source:
        yield source


def selected(url: str, policy: ExportPolicy) -> dict[str, set[tuple[str | None, ...]]]:
    """The rows that the policy leads to: by table all columns as text; tables without any are left out."""
    with opened(url, policy) as source:
        selection = select_rows(source, policy, told())
        return {
            str(one.table.name): rows
            for one in selection.tables
            if (rows := read(source, selection, one.table.name))
        }


def read(source: Source, selection: Selection, name: TableName) -> set[tuple[str | None, ...]]:
    """A table's rows as they would be exported; fails if a row comes twice or the count is not exact."""
    one = next((each for each in selection.tables if each.table.name == name), None)
    assert one is not None
    columns = [column.name for column in one.table.columns if not column.generated]
    rows: list[tuple[str | None, ...]] = []
    for query in one.copies(columns, 7):
        with source.connection() as connection, connection.cursor().copy(query) as copy:
            rows += copy.rows()
    assert len(rows) == one.rows
    assert len(rows) == len(set(rows)) or not one.table.key
    return set(rows)


def with_user(url: str, user: str, password: str) -> str:
    return make_url(url).set(username=user, password=password).render_as_string(hide_password=False)
