"""The schema that is read from a database with everything that PostgreSQL has in tables."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bot.domain.exports import Column, DatabaseSchema, ForeignKey, Table, UniqueKey
from bot.exports.source import inspect
from tests.integration.exports.source.support import job, made, named, policy, told

pytestmark = pytest.mark.postgres


def schema_of(url: str, statements: str = "") -> DatabaseSchema:
    made(url, statements or "SELECT")
    return inspect(job(url, policy()), told())


def table_of(url: str, statements: str) -> Table:
    found = schema_of(url, statements).table(named("t"))
    assert found is not None
    return found


def test_columns_have_their_types_below_domains(url: str) -> None:
    table = table_of(
        url,
        """
        CREATE SCHEMA other;
        CREATE TYPE other.mood AS ENUM ('good', 'bad');
        CREATE DOMAIN other.code AS varchar(5) NOT NULL CHECK (value <> '');
        CREATE DOMAIN shortcode AS other.code;
        CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, gone text, m other.mood, c shortcode, cs other.code[],
          v varchar(7), f char(3), n numeric(10, 2) CHECK (n > 0), doubled int GENERATED ALWAYS AS (length(v) * 2) STORED,
          "od""d" jsonb, r int4range, b bytea, at timestamptz NOT NULL);
        ALTER TABLE t DROP COLUMN gone;
        """,
    )
    assert table.columns == (
        Column("id", "integer", "integer", not_null=True, identity=True),
        Column("m", "other.mood", "other.mood"),
        Column("c", "public.shortcode", "character varying", not_null=True, length=5, constrained=True),
        Column("cs", "other.code[]", "character varying[]", constrained=True),
        Column("v", "character varying(7)", "character varying", length=7),
        Column("f", "character(3)", "character", length=3),
        Column("n", "numeric(10,2)", "numeric", constrained=True),
        Column("doubled", "integer", "integer", generated=True),
        Column('od"d', "jsonb", "jsonb"),
        Column("r", "int4range", "int4range"),
        Column("b", "bytea", "bytea"),
        Column("at", "timestamp with time zone", "timestamp with time zone", not_null=True),
    )


def test_virtual_generated_columns_are_generated(
    newest_postgres: object, request: pytest.FixtureRequest
) -> None:
    url = newest_postgres.create()  # type: ignore[attr-defined]
    column = table_of(url, "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL)").column("b")
    assert column is not None
    assert column.generated


def test_every_kind_of_unique_key(url: str) -> None:
    table = table_of(
        url,
        """
        CREATE TABLE t (id int PRIMARY KEY, a int, b int NOT NULL, c text, r int4range, UNIQUE (b, a), EXCLUDE USING gist (r WITH &&));
        CREATE UNIQUE INDEX t1 ON t (c) WHERE a > 0;
        CREATE UNIQUE INDEX t2 ON t (lower(c));
        CREATE UNIQUE INDEX t3 ON t (b) INCLUDE (a);
        """,
    )
    assert set(table.keys) == {
        UniqueKey(("id",), primary=True),
        UniqueKey(("b", "a")),
        UniqueKey(("c",), whole=False),
        UniqueKey(("b",)),
        UniqueKey(("r",), whole=False),
    }
    assert table.key == ("id",)


def test_partitions_are_part_of_their_root(url: str) -> None:
    schema = schema_of(
        url,
        """
        CREATE TABLE other (id int PRIMARY KEY);
        CREATE TABLE t (id int, at date, o int REFERENCES other, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (id);
        CREATE TABLE t11 PARTITION OF t1 FOR VALUES IN (1, 2);
        CREATE UNIQUE INDEX ON t11 (o);
        ALTER TABLE t11 ADD FOREIGN KEY (id) REFERENCES other;
        CREATE TABLE child (id int PRIMARY KEY, t int, at date, FOREIGN KEY (at, t) REFERENCES t (at, id));
        INSERT INTO other VALUES (1); INSERT INTO t VALUES (1, '2020-02-02', NULL); ANALYZE;
        """,
    )
    assert [(str(one.name), one.kind) for one in schema.tables] == [
        ("public.child", "table"),
        ("public.other", "table"),
        ("public.t", "partitioned"),
    ]
    table = schema.tables[2]
    assert (table.rows, table.bytes > 0) == (1, True)
    assert set(table.keys) == {UniqueKey(("id", "at"), primary=True), UniqueKey(("o",), whole=False)}
    assert {
        (key.child.name, key.columns, key.parent.name, key.parent_columns) for key in schema.foreign_keys
    } == {
        ("t", ("o",), "other", ("id",)),
        ("t", ("id",), "other", ("id",)),
        ("child", ("at", "t"), "t", ("at", "id")),
    }


def test_inheritance_children_are_tables_of_their_own(url: str) -> None:
    schema = schema_of(url, "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE child (x int) INHERITS (t)")
    child, table = schema.tables
    assert (child.kind, child.parent, child.key) == ("inherited", named("t"), ())
    assert (table.kind, table.parent) == ("table", None)


def test_foreign_keys_of_every_kind(url: str) -> None:
    schema = schema_of(
        url,
        """
        CREATE SCHEMA other;
        CREATE TABLE other.p (id int PRIMARY KEY, code text UNIQUE, UNIQUE (code, id));
        CREATE TABLE t (id int PRIMARY KEY, a int REFERENCES other.p DEFERRABLE INITIALLY DEFERRED, b text REFERENCES other.p (code),
          self int REFERENCES t, c text, d int, FOREIGN KEY (c, d) REFERENCES other.p (code, id));
        ALTER TABLE t ADD CONSTRAINT late FOREIGN KEY (d) REFERENCES other.p NOT VALID;
        """,
    )
    t, p = named("t"), named("p", "other")
    assert set(schema.foreign_keys) == {
        ForeignKey(t, ("a",), p, ("id",), "t_a_fkey"),
        ForeignKey(t, ("b",), p, ("code",), "t_b_fkey"),
        ForeignKey(t, ("self",), t, ("id",), "t_self_fkey"),
        ForeignKey(t, ("c", "d"), p, ("code", "id"), "t_c_d_fkey"),
        ForeignKey(t, ("d",), p, ("id",), "late"),
    }


def test_what_is_no_table_of_the_team_is_left_out(newest_postgres: object) -> None:
    url = newest_postgres.create()  # type: ignore[attr-defined]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE temporary (id int)")
        schema = schema_of(
            url,
            """
            CREATE EXTENSION postgres_fdw; CREATE EXTENSION citext;
            CREATE TABLE member (id int); ALTER EXTENSION citext ADD TABLE member;
            CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE f (id int) SERVER s;
            CREATE VIEW v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
            CREATE UNLOGGED TABLE t (id int);
            SELECT lo_create(0), lo_create(0);
            """,
        )
    assert [str(table.name) for table in schema.tables] == ["public.t"]
    assert schema.large_objects == 2
    assert schema.extensions == ("citext", "plpgsql", "postgres_fdw")
    assert schema.version // 10000 == 18


def test_the_digest_changes_with_what_an_export_depends_on(url: str) -> None:
    first = schema_of(
        url, "CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(3)); CREATE TABLE p (id int PRIMARY KEY)"
    ).digest
    assert (
        schema_of(url, "INSERT INTO t SELECT generate_series(1, 1000); ANALYZE; CREATE INDEX ON t (a)").digest
        == first
    )
    seen = {first}
    for change in (
        "ALTER TABLE t ALTER b TYPE varchar(4)",
        "ALTER TABLE t ALTER b SET NOT NULL",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p NOT VALID",
        "CREATE UNIQUE INDEX ON t (b)",
        "ALTER TABLE t ADD CHECK (b <> '')",
        "ALTER TABLE t ADD c int",
    ):
        if "b SET NOT NULL" in change:
            made(url, "DELETE FROM t")
        seen.add(schema_of(url, change).digest)
    assert len(seen) == 7


def test_hostile_names_are_read_as_they_are(url: str) -> None:
    schema = schema_of(
        url,
        """CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."t""; DROP TABLE x; --" ("%s" int PRIMARY KEY, "ü" int);""",
    )
    (table,) = schema.tables
    assert (table.name.schema, table.name.name, table.key) == ("a.b", 't"; DROP TABLE x; --', ("%s",))
    assert conninfo_to_dict(url)["dbname"]
