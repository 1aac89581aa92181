"""What a closure takes: roots, their children, everybody's parents; and what it refuses."""

from __future__ import annotations

import pytest

from bot.domain.exports import ColumnRule, Edge, Root, TablePolicy, VirtualKey
from bot.errors import UserError
from bot.exports.source import preview_of, select_rows
from tests.integration.exports.source.support import made, named, opened, policy, selected, told
from tests.postgres import Postgres

pytestmark = pytest.mark.postgres

SHOP = """
CREATE TABLE countries (id int PRIMARY KEY);
CREATE TABLE customers (id int PRIMARY KEY, country int REFERENCES countries);
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers);
CREATE TABLE items (id int PRIMARY KEY, "order" int REFERENCES orders);
CREATE TABLE events (at int, customer int);
INSERT INTO countries SELECT generate_series(1, 5);
INSERT INTO customers SELECT n, n % 5 + 1 FROM generate_series(1, 20) n;
INSERT INTO orders SELECT n, n % 20 + 1 FROM generate_series(1, 60) n;
INSERT INTO items SELECT n, n % 60 + 1 FROM generate_series(1, 120) n;
INSERT INTO events SELECT n, 99 + n % 2 FROM generate_series(1, 3) n;
"""


def counts(url: str, *arguments: object, **options: object) -> dict[str, int]:
    found = selected(url, policy(*arguments, **options))  # type: ignore[arg-type]
    return {name.removeprefix("public."): len(rows) for name, rows in found.items()}


def test_roots_bring_their_children_and_every_row_its_parents(empty_postgres_url: str) -> None:
    made(empty_postgres_url, SHOP)
    root = Root(named("customers"), where="id <= 2")
    items = Edge(named("items"), ("order",))
    assert counts(empty_postgres_url, root) == {"countries": 2, "customers": 2, "orders": 6}
    assert counts(empty_postgres_url, root, edges=(items,)) == {
        "countries": 2,
        "customers": 2,
        "orders": 6,
        "items": 12,
    }
    capped = (Edge(named("orders"), ("customer",), most=1), items)
    assert counts(empty_postgres_url, root, edges=capped) == {
        "countries": 2,
        "customers": 2,
        "orders": 2,
        "items": 4,
    }
    alone = Root(named("customers"), where="id <= 2", children=False)
    assert counts(empty_postgres_url, alone) == {"countries": 2, "customers": 2}
    assert counts(empty_postgres_url, Root(named("items"), where="id = 1")) == {
        "countries": 1,
        "customers": 1,
        "orders": 1,
        "items": 1,
    }


def test_tables_go_whole_or_not_at_all(empty_postgres_url: str) -> None:
    made(empty_postgres_url, SHOP)
    root = Root(named("customers"), where="id <= 2")
    whole = TablePolicy(named("orders"), {}, rows="all")
    assert counts(empty_postgres_url, root, tables=(whole,)) == {
        "countries": 5,
        "customers": 20,
        "orders": 60,
    }
    events = TablePolicy(named("events"), {}, rows="all")
    assert counts(empty_postgres_url, root, tables=(events,))["events"] == 3
    none = TablePolicy(named("orders"), {}, rows="none")
    assert counts(empty_postgres_url, root, tables=(none,)) == {"countries": 2, "customers": 2}


def test_a_reference_into_an_empty_table_is_refused_unless_it_is_cleared(empty_postgres_url: str) -> None:
    made(empty_postgres_url, SHOP)
    root = Root(named("customers"), where="id <= 2")
    none = TablePolicy(named("countries"), {}, rows="none")
    with pytest.raises(
        UserError, match=r"Rows of public.customers refer through country to public.countries"
    ):
        counts(empty_postgres_url, root, tables=(none,))
    cleared = TablePolicy(named("customers"), {"country": ColumnRule("null")})
    assert counts(empty_postgres_url, root, tables=(none, cleared)) == {"customers": 2, "orders": 6}


