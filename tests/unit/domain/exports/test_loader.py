from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.exports import PATH, TableName, parse_export_policies, parse_table, written
from bot.domain.policy import PolicyError
from tests.unit.domain.exports.schemas import HEAD

TABLE = '[export.staging.tables."public.people".columns]\n'


def problems(text: str, environments: tuple[str, ...] | None = None) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as caught:
        parse_export_policies(text, PATH, environments)
    return caught.value.problems


def test_a_policy_is_read() -> None:
    text = (
        'migrations = ["db/*.sql"]\n'
        + HEAD.replace(
            'from = "prod"',
            'from = "prod"\nschedule = "0 3 * * 1"\nkeep = { count = 5 }\nlimits = { lag = "1m" }',
        )
        + 'where = "active"\npercent = 5\nseed = "a"\n'
        + TABLE
        + 'id = "keep"\nemail = { mask = "email", label = "login" }\nborn = { mask = "date_shift", within = 30 }\n'
        + 'note = "null"\nsource = { fixed = "export" }\n[data.test]\nexport = "staging"\nstack = "infra"\noutput = "url"\n'
    )
    found = parse_export_policies(text, environments=("test", "staging", "prod"))
    export = found.exports["staging"]
    assert (export.source, export.schedule, export.retention.count) == ("prod", "0 3 * * 1", 5)
    assert export.limits.lag == timedelta(minutes=1)
    assert (export.roots[0].where, export.roots[0].percent) == ("active", 5.0)
    rules = export.tables[TableName("public", "people")].columns
    assert {name: rule.kind for name, rule in rules.items()} == {
        "id": "keep",
        "email": "mask",
        "born": "mask",
        "note": "null",
        "source": "fixed",
    }
    assert (rules["email"].label, rules["born"].within, rules["source"].fixed) == ("login", 30, "export")
    assert found.previews["test"].export == "staging"
    assert found.migrations == ("db/*.sql",)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('email = { maks = "email" }', "line 6: unknown key `maks` in .*; did you mean `mask`"),
        ('email = { mask = "emial" }', 'line 6: .*must be "email".*; did you mean `email`'),
        ('email = "email"', r"line 6: `email` must be .*did you mean `\{ mask = \"email\" \}`"),
        ('email = "kep"', "did you mean `keep`"),
        ('born = { mask = "date_shift" }', r"has no `within` \(days\)"),
        ('email = { mask = "email", within = 3 }', "only works with the masks"),
        ('email = { label = "x", fixed = 1 }', "`label`, which only works with `mask`"),
        ('email = { mask = "email", fixed = 1 }', "exactly one of"),
        ("email = { fixed = inf }", "must be a string, a number"),
        ('email = { fixed = "a\\u0000b" }', "without NUL"),
    ],
)
def test_wrong_rules_are_told_with_their_line(lines: str, problem: str) -> None:
    (found,) = problems(f"{HEAD}{TABLE}{lines}\n")
    assert re.search(problem, found), found


def test_all_problems_are_told_at_once_with_the_lines_of_items() -> None:
    text = (
        'migratoins = []\n[export.staging]\nfrom = "prod"\n'
        '[[export.staging.roots]]\ntable = "public.people"\n'
        '[[export.staging.roots]]\ntable = "people"\n'
        f'{TABLE}id = "keep"\n'
    )
    first, second = problems(text)
    assert first.startswith(f"{PATH} line 1: unknown key `migratoins`; did you mean `migrations`?")
    assert second.startswith(f"{PATH} line 7: ")
    assert "must be a table with its schema" in second


def test_names_must_exist() -> None:
    rules = f'{TABLE}id = "keep"\n'
    assert "cannot export from itself" in problems(HEAD.replace('"prod"', '"staging"') + rules)[0]
    assert "no environment `prod`" in problems(HEAD + rules, ("staging", "production"))[0]
    data = '[data.test]\nexport = "stagin"\nstack = "infra"\noutput = "url"\n'
    assert "`stagin`, which has no" in problems(HEAD + rules + data)[0]
    wrong = HEAD + rules.replace("people", "peeple")
    assert "did you mean `public.peeple`" in problems(wrong)[0]


def test_a_table_is_there_once_however_it_is_written() -> None:
    twice = f'{HEAD}{TABLE}id = "keep"\n[export.staging.tables.\'"public"."people"\'.columns]\nid = "keep"\n'
    assert "is there twice" in problems(twice)[0]


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ('from = "prod"', 'from = "prod"\nschedule = "0 3 * * 1"', True),
        ('from = "prod"', 'from = "prod"\nkeep = { count = 9 }\nlimits = { sessions = 5 }', True),
        ('mask = "email"', 'mask = "email", label = "other"', False),
        ('id = "keep"', 'id = { mask = "token" }', False),
        ('from = "prod"', 'from = "canary"', False),
        ('table = "public.people"', 'table = "public.people"\npercent = 5', False),
        ('table = "public.people"', 'table = "public.people"\nwhere = "active"', False),
    ],
)
def test_the_digest_is_of_what_leaves_and_how_it_is_masked(before: str, after: str, same: bool) -> None:
    text = f'{HEAD}{TABLE}id = "keep"\nemail = {{ mask = "email" }}\n'
    assert before in text
    one, other = (
        parse_export_policies(each).exports["staging"].digest for each in (text, text.replace(before, after))
    )
    assert (one == other) is same


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=15))
@settings(max_examples=80, deadline=None)
def test_any_name_of_a_table_can_be_written(name: str) -> None:
    table = TableName(name, f"{name}x")
    assert parse_table(written(table)) == table


@given(st.text(max_size=300))
@settings(max_examples=80, deadline=None)
def test_nothing_but_policy_errors_is_raised(text: str) -> None:
    for one in (text, HEAD + TABLE + text):
        with suppress(PolicyError):
            parse_export_policies(one)


def test_names_of_columns_are_the_databases_own_whatever_they_are() -> None:
    text = HEAD + TABLE + r'"a\nb" = "keep"' + "\n"
    assert list(
        parse_export_policies(text).exports["staging"].tables[TableName("public", "people")].columns
    ) == ["a\nb"]
