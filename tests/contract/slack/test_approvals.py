"""What asks for consent is taken as Slack takes it: the messages, and each modal, whatever is in the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.models.views import View

from bot.domain.chat import ApprovalRequest
from bot.domain.plans import AttributeChange, PlanSummary, ResourceChange
from bot.domain.target import Target
from bot.intake.clicks import ApprovalRef
from bot.playground.slack.validation import validated_blocks, validated_view
from bot.render import modals, surfaces
from tests.unit.render import approvals, facts

METADATA = ApprovalRef(approvals.approval().id, "d" * 16, channel="C0INFRA", thread="1.000001").metadata
TEXTS = {
    "nasty": facts.NASTY * 20,
    "backticks": "`" * 3_000,
    "entities": "&<>" * 2_000,
    "long": "x" * 60_000,
    "bidi": "\u202e" * 500,
}


def taken(view: dict[str, Any]) -> dict[str, Any]:
    """The view as Slack keeps it, checked by slack_sdk's model too."""
    View(**view).validate_json()
    assert all(len(str(block)) < 20_000 for block in view["blocks"])
    return validated_view(view, "modal")


def large(text: str = "", changes: int = 400) -> PlanSummary:
    return PlanSummary(
        destroy=changes,
        replace=changes,
        changes=tuple(
            ResourceChange(
                f"playground_server.web[{n}]{text[:800]}", "x", "replace", (AttributeChange("a", text, text),)
            )
            for n in range(changes)
        ),
        outputs=(AttributeChange("url", text, ""),),
    )


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_modal_is_taken(text: str) -> None:
    where = Target(facts.REPOSITORY, "s" + text[:60], "production-in-europe-" + text[:60])
    approval = approvals.approval(target=where, why=text, destroys=1)
    plan = facts.plan(where, large(text))
    read, pull = modals.PlanView.of(plan), replace(facts.PULL, title=text)
    taken(modals.approve(approval, read, METADATA))
    taken(modals.reject(approval, METADATA))
    for page in (-1, 1, 2, 10_000):
        taken(modals.plan_page(replace(approval, status="dead"), read, pull, page, METADATA))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_message_is_taken(text: str) -> None:
    about = approvals.approval(why=text, owners=({"paths": [text], "any_of": [f"@{text}"] * 50},) * 30)
    many = tuple(approvals.decision(f"u{n}{text[:30]}") for n in range(200))
    standing = replace(approvals.asking().state, approval=about, approved=many, void=many)
    missing = replace(standing.missing, owners=about.owners)
    for asked in (
        approvals.asking(state=replace(standing, missing=missing), pull=replace(facts.PULL, title=text)),
        approvals.asking(state=replace(standing, approval=replace(about, status="rejected"))),
        approvals.asking(plan=facts.plan(about.target, large(text))),
    ):
        validated_blocks(surfaces.approval(asked, "/infra")[1])
    validated_blocks(
        surfaces.follow_up(approvals.follow_up(reason=text, skipped=(text,)), "/infra", facts.PULL)[1]
    )


def test_the_pages_hold_the_whole_plan_once() -> None:
    summary = large(changes=2_000)
    plan = facts.plan(facts.target("prod"), summary)
    pages = modals.PlanView.of(plan).pages
    assert len(pages) > 1
    lines = [line for page in pages for text in page for line in text.split("\n")]
    assert lines == [*(line for change in summary.changes for line in change.lines), "output: + url = "]


def test_pages_are_turned_by_buttons() -> None:
    approval, plan = approvals.approval(), facts.plan(facts.target("prod"), large(changes=2_000))
    read = modals.PlanView.of(plan)
    most = len(read.pages)
    found = {}
    for page in (1, 2, most):
        view = taken(modals.plan_page(approval, read, facts.PULL, page, METADATA))
        assert f"Page {page} of {most}" in str(view["blocks"][0])
        found[page] = [element["text"]["text"] for element in view["blocks"][-1]["elements"]]
    assert found == {1: ["Next"], 2: ["Back", "Next"], most: ["Back"]}


def buttons(asking: ApprovalRequest) -> list[str]:
    kept = validated_blocks(surfaces.approval(asking, "/infra")[1])
    return [
        element["text"]["text"]
        for block in kept
        if block["type"] == "actions"
        for element in block["elements"]
    ]


@pytest.mark.parametrize("name", approvals.asked())
def test_buttons_are_there_while_it_is_open(name: str) -> None:
    asking = approvals.asked()[name]
    assert isinstance(asking, ApprovalRequest)
    decisions = ["Approve", "Reject", "View plan", "Full plan", "Open pull request"]
    assert buttons(asking) == (
        decisions if name in ("asking", "asking_ready", "asking_by_itself") else ["Open pull request"]
    )


def test_a_break_glass_is_acknowledged_once() -> None:
    before = surfaces.follow_up(approvals.follow_up(), "/infra", facts.PULL)
    after = surfaces.follow_up(
        approvals.follow_up(acknowledged_by="bob", acknowledged_at=facts.NOW), "/infra", facts.PULL
    )
    assert "FORCED" in before[0]
    assert "the site is down" in str(before[1])
    assert "'Acknowledge'" in str(before[1])
    assert "'Acknowledge'" not in str(after[1])
    assert "Acknowledged by @bob, 22 Nov 14:03 UTC" in str(after[1])
