"""Approval in Slack: requested, reviewed, given, and applied automatically."""

from __future__ import annotations

import re

import httpx

from bot.domain.policy import PATH
from bot.playground import sample
from bot.playground.tour.production_steps import (
    SHORT_SOAK,
    apply_to_staging,
    change_policy,
    click,
    direct_request,
    plan_production,
    request_production,
    submit_modal,
    wait_for_decision,
    wait_for_modal,
    wait_until_applied,
)
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import modal_text, slack_text

OPEN = re.compile(r"promote_from = .*\nsoak = .*\napprovals = .*\n")
"""The sample's rules for production. The chapter starts without them, to have a server there to replace."""


@chapter("approve", "the code owner reviews the plan in Slack and approves it", order=70)
def approve(story: Story) -> None:
    with story.step("Ann applies a server to production before there are rules"):
        rules = OPEN.search(sample.files()[PATH].decode())
        change_policy(
            story, "no rules for production yet", (rules[0] if rules else "", "approvals = { count = 0 }\n")
        )
        page = story.propose("bigger-web")
        story.wait_for_plan(page, "staging")
        plan_production(story, page)
        story.wait_for_reactions(page, story.comment(page, "/apply prod"), "🚀")
        before = story.resources("prod")
        story.check("web exists", true=set(before) == {"prod-web"}, seen=before)

    with story.step("Rules are added; she pushes a change that replaces a server, and applies it to staging"):
        change_policy(story, "require promotion and approval", SHORT_SOAK)
        story.push(page, "new-image")
        apply_to_staging(story, page)

    with story.step(
        "She requests production, to be applied once approved: Bob gets an approval request in Slack"
    ):
        plan_production(story, page)
        posted = request_production(story, page, "/apply prod when-approved")
        text = slack_text(posted)
        story.check_text(
            text,
            f"ann requests approval to apply #{page.number} to prod",
            page.head[:7],
            "verified by 1 smoke check",
        )
        story.check_text(
            text, 'module.server["web"]', "@bob, code owner of `infra/servers.tf`", "applied automatically"
        )
        story.check("the replacement comes first", true=text.find("web") < text.find("Commit"), seen=text)

    _bob_approves(story, page)

    with story.step("It is applied automatically, and the server is replaced"):
        wait_until_applied(story, page)
        after = story.resources("prod")
        story.check("web was replaced", true=set(after) == {"prod-web"} and after != before, seen=after)

    with story.step("The buttons are gone everywhere, and everyone sees who approved it and when"):
        wait_for_decision(story, page, "was approved", "@bob in Slack", "applied")
        story.check_text(page.status, "Approved by", "bob in Slack")
        states = [one["state"] for one in page.deployments("prod")[-1]["states"]]
        story.check("the deployment has succeeded", true=states[-1] == "success", seen=states)

    _fetch_artifact(story)


def _bob_approves(story: Story, page: PullPage) -> None:
    with story.step("Bob also has it as a direct message, and opens the plan in a modal"):
        mine = direct_request(story, "bob")
        click(story, "bob", mine, "modal:plan")
        plan = wait_for_modal(story, "bob", "Plan for prod", page.head[:7])
        story.check_text(
            modal_text(plan), 'module.server["web"]', "debian-12", "debian-13", "forces replacement"
        )
        story.world.slack.dismiss("bob", plan.id)

    with story.step(
        "He approves; since a server is replaced, he must type the environment, and a wrong name does not count"
    ):
        click(story, "bob", mine, "modal:approve")
        form = wait_for_modal(story, "bob", "Approve prod", 'module.server["web"]')
        submit_modal(story, "bob", form, {"environment": "staging"})
        wait_for_modal(story, "bob", "✗")
        story.check("nothing was approved", true="nobody yet" in slack_text(direct_request(story, "bob")))
        submit_modal(story, "bob", form, {"environment": "prod"})
        story.check("the modal is closed", true=not story.world.slack.modals("bob"))


def _fetch_artifact(story: Story) -> None:
    with story.step("The kubeconfig artifact is for maintainers, so Ann, who has write, cannot get it"):
        story.check_text(
            story.slash("ann", "artifact prod kubeconfig"), "`maintain` role", "you have `write`"
        )

    with story.step("Bob gets a link that only he sees, and that works once"):
        story.slash("bob", "artifact prod kubeconfig")
        mine = story.world.slack.ephemerals("bob")[-1]
        found = re.search(r"http://[^|>\s]+/artifacts/[\w-]+", f"{mine.text} {mine.blocks}")
        story.check("a link", true=found is not None, seen=slack_text(mine))
        link = found[0] if found else ""
        with httpx.Client(trust_env=False, follow_redirects=True) as client:
            first, again = _fetch(client, link), _fetch(client, link)
        story.check_text(first, "kind: Config", "prod-main")
        story.check("it does not work a second time", true="kind: Config" not in again, seen=again)


def _fetch(client: httpx.Client, link: str) -> str:
    """Confirm the link's page and return what it serves. It asks first so that link previews don't use it up."""
    return client.post(link).text
