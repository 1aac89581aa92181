from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.exports import (
    MigrationFile,
    TableName,
    check_migrations,
    parse_export_policies,
    read_migrations,
)
from tests.unit.domain.exports.schemas import HEAD, PEOPLE, policy

WORDS = [
    "create",
    "alter",
    "table",
    "t",
    "add",
    "column",
    "drop",
    "rename",
    "to",
    "a",
    "b",
    "(",
    ")",
    ",",
    ";",
    "'",
    '"',
    "$$",
    "text",
    "int",
    "--",
    "/*",
    "as",
    "select",
    "into",
    "do",
]


def added(*texts: str) -> list[str]:
    files = tuple(MigrationFile(f"{number}.sql", text) for number, text in enumerate(texts))
    return [f"{one.table}.{one.column.name if one.column else '*'}" for one in read_migrations(files).added]


def unread(text: str) -> list[int]:
    return [one.line for one in read_migrations((MigrationFile("1.sql", text),)).unread]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("create table t (id bigint primary key, constraint c check (id > 1))", ["public.t.id"]),
        ("create unlogged table if not exists app.t (id int)", ["app.t.id"]),
        (
            "alter table only t add column a text, add b int default 3, drop column c",
            ["public.t.a", "public.t.b"],
        ),
        ('ALTER TABLE IF EXISTS "App"."T" ADD "X" text', ["App.T.X"]),
        ("alter table t rename column a to b", ["public.t.b"]),
        ("alter table t rename a to b", ["public.t.b"]),
        ("alter table t rename to u", ["public.u.*"]),
        ("set search_path = app, public; alter table t add a int", ["app.t.a"]),
        ("begin; alter table t add x int; commit;", ["public.t.x"]),
        ("alter table t add a int -- ; not the end\n, add b text", ["public.t.a", "public.t.b"]),
        ("alter table t add a text; alter table t drop column a", []),
        ("create table t (id int); drop table t", []),
        ("create table p partition of t for values from (1) to (2)", []),
        ("create temp table t (id int)", []),
        ("create index concurrently i on t (a); insert into t values ('alter table t add z int')", []),
        ("alter table t attach partition p for values from (1) to (2)", []),
        ("alter table t add constraint c unique (a), alter column a type int", []),
        ("\\set x 1\nalter table t add a int", ["public.t.a"]),
    ],
)
def test_what_a_migration_adds(text: str, columns: list[str]) -> None:
    assert added(text) == columns
    assert unread(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "create table t as select 1 as a",
        "create table t (like other including all)",
        "create table t of some_type",
        "select * into t from other",
        "do $$ begin execute 'alter table t add a int'; end $$",
        "alter table t set schema app",
        "alter table t add x",
        "alter table t add x int, inherit y",
        "alter table t add 'x",
    ],
)
def test_what_cannot_be_read_is_said(text: str) -> None:
    assert added(text) == []
    assert unread(f"select 1;\n{text};" if "'x" not in text else text)[-1:] in ([1], [2])


def test_files_are_read_in_the_order_of_their_names() -> None:
    assert added("create table t (a int)", "alter table t rename column a to b") == ["public.t.b"]


def test_what_the_base_has_already_is_not_new() -> None:
    before = "alter table t add a text; create table u as select 1;"
    files = (MigrationFile("1.sql", before + "alter table t add b text;", before),)
    found = read_migrations(files)
    assert [one.column.name for one in found.added if one.column] == ["b"]
    assert found.unread == ()


def test_columns_without_a_rule_come_with_a_suggestion() -> None:
    found = read_migrations(
        (
            MigrationFile(
                "1.sql",
                "alter table people add column email varchar(100) not null, add phone text, add n int generated always as "
                "(id + 1) stored; create table visits (ip inet, at timestamptz)",
            ),
        )
    )
    problems = check_migrations(policy('id = "keep"\nphone = "null"'), found)
    assert [one.what for one in problems if one.table == PEOPLE] == ["`email` (varchar(100)) has no rule"]
    assert problems[0].fix == (
        '[export.staging.tables."public.people".columns]',
        'email = { mask = "email" }',
    )
    assert [one.table for one in problems[1:]] == [TableName("public", "visits")] * 2


def test_a_table_that_stays_empty_needs_no_rules() -> None:
    text = f'{HEAD}[export.staging.tables."public.people"]\nrows = "none"\n'.replace(
        'table = "public.people"', 'table = "public.other"'
    )
    text += '[export.staging.tables."public.other".columns]\nid = "keep"\n'
    export = parse_export_policies(text).exports["staging"]
    found = read_migrations((MigrationFile("1.sql", "alter table people add a text"),))
    assert check_migrations(export, found) == ()


def test_a_renamed_table_needs_its_rules_under_the_new_name() -> None:
    found = read_migrations((MigrationFile("1.sql", "alter table people rename to persons"),))
    (problem,) = check_migrations(policy('id = "keep"'), found)
    assert problem.table == TableName("public", "persons")
    assert "was renamed" in problem.what


def test_names_from_a_pull_request_have_no_markup() -> None:
    found = read_migrations(
        (MigrationFile("1.sql", 'alter table people add "a` [x](https://e.example)" text'),)
    )
    (problem,) = check_migrations(policy('id = "keep"'), found)
    assert problem.what.count("`") == 2
    assert "](" not in problem.what


@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_reported(text: str) -> None:
    read_migrations((MigrationFile("1.sql", text),))