def test_a_long_chain_takes_few_queries(empty_postgres_url: str) -> None:
    made(
        empty_postgres_url,
        """CREATE TABLE versions (id int PRIMARY KEY, previous int REFERENCES versions);
        INSERT INTO versions SELECT n, nullif(n - 1, 0) FROM generate_series(1, 20000) n;""",
    )
    root = Root(named("versions"), where="id = 10000", children=False)
    with opened(empty_postgres_url, policy(root)) as source:
        before = source.lent
        assert select_rows(source, policy(root), told()).rows == 10_000
        assert source.lent - before < 10


def test_percentages_choose_the_same_rows_in_every_run(url: str) -> None:
    made(
        url,
        """CREATE TABLE n (id int PRIMARY KEY); INSERT INTO n SELECT generate_series(1, 4000);
        CREATE TABLE c (a text, b date, PRIMARY KEY (a, b)); INSERT INTO c SELECT 'k' || n, '2026-01-01' FROM generate_series(1, 4000) n;""",
    )

    def rows(seed: str, percent: float) -> dict[str, set[tuple[str | None, ...]]]:
        return selected(url, policy(*(Root(named(name), percent=percent, seed=seed) for name in ("n", "c"))))

    first, larger, other = rows("2026", 5), rows("2026", 10), rows("2027", 5)
    for table in ("public.n", "public.c"):
        assert 130 < len(first[table]) < 270
        assert first[table] < larger[table]
        assert first[table] != other[table]
    assert rows("2026", 5) == first
    made(url, "DELETE FROM n WHERE id % 2 = 0")
    assert rows("2026", 5)["public.n"] == {row for row in first["public.n"] if int(str(row[0])) % 2}


def test_virtual_keys_lead_to_parents_that_exist(empty_postgres_url: str) -> None:
    made(empty_postgres_url, SHOP + "UPDATE events SET customer = 7 WHERE at = 1")  # noqa: S608 - our own SQL
    key = VirtualKey(named("events"), ("customer",), named("customers"), ("id",))
    events = TablePolicy(named("events"), {}, rows="all")
    assert counts(empty_postgres_url, tables=(events,), keys=(key,)) == {
        "events": 3,
        "customers": 1,
        "countries": 1,
    }


def test_what_cannot_be_selected_is_refused_before_a_row_is_read(empty_postgres_url: str) -> None:
    made(empty_postgres_url, SHOP)
    key = VirtualKey(named("events"), ("customer",), named("customers"), ("id",))
    root = Root(named("customers"), where="id <= 2")
    for arguments, said in (
        ({"keys": (key,)}, "public.events has no primary key .* public.customers leads to"),
        ({"edges": (Edge(named("items"), ("id",)),)}, "No foreign key of public.items has the columns id"),
        (
            {"keys": (VirtualKey(named("events"), ("x",), named("items"), ("id",)),)},
            "public.events has no column x",
        ),
        ({"tables": (TablePolicy(named("customers"), {}, rows="none"),)}, "public.customers is a root"),
        ({"tables": (TablePolicy(named("orders"), {}, most=5),)}, "More than 5 rows of public.orders"),
    ):
        with pytest.raises(UserError, match=said):
            counts(empty_postgres_url, root, **arguments)
    with pytest.raises(UserError, match=r"The source has no table public.nothing"):
        counts(empty_postgres_url, Root(named("nothing")))
    with pytest.raises(UserError, match=r"public.events has no primary key"):
        counts(empty_postgres_url, Root(named("events"), percent=5))


