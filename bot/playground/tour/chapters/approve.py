"""Consent in Slack: asked, read, given, and applied by itself."""

from __future__ import annotations

import re

import httpx

from bot.domain.policy import PATH
from bot.playground import sample
from bot.playground.tour.production import (
    SOAK,
    answered,
    applied,
    ask,
    click,
    direct,
    modal,
    rule,
    staged,
    submit,
)
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import modal_text, slack_text
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

OPEN = re.compile(r"promote_from = .*\nsoak = .*\napprovals = .*\n")
"""The sample's rules for production: without them the story begins with something that is there already."""


@chapter("approve", "the code owner is asked in Slack, reads the plan, and approves with a click", place=70)
def approve(story: Story) -> None:
    with story.step("Before there were rules, Ann brought her servers to production"):
        rules = OPEN.search(sample.files()[PATH].decode())
        rule(story, "no rules yet", (rules[0] if rules else "", "approvals = { count = 0 }\n"))
        page = story.propose("bigger-web")
        story.stands(page, "staging")
        story.reacts(page, story.say(page, "/plan prod"), "👍")
        story.reacts(page, story.say(page, "/apply prod"), "🚀")
        before = story.things("prod")
        story.check("web is there", true=set(before) == {"prod-web"}, seen=before)

    with story.step("Now there are some; she pushes what replaces a server, and it is on staging"):
        rule(story, "production is promoted and approved", SOAK)
        story.push(page, "new-image")
        staged(story, page)

    with story.step(
        "She asks for production, to be applied as soon as it is approved: Bob is asked in Slack"
    ):
        story.reacts(page, story.say(page, "/plan prod"), "👍")
        posted = ask(story, page, "/apply prod when-approved")
        text = slack_text(posted)
        story.reads(text, "ann asks to apply", "prod", page.head[:7], "verified by 1 smoke check")
        story.reads(
            text, 'module.server["web"]', "@bob (code owner of `infra/servers.tf`)", "applied by itself"
        )
        story.check("what is replaced comes first", true=text.find("web") < text.find("Commit"), seen=text)

    _approves(story, page)

    with story.step("It is applied by itself: the server is another one"):
        applied(story, page)
        after = story.things("prod")
        story.check("web was replaced", true=set(after) == {"prod-web"} and after != before, seen=after)

    with story.step("The buttons are gone everywhere, and everybody reads who approved and when"):
        answered(story, page, "was approved", "@bob in Slack", "applied")
        story.reads(page.status, "Approved by", "bob in Slack")
        states = [one["state"] for one in page.deployments("prod")[-1]["states"]]
        story.check("the deployment has succeeded", true=states[-1] == "success", seen=states)

    _artifact(story)


def _approves(story: Story, page: PullPage) -> None:
    with story.step("Bob has it directly, too; he looks at the plan in a window"):
        mine = direct(story, "bob")
        click(story, "bob", mine, "modal:plan")
        seen = modal(story, "bob", "Plan for prod", page.head[:7])
        story.reads(modal_text(seen), 'module.server["web"]', "debian-12", "debian-13", "forces replacement")
        story.world.slack.dismiss("bob", seen.id)

    with story.step("He approves; since a server is replaced he must type where: a wrong name is no consent"):
        click(story, "bob", mine, "modal:approve")
        asks = modal(story, "bob", "Approve prod", 'module.server["web"]')
        submit(story, "bob", asks, {"environment": "staging"})
        modal(story, "bob", "✗")
        story.check("nothing was approved", true="nobody yet" in slack_text(direct(story, "bob")))
        submit(story, "bob", asks, {"environment": "prod"})
        story.check("the window is closed", true=not story.world.slack.modals("bob"))


def _artifact(story: Story) -> None:
    with story.step("The kubeconfig that it left is for maintainers: not for Ann, who only writes"):
        story.reads(story.slash("ann", "artifact prod kubeconfig"), "maintain", "you have write")

    with story.step("Bob gets a link that only he sees; it works once"):
        story.slash("bob", "artifact prod kubeconfig")
        mine = story.world.slack.ephemerals("bob")[-1]
        found = re.search(r"http://[^|>\s]+/artifacts/[\w-]+", f"{mine.text} {mine.blocks}")
        story.check("a link", true=found is not None, seen=slack_text(mine))
        link = found[0] if found else ""
        with httpx.Client(trust_env=False, follow_redirects=True) as client:
            first, again = _fetch(client, link), _fetch(client, link)
        story.reads(first, "kind: Config", "prod-main")
        story.check("not a second time", true="kind: Config" not in again, seen=again)


def _fetch(client: httpx.Client, link: str) -> str:
    """What the link's page gives: it asks first, so that no preview uses it up."""
    return client.post(link).text
