from __future__ import annotations

from bot.domain.exports import Problem, PullCheck, TableName, UnreadStatement
from bot.render import surfaces as render
from tests.unit.render.facts import NASTY

PEOPLE = TableName("public", "people")
HEADER = '[export.staging.tables."public.people".columns]'


def test_the_lines_to_add_are_there_with_each_header_once() -> None:
    problems = tuple(
        Problem(PEOPLE, f"`{name}` (text) has no rule", (HEADER, f'{name} = {{ mask = "{mask}" }}'))
        for name, mask in (("email", "email"), ("phone", "phone"))
    )
    title, summary = render.export_check(PullCheck(problems=problems, files=1))
    assert title == "2 problems in envs/export.toml"
    assert summary.count(HEADER) == 1
    assert f'{HEADER}\nemail = {{ mask = "email" }}\nphone = {{ mask = "phone" }}' in summary


def test_what_was_not_read_is_named() -> None:
    unread = UnreadStatement("db/2.sql", 7, "create table t as select 1")
    title, summary = render.export_check(PullCheck(unread=(unread,), files=1))
    assert title == "1 statement to check by hand"
    assert "`db/2.sql:7` `create table t as select 1`" in summary


def test_a_good_pull_request() -> None:
    assert render.export_check(PullCheck(files=2))[0] == "Every new column has a rule"
    assert render.export_check(PullCheck())[0] == "envs/export.toml is valid"


def test_an_invalid_file_is_quoted_as_text() -> None:
    title, summary = render.export_check(PullCheck(invalid="envs/export.toml line 1: not valid TOML: ```x."))
    assert title == "envs/export.toml is not valid"
    assert "line 1: not valid TOML: '''x." in summary


def test_hostile_text_stays_text() -> None:
    one = UnreadStatement(NASTY, 1, NASTY)
    table = TableName("public", NASTY)
    _title, summary = render.export_check(PullCheck(problems=(Problem(table, "x"),), unread=(one,)))
    assert "](http" not in summary
    assert "\n@" not in summary
