"""Sizes and harmlessness, whatever comes in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.domain.approvals import ApprovalState, Missing
from bot.domain.chat import Drifted, Locked, Notice, Status
from bot.domain.plans import AttributeChange, PlanSummary, ResourceChange
from bot.domain.refusal import Refused
from bot.render import surfaces
from bot.render.command_style import CommandStyle
from bot.render.reply import in_slack, in_terminal, on_github
from tests.unit.render import approvals, drifts, facts, failures, samples
from tests.unit.render.limits import assert_harmless, assert_slack_takes

SLACK = CommandStyle("/infra", 12, facts.REPOSITORY)


@pytest.mark.parametrize(
    "text",
    [
        facts.NASTY * 200,
        "x" * 60_000,
        "`" * 60_000,
        "&<>" * 20_000,
        "<!--" * 15_000,
        "é" * 60_000,
        "|\n" * 30_000,
    ],
    ids=["nasty", "long", "backticks", "entities", "markers", "bytes", "lines"],
)
def test_a_hundred_environments_and_five_thousand_changes_fit(text: str) -> None:
    status = samples.hostile(text)
    body = surfaces.comment(status)
    assert len(body) <= 65_000
    assert_harmless(body)
    assert body.count("<details>") == 5
    for row in status.targets[:5]:
        assert f"**{row.target}**" in body
    assert_slack_takes(*surfaces.card(status, "/infra"))
    assert_slack_takes(*in_slack(status, SLACK))
    row = status.targets[0]
    content = PlanSummary.from_dict(row.plan.summary) if row.plan else None
    title, summary, plan = surfaces.check(row, content, status=status, log=[text] * 50)
    assert 0 < len(title) <= 255
    assert "\n" not in title
    assert max(len(summary.encode()), len(plan.encode())) <= 65_535
    assert "changed lines): see the log" in plan
    assert_harmless(summary)
    assert_harmless(plan)


@pytest.mark.parametrize("text", [facts.NASTY * 50, "x" * 60_000, "`" * 60_000])
def test_a_thousand_drifts_fit(text: str) -> None:
    found = drifts.drift(text, 1_000)
    answer = Drifted(found, (found,) * 5, "https://towpath.example.com/runs/r")
    body = on_github(answer)
    assert len(body) <= 65_000
    assert_harmless(body)
    assert "1,001 resources changed outside Terraform" in body
    assert_slack_takes(*in_slack(answer, SLACK))
    assert_slack_takes(*surfaces.drift(found, "/infra", "https://towpath.example.com/runs/r"))


def test_what_is_left_out_is_counted() -> None:
    changes = tuple(ResourceChange(f"x.y[{n}]", "x", "delete") for n in range(5_000))
    where = facts.target("prod")
    plan = facts.plan(where, PlanSummary(destroy=5_000, changes=changes))
    row = replace(samples.status().targets[3], plan=plan)
    body = surfaces.comment(Status(facts.REPOSITORY, (row,), facts.PULL, (), facts.NOW))
    assert "… 4,800 more changes: see the check" in body
    named = sum(f"`y[{n}]`" in body for n in range(5_000))
    assert f"- … {5_000 - named:,} more resources" in body if named < 5_000 else "more resources" not in body
    assert named > 2_000


def test_one_large_change_loses_lines_and_not_its_name() -> None:
    large = ResourceChange(
        "x.large", "x", "create", tuple(AttributeChange(f"a{n}", "", "1") for n in range(900))
    )
    _, _, text = surfaces.check(samples.status().targets[3], PlanSummary(add=1, changes=(large,)))
    assert "+ x.large" in text
    assert "more changed lines" in text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.sampled_from(
            [
                "`",
                "``",
                "```",
                "<",
                ">",
                "&",
                "|",
                "*",
                "_",
                "[x](https://evil.example.com)",
                "![",
                "](",
                "@ann",
                "#7",
                "<!--",
                "-->",
                "\n",
                "/merge",
                "- ",
                "1. ",
                "# ",
                "~~~",
                "<@U0BAD>",
                "<!here>",
                "\\",
                "$",
                " ",
                "a",
                "\x1b[2J",
                "\u202e",
                "https://evil.example.com",
                "&lt;",
            ]
        ),
        max_size=25,
    ).map("".join)
)
@example("`````")
def test_nothing_from_outside_is_obeyed(text: str) -> None:
    where = facts.target("prod")
    lock = facts.lock(where, 0, text)
    summary = PlanSummary(
        add=1,
        destroy=1,
        replace=1,
        changes=(ResourceChange(text, "x", "replace", (AttributeChange(text, text, text, True),)),),
    )
    row = replace(samples.status().targets[3], plan=facts.plan(where, summary), lock=lock)
    failed = facts.run(where, kind="apply", outcome="failed", message=f"Error\n{text}", plan_id="other")
    pull = replace(facts.PULL, title=text)
    status = Status(facts.REPOSITORY, (row, replace(row, run=failed)), pull, (), facts.NOW)
    for body in (
        surfaces.comment(status),
        on_github(Locked(lock)),
        *surfaces.check(row, summary, log=[text])[1:],
    ):
        assert_harmless(body)
    assert_slack_takes(*surfaces.card(status, "/infra"))
    assert_slack_takes(*in_slack(Locked(lock), SLACK))
    assert_slack_takes(*surfaces.run_finished(failed, facts.plan(where, summary), "/infra", log=[text]))
    shown = in_terminal(status)
    assert all(char.isprintable() or char == "\n" for char in shown)


@pytest.mark.parametrize(
    "result", [Refused("x", "f" * 60_000, "n" * 60_000), Notice("\n".join(["line"] * 20_000))]
)
def test_long_answers_are_cut(result: Refused | Notice) -> None:
    assert len(on_github(result)) <= 65_000
    assert_slack_takes(*in_slack(result, SLACK))


def test_commands_are_called_as_the_place_calls_them() -> None:
    result = Refused("no-plan", "There is no plan for `prod` yet.", "`/plan prod`")
    assert "`/plan prod`" in on_github(result)
    assert "`/infra plan prod #12`" in str(in_slack(result, SLACK))
    assert "`/infra plan prod`" in str(in_slack(result, CommandStyle("/infra")))
    assert "`/etc/passwd`" in str(in_slack(Notice("See `/etc/passwd`."), SLACK))
    assert "`/infra plan prod acme/infra#9`" in str(in_slack(Notice("`/plan prod acme/infra#9`"), SLACK))


@pytest.mark.parametrize(
    "text", [facts.NASTY * 200, "x" * 60_000, "`" * 60_000, "&<>" * 20_000, "|\n" * 30_000]
)
def test_what_people_say_of_a_guarded_environment_stays_harmless(text: str) -> None:
    """Reasons, owners' patterns and facts, in the comment, the card, and the answer to `/approve`."""
    owners = ({"paths": [text], "any_of": [f"@{text}"] * 40},) * 20
    ended = approvals.approval("rejected", why=text, owners=owners)
    lacking = ApprovalState(approvals.approval(owners=owners), missing=Missing(2, (text,), owners))
    rows = [
        replace(
            row, follow_ups=(approvals.follow_up(reason=text),) * 9, blocked=blocked, approval_state=state
        )
        for row in approvals.guarded().targets
        for blocked in (Refused("unapproved", text), Refused("unpromoted", text))
        for state in (lacking, ApprovalState(ended), None)
    ]
    status = replace(approvals.guarded(), targets=tuple(rows))
    body = surfaces.comment(status)
    assert len(body) <= 65_000
    assert_harmless(body)
    assert_slack_takes(*surfaces.card(status, "/infra"))
    asked = approvals.asking(state=lacking)
    for asking in (
        asked,
        replace(asked, state=ApprovalState(ended)),
        replace(asked, pull=replace(facts.PULL, title=text)),
    ):
        assert_harmless(on_github(asking))
        assert_slack_takes(*surfaces.approval(asking, "/infra"))
        assert_slack_takes(*in_slack(asking, SLACK))
    assert_slack_takes(
        *surfaces.follow_up(approvals.follow_up(reason=text, skipped=(text,)), "/infra", facts.PULL)
    )


@pytest.mark.parametrize("text", [facts.NASTY * 50, "x" * 60_000, "`" * 60_000, "\n" * 5_000, "é" * 60_000])
def test_whatever_a_log_has_its_explanation_fits(text: str) -> None:
    one = failures.why(text)
    several = replace(one, jobs=one.jobs * 3)
    body = on_github(several)
    assert len(body) <= 65_000
    assert_harmless(body)
    assert "Next:" in body
    assert_slack_takes(*in_slack(several, SLACK))
    in_terminal(several)
