from __future__ import annotations

import pytest

from bot.domain.exports.predicates import columns_of, problem_of


@pytest.mark.parametrize(
    ("where", "columns"),
    [
        ("created_at > now() - interval '90 days'", ("created_at",)),
        ("status = any(array['a', 'b']) and not deleted", ("status", "deleted")),
        ("date_trunc('day', At)::date >= current_date - 3", ("at",)),
        ("extract(year from born) = 1990 or age(born) < interval '1 year'", ("born",)),
        ("\"Plan\" in ('a', 'b') and id between 1 and 5", ("Plan", "id")),
        ("coalesce(lower(name), '') like 'a%' and id % 10 = 0", ("name", "id")),
        ("data->>'plan' = 'pro' and x::varchar(3) = 'it''s'", ("data", "x")),
        ("active", ("active",)),
        ("true", ()),
    ],
)
def test_conditions(where: str, columns: tuple[str, ...]) -> None:
    assert problem_of(where) == ""
    assert sorted(columns_of(where)) == sorted(columns)


@pytest.mark.parametrize(
    "where",
    [
        "id = 1; drop table people",
        "id = 1 -- and more",
        "id = 1 /* more */",
        "id in (select id from secrets)",
        "exists (select 1)",
        "id = 1 union select 1",
        "true) or (true",
        "pg_sleep(1) is null",
        "lo_import('/etc/passwd') = 1",
        "public.lower(name) = 'a'",
        "nvl(name, 'a') = 'a'",
        "len(name) = 1",
        "people.id = 1",
        "id::regclass = 1",
        "id::app.kind = 1",
        "name = $$a$$",
        "name = E'a'",
        "name = U&'a'",
        "name = 'a\\b'",
        "id operator(app.=) 1",
        "id = :value",
        "id = %s",
        "count(*) > 1",
        "id + 1",
        "1",
        "*",
        "id = 1 as b",
        "((((",
        "(" * 3000,
        "",
    ],
)
def test_anything_else_is_refused(where: str) -> None:
    assert problem_of(where)
