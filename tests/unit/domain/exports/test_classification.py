from __future__ import annotations

import pytest

from bot.domain.exports import (
    DatabaseSchema,
    ExportPolicy,
    ForeignKey,
    check_policy,
    first_policy,
    parse_export_policies,
    suggested_lines,
)
from tests.unit.domain.exports.schemas import ORDERS, PEOPLE, column, policy, schema, table

ID = column("id", "bigint", not_null=True)
FK = ForeignKey(ORDERS, ("person",), PEOPLE, ("id",), "orders_person_fkey")


def told(one: ExportPolicy, database: DatabaseSchema) -> list[str]:
    return [problem.what for problem in check_policy(one, database)]


def test_a_policy_that_speaks_for_every_column_fits() -> None:
    people = table(PEOPLE, ID, column("email"), column("age", "integer", generated=True), unique="email")
    assert told(policy('id = "keep"\nemail = { mask = "email" }'), schema(people)) == []


def test_an_unclassified_column_comes_with_the_line_to_add() -> None:
    (problem,) = check_policy(policy('id = "keep"'), schema(table(PEOPLE, ID, column("email"))))
    assert problem.what == "`email` (text) has no rule"
    assert problem.fix == (
        '[export.staging.tables."public.people".columns]',
        'email = { mask = "email" }',
    )


def test_an_unclassified_table_comes_with_all_its_lines() -> None:
    orders = table(ORDERS, ID, column("note"))
    (problem,) = check_policy(policy('id = "keep"'), schema(table(PEOPLE, ID), orders))
    assert problem.table == ORDERS
    assert problem.fix[1:] == ('id = "keep"', 'note = { mask = "text" }')


def test_lines_that_two_tables_lack_are_suggested_for_both() -> None:
    both = check_policy(policy(""), schema(table(PEOPLE, ID), table(ORDERS, ID)))
    assert suggested_lines(both) == [
        '[export.staging.tables."public.orders".columns]',
        'id = "keep"',
        '[export.staging.tables."public.people".columns]',
        'id = "keep"',
    ]


@pytest.mark.parametrize(
    ("rule", "kind", "problem"),
    [
        ('{ mask = "email" }', column("x", "jsonb"), "which `email` does not fit"),
        ('{ mask = "email" }', column("x", "character varying", length=5), "at most 5 characters"),
        ('"null"', column("x", not_null=True), "is NOT NULL"),
        ('{ fixed = "a" }', column("x", "integer"), "cannot be 'a'"),
        ("{ fixed = 1 }", column("x", "boolean"), "cannot be 1"),
        ('"keep"', column("x", generated=True), "is generated"),
    ],
)
def test_rules_that_do_not_fit_the_column(rule: str, kind: object, problem: str) -> None:
    (found,) = told(policy(f'id = "keep"\nx = {rule}'), schema(table(PEOPLE, ID, kind)))  # type: ignore[arg-type]
    assert problem in found


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ('{ mask = "name" }', False),
        ('{ fixed = "a" }', False),
        ('{ mask = "text" }', False),
        ('{ mask = "token" }', True),
        ('{ mask = "email" }', True),
        ('"keep"', True),
    ],
)
def test_only_masks_that_keep_values_apart_fit_a_unique_column(rule: str, allowed: bool) -> None:
    people = table(PEOPLE, ID, column("x"), unique="x")
    assert (told(policy(f'id = "keep"\nx = {rule}'), schema(people)) == []) is allowed


@pytest.mark.parametrize(
    ("parent", "child", "kind", "problem"),
    [
        ('"keep"', '"keep"', "bigint", ""),
        ('{ mask = "token" }', '{ mask = "token" }', "bigint", ""),
        ('{ mask = "token" }', '{ mask = "token", label = "token" }', "bigint", ""),
        ('"keep"', '"null"', "bigint", ""),
        ('{ mask = "token" }', '"keep"', "bigint", "different rules"),
        ('"keep"', '{ mask = "token" }', "bigint", "different rules"),
        ('{ mask = "token" }', '{ mask = "token", label = "a" }', "bigint", "different rules"),
        ('"keep"', "{ fixed = 1 }", "bigint", "cannot have a fixed value"),
        ('{ mask = "token" }', '{ mask = "token" }', "integer", "has another type"),
        ('"keep"', '"keep"', "integer", ""),
    ],
)
def test_both_sides_of_a_reference_are_masked_alike(parent: str, child: str, kind: str, problem: str) -> None:
    """A token is a permutation of its own type, so an integer and a bigint get different ones."""
    orders = table(ORDERS, ID, column("person", kind))
    database = schema(table(PEOPLE, ID), orders, references=(FK,))
    found = told(policy(f"id = {parent}", f'id = "keep"\nperson = {child}'), database)
    assert len(found) == bool(problem)
    assert problem in "".join(found)


def test_a_table_without_a_key_goes_whole_or_not_at_all() -> None:
    assert (
        "it has no key"
        in told(policy('x = "keep"'), schema(table(PEOPLE, column("x", "integer"), key="")))[0]
    )


def test_places_must_exist() -> None:
    more = (
        '[[export.staging.edges]]\nchild = "public.orders"\ncolumns = ["note"]\n'
        '[[export.staging.keys]]\nchild = "public.orders"\ncolumns = ["persn"]\nparent = "public.people"\n'
        'parent_columns = ["id"]\n'
    ).replace("[[", "[[", 1)
    text = policy('id = "keep"\nnam = "keep"', 'id = "keep"\nnote = "null"\nperson = "keep"', more)
    orders = table(ORDERS, ID, column("person", "bigint"), column("note"))
    found = "\n".join(told(text, schema(table(PEOPLE, ID), orders)))
    assert "there is no column `nam`" in found
    assert "(note), which is no foreign key" in found
    assert "a key names `persn`, which does not exist; did you mean `person`?" in found


def test_a_first_policy_fits_its_own_schema_and_keeps_nothing_personal() -> None:
    people = table(
        PEOPLE,
        ID,
        column("email", not_null=True),
        column("full_name"),
        column("notes"),
        column("photo", "bytea"),
        column("extra", "jsonb"),
        column('odd "name"', "text"),
        unique="email",
    )
    orders = table(ORDERS, ID, column("person", "bigint"))
    database = schema(people, orders, references=(FK,))
    found = parse_export_policies(first_policy(database, "staging", "prod")).exports["staging"]
    assert check_policy(found, database) == ()
    kept = {name for name, rule in found.tables[PEOPLE].columns.items() if rule.kind == "keep"}
    assert kept == {"id"}
