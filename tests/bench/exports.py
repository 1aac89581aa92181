"""Exports: rows a second that one core masks, from the source's COPY to sealed files."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bot.domain.exports import (
    ColumnRule,
    ExportPolicy,
    Limits,
    Manifest,
    Preview,
    Root,
    TableName,
    TablePolicy,
)
from bot.domain.ports.exports import ExportControl, ExportJob, ExportSecrets
from bot.exports import extraction, source
from bot.exports.files import Location, open_files
from tests.bench.report import Figure

ROWS = 1_000_000
KEY = "k" * 40
TARGET = 150_000
"""Rows per second of processor time, four of ten columns masked."""
CONTROL = ExportControl(lambda _phase, _progress: None, lambda: False)
PEOPLE = TableName("public", "people")

MADE = """
CREATE TABLE people (id bigint PRIMARY KEY, email text NOT NULL, full_name text, phone text, born date, city text,
    balance numeric(12, 2), active boolean NOT NULL, note text, created_at timestamptz NOT NULL);
INSERT INTO people SELECT i, 'person' || i || '@acme.example', 'Ann Number' || i % 20000, '+4930' || i, '1950-01-01'::date + i % 20000,
    'City ' || i % 300, i % 100000 / 7.0, i % 3 = 0, repeat('kept text ', 3), '2020-01-01'::timestamptz + i * interval '1 s'
    FROM generate_series(1, ROWS) i;
ANALYZE people;
"""
MASKED = {
    "email": ColumnRule("mask", "email"),
    "full_name": ColumnRule("mask", "name"),
    "phone": ColumnRule("mask", "phone"),
    "born": ColumnRule("mask", "date_shift", within=180),
}
KEPT = ("id", "city", "balance", "active", "note", "created_at")


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """A table of ten columns, once as it is and once with four masked ones."""
    if database != "postgres":
        return []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(MADE.replace("ROWS", str(ROWS)))
    copied, copying = copy(url)
    kept, _ = extract(directory / "kept", url, {name: ColumnRule("keep") for name in (*KEPT, *MASKED)})
    masked, manifest = extract(
        directory / "masked", url, {name: ColumnRule("keep") for name in KEPT} | MASKED
    )
    rate = ROWS / masked
    detail = (
        f"{rate / 1000:.0f} krows/s of CPU masked, {ROWS / kept / 1000:.0f} kept, {ROWS / copied / 1000:.0f} by a bare COPY "
        f"({ROWS / copying / 1000:.0f} by the clock); {manifest.bytes / 1e6:.0f} MB sealed"
    )
    return [
        Figure("exports, CPU beside a COPY", database, masked / copied, 12, "x", detail),
        Figure("exports, µs of CPU for a row", database, masked / ROWS * 1e6, 1e6 / TARGET, "µs"),
    ]


def copy(url: str) -> tuple[float, float]:
    """Seconds of processor time, and by the clock, of reading the table without looking at it."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cpu, clock = time.process_time(), time.perf_counter()
        with cursor.copy("COPY people TO STDOUT") as rows:
            for _ in rows:
                pass
        return time.process_time() - cpu, time.perf_counter() - clock


def extract(directory: Path, url: str, rules: dict[str, ColumnRule]) -> tuple[float, Manifest]:
    """Seconds of processor time of an extraction, all threads together, without the schema's dump."""
    policy = ExportPolicy(
        "staging",
        "prod",
        (Root(PEOPLE),),
        {PEOPLE: TablePolicy(PEOPLE, rules, rows="all")},
        "bench",
        limits=Limits(connections=1),
    )
    job = ExportJob(
        "e1", "acme/infra", "staging", policy, ExportSecrets(source=url, masking_key=KEY, sealing_key=KEY)
    )
    with source.open_source(job, CONTROL) as opened:
        preview = Preview((), opened.schema.digest, policy.digest, datetime.now(UTC))
        files = open_files(Location(directory=str(directory)), KEY)
        begun = time.process_time()
        manifest = extraction.extract(job, preview, opened, files, CONTROL)
        return time.process_time() - begun, manifest
