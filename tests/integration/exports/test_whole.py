"""A whole export with real Postgres: from the snapshot to the swap and back."""

from __future__ import annotations

import psycopg
import pytest

from bot.domain.exports import Manifest, Preview
from bot.domain.ports.exports import ExportJob
from bot.errors import UserError
from bot.exports import extraction, source, target
from bot.exports.files import Files
from tests.integration.exports.conftest import CONTROL, another

pytestmark = pytest.mark.postgres


def extracted(job: ExportJob, files: Files) -> tuple[Preview, Manifest]:
    with source.open_source(job, CONTROL) as opened:
        preview = source.preview(opened, job.policy, CONTROL)
    with source.open_source(job, CONTROL) as opened:
        return preview, extraction.extract(job, preview, opened, files, CONTROL)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]


def test_from_snapshot_to_swap_and_back(job: ExportJob, files: Files) -> None:
    preview, manifest = extracted(job, files)
    assert {str(one.table): one.rows for one in preview.tables} == {
        str(one.table): one.rows for one in manifest.tables
    }
    target.load(job, manifest, files, CONTROL)
    live = job.secrets.target
    assert rows(live, "SELECT count(*) FROM before") == [(1,)]

    previous = target.swap(job, manifest, CONTROL)
    assert previous.endswith("_prev")
    assert rows(live, "SELECT count(*) FROM crm.customers") == [(81,)]
    assert rows(
        live, "SELECT count(*) FROM crm.customers WHERE email LIKE '%acme%' OR name LIKE 'Ann Number%'"
    ) == [(0,)]
    assert rows(live, "SELECT count(DISTINCT email) FROM crm.customers WHERE shout = upper(name)") == [(81,)]
    assert rows(live, "SELECT count(*) FROM items WHERE what = E'tab\\there \\\\. and\\nnew\\rline'") == [
        (120,)
    ]
    assert rows(live, "SELECT count(*) FROM visits_2025"), "partitions"
    assert rows(live, "SELECT count(*) FROM left_out") == [(0,)]
    assert rows(live, "SELECT sum FROM grand") == rows(live, "SELECT sum(total) FROM orders")
    assert rows(live, "SELECT obj_description('orders'::regclass)") == [("what people bought; it's good",)]
    assert rows(live, "SELECT count(*) FROM pg_trigger WHERE tgname = 'no_mail'") == [(1,)]
    with psycopg.connect(live, autocommit=True) as connection:
        assert connection.execute(
            "INSERT INTO crm.customers (email) VALUES ('new') RETURNING id"
        ).fetchone() == (401,)

    assert target.roll_back(another(job, "r1"), CONTROL) == ""
    assert rows(live, "SELECT count(*) FROM before") == [(1,)]
    assert target.roll_back(another(job, "r1"), CONTROL) == "", "a repeated rollback does not swap again"
    assert rows(live, "SELECT count(*) FROM before") == [(1,)]
    assert target.roll_back(another(job, "r2"), CONTROL) == "e1"
    assert rows(live, "SELECT count(*) FROM crm.customers") == [(82,)]


def test_a_repeated_extraction_is_the_one_that_is_there(job: ExportJob, files: Files) -> None:
    preview, manifest = extracted(job, files)
    with source.open_source(job, CONTROL) as opened:
        assert extraction.extract(job, preview, opened, files, CONTROL) == manifest


def test_a_repeated_swap_does_nothing(job: ExportJob, files: Files) -> None:
    _, manifest = extracted(job, files)
    target.load(job, manifest, files, CONTROL)
    previous = target.swap(job, manifest, CONTROL)
    target.load(job, manifest, files, CONTROL)
    assert target.swap(job, manifest, CONTROL) == previous
    assert rows(job.secrets.target, "SELECT count(*) FROM crm.customers") == [(81,)]


def test_never_writes_without_the_marker(job: ExportJob, files: Files) -> None:
    _, manifest = extracted(job, files)
    with psycopg.connect(job.secrets.target, autocommit=True) as connection:
        connection.execute("DROP SCHEMA towpath CASCADE")
    with pytest.raises(UserError, match="has no marker"):
        target.load(job, manifest, files, CONTROL)