def test_partitions_inheritance_and_odd_keys(url: str) -> None:
    made(
        url,
        r"""
        CREATE TABLE p (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
        CREATE TABLE p2 PARTITION OF p DEFAULT;
        INSERT INTO p VALUES (1, '2020-05-05'), (2, '2025-05-05'), (3, '2025-05-05');
        CREATE TABLE base (id int PRIMARY KEY); CREATE TABLE child (x int) INHERITS (base);
        INSERT INTO base VALUES (1); INSERT INTO child VALUES (1, 1), (2, 2);
        CREATE TABLE "odd ""key"" x" ("a\b" text, c char(3), f bit(3), n numeric, at timestamptz, m money[],
          PRIMARY KEY ("a\b", c, f, n, at));
        INSERT INTO "odd ""key"" x" VALUES (E'a\\"b,{}\'\n', 'x', '101', 1.50, '2020-01-01 00:00:00.123456+03'), ('NULL', '', '000', 0, 'infinity');
        CREATE TABLE t (id int PRIMARY KEY, p int, at date, b int REFERENCES base, FOREIGN KEY (p, at) REFERENCES p,
          a text, c char(3), f bit(3), n numeric, z timestamptz, FOREIGN KEY (a, c, f, n, z) REFERENCES "odd ""key"" x");
        INSERT INTO t SELECT 1, 1, '2020-05-05', 1, o."a\b", o.c, o.f, o.n, o.at FROM "odd ""key"" x" o WHERE n > 1;
        INSERT INTO t VALUES (2, 2, '2025-05-05', NULL, 'NULL', '', '000', 0.0, NULL);
        """,
    )
    found = selected(url, policy(Root(named("t"), where="id < 10")))
    assert found["public.p"] == {("1", "2020-05-05"), ("2", "2025-05-05")}
    assert found["public.base"] == {("1",)}
    assert "public.child" not in found
    assert [row[:3] for row in found['public.odd "key" x']] == [("a\\\"b,{}'\n", "x  ", "101")]


def test_keys_of_an_extension_type_are_equal_as_the_database_says(newest_postgres: Postgres) -> None:
    url = newest_postgres.create()
    made(
        url,
        """CREATE EXTENSION citext; CREATE TABLE p (id citext PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, p citext REFERENCES p);
        INSERT INTO p VALUES ('Ann'), ('bob'); INSERT INTO t VALUES (1, 'aNN'), (2, 'ann');""",
    )
    assert selected(url, policy(Root(named("t"), where="id = 1")))["public.p"] == {("Ann",)}
    assert len(selected(url, policy(Root(named("p"), where="true")))["public.t"]) == 2


def test_a_preview_counts_exactly_and_names_what_is_left_out(newest_postgres: Postgres) -> None:
    url = newest_postgres.create()
    made(
        url,
        SHOP
        + """SELECT lo_create(0); CREATE MATERIALIZED VIEW totals AS SELECT 1 AS a; CREATE UNLOGGED TABLE cache (id int);
        ALTER TABLE items ADD CONSTRAINT late FOREIGN KEY (id) REFERENCES items NOT VALID;""",
    )
    rules = policy(
        Root(named("customers"), where="id <= 2"),
        tables=(
            TablePolicy(
                named("customers"), {"id": ColumnRule("keep"), "country": ColumnRule("mask", mask="digest")}
            ),
            TablePolicy(named("orders"), {"customer": ColumnRule("fixed", fixed=1)}),
        ),
    )
    with opened(url, rules) as source:
        seen = preview_of(source, rules, select_rows(source, rules, told()))
        assert preview_of(source, rules, select_rows(source, rules, told())) == seen
        assert select_rows(source, rules, told()).rows == seen.rows == 10
    tables = {one.table.name: one for one in seen.tables}
    assert (tables["customers"].rows, tables["customers"].masked, tables["customers"].why) == (
        2,
        ("country",),
        "root",
    )
    assert (tables["orders"].cleared, tables["orders"].why) == (("customer",), "children of public.customers")
    assert (tables["countries"].rows, tables["countries"].total, tables["countries"].why) == (2, 5, "parents")
    assert 0 < tables["customers"].bytes < 8192
    assert seen.notes == (
        "Materialized views are refreshed from the exported rows: public.totals.",
        "Unlogged tables are exported like others: public.cache.",
        "Foreign keys that are NOT VALID may have rows without a parent: public.items.late.",
        "1 large object is not exported; columns that refer to it keep its number.",
        "These tables stay empty: public.cache, public.events, public.items.",
    )
    assert (seen.schema_digest, seen.policy_digest) == (source.schema.digest, "digest")
