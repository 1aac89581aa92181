"""Databases for tests of exports: a source full of oddities and a marked target on one server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from bot.domain.exports import ColumnRule, Edge, ExportPolicy, Root, TableName, TablePolicy
from bot.domain.ports.exports import ExportControl, ExportJob, ExportSecrets
from bot.exports.files import Files, Location, open_files
from bot.exports.target import mark
from tests.postgres import Postgres

KEEP = ColumnRule("keep")
CONTROL = ExportControl(lambda _phase, _progress: None, lambda: False)
KEY = "k" * 40

SOURCE = """
CREATE SCHEMA crm;
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN postcode AS text CHECK (VALUE ~ '^[0-9]{5}$');
CREATE TABLE crm.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text,
    code postcode,
    mood mood DEFAULT 'happy',
    tags text[],
    data jsonb,
    photo bytea,
    born date,
    referred_by bigint REFERENCES crm.customers DEFERRABLE INITIALLY DEFERRED,
    shout text GENERATED ALWAYS AS (upper(name)) STORED
);
CREATE TABLE orders (
    customer bigint NOT NULL REFERENCES crm.customers,
    number integer NOT NULL,
    placed timestamptz NOT NULL DEFAULT now(),
    total numeric(10, 2),
    PRIMARY KEY (customer, number)
);
CREATE TABLE items (
    id serial PRIMARY KEY,
    customer bigint NOT NULL,
    number integer NOT NULL,
    what text,
    FOREIGN KEY (customer, number) REFERENCES orders
);
CREATE TABLE visits (at date NOT NULL, customer bigint REFERENCES crm.customers, id bigint, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE "we.ird ""table" ("sel\nect" integer PRIMARY KEY, "a'b" text);
CREATE TABLE left_out (id integer PRIMARY KEY, secret text);
CREATE VIEW happy AS SELECT * FROM crm.customers WHERE mood = 'happy';
CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
CREATE MATERIALIZED VIEW grand AS SELECT sum(total) FROM totals;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no mail to anybody'; END $$;
CREATE TRIGGER no_mail BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.number > 1000) EXECUTE FUNCTION touch();
CREATE INDEX items_what ON items (lower(what));
COMMENT ON TABLE orders IS 'what people bought; it''s good';
INSERT INTO crm.customers (email, name, code, tags, data, photo, born, referred_by)
    SELECT 'p' || i || '@acme.com', 'Ann Number ' || i, '12345', ARRAY['a', 'b"c'], '{"a": 1}', '\\xdead', '1980-01-01'::date + i, nullif(i / 2, 0)
    FROM generate_series(1, 400) i;
INSERT INTO orders (customer, number, total) SELECT c, n, c * n + 0.5 FROM generate_series(1, 400) c, generate_series(1, 3) n;
INSERT INTO items (customer, number, what) SELECT customer, number, E'tab\\there \\\\. and\\nnew\\rline' FROM orders;
INSERT INTO visits SELECT '2025-06-01'::date + i, i, i FROM generate_series(1, 400) i;
INSERT INTO "we.ird ""table" VALUES (1, 'x');
INSERT INTO left_out VALUES (1, 'never leaves');
"""


def policy() -> ExportPolicy:
    masks = {name: ColumnRule("mask", name) for name in ("email", "name", "date_shift")}  # type: ignore[arg-type]
    tables = [
        TablePolicy(
            TableName("crm", "customers"),
            {
                **dict.fromkeys(["id", "code", "mood", "tags", "referred_by"], KEEP),
                "email": masks["email"],
                "name": masks["name"],
                "born": masks["date_shift"],
                "data": ColumnRule("null"),
                "photo": ColumnRule("null"),
            },
        ),
        TablePolicy(
            TableName("public", "orders"), dict.fromkeys(["customer", "number", "placed", "total"], KEEP)
        ),
        TablePolicy(TableName("public", "items"), dict.fromkeys(["id", "customer", "number", "what"], KEEP)),
        TablePolicy(TableName("public", "visits"), dict.fromkeys(["at", "customer", "id"], KEEP)),
        TablePolicy(
            TableName("public", 'we.ird "table'), dict.fromkeys(["sel\nect", "a'b"], KEEP), rows="all"
        ),
        TablePolicy(TableName("public", "left_out"), {}, rows="none"),
    ]
    root = Root(TableName("crm", "customers"), where="id <= 40")
    edge = Edge(TableName("public", "items"), ("customer", "number"))
    return ExportPolicy("staging", "prod", (root,), {one.name: one for one in tables}, "policy-1", (edge,))


@pytest.fixture
def job(postgres: Postgres) -> Iterator[ExportJob]:
    """An export from a source full of oddities to a marked database that has other data."""
    source, target = postgres.create(), postgres.create()
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute(SOURCE)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute("CREATE TABLE before (id integer); INSERT INTO before VALUES (1)")
    mark(target, "acme/infra", "staging")
    secrets = ExportSecrets(source=source, target=target, masking_key=KEY, sealing_key=KEY)
    yield ExportJob("e1", "acme/infra", "staging", policy(), secrets)
    for name in ("_next", "_prev", ""):
        postgres.drop(f"{target}{name}")
    postgres.drop(source)


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return Location(directory=str(tmp_path / "files"))


@pytest.fixture
def files(location: Location) -> Files:
    return open_files(location, KEY)


def another(job: ExportJob, export: str) -> ExportJob:
    return replace(job, export=export)
