"""Production takes only the latest release that staging has verified."""

from __future__ import annotations

from functools import partial

from bot.playground.tour.production_steps import (
    apply_to_staging,
    approve_by_review,
    check_no_servers,
    request_production,
    wait_for_decision,
    wait_until_applied,
)
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story


@chapter("promote", "a release verified on staging is promoted to production after an approval", order=60)
def promote(story: Story) -> None:
    with story.step(
        "Carol and Ann open pull requests; Ann requests production at once and is refused, with the next command"
    ):
        other = story.propose("more-nodes", author="carol")
        page = story.propose("bigger-web")
        story.wait_for_reactions(page, story.comment(page, "/apply prod"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("Nothing verified on"), lambda: page.replies)
        story.check_text(
            answer,
            "Nothing verified on staging yet",
            "/apply staging",
        )

    with story.step("A check shows what is missing, and GitHub can require it"):
        story.wait_for(
            "towpath/gate/prod requires action",
            lambda: page.check("gate/prod").conclusion == "action_required",
            lambda: page.check("gate/prod"),
        )
        story.check_text(page.check("gate/prod").title, "Nothing verified on staging yet")

    with story.step("Carol applies hers to staging, and its smoke check passes"):
        apply_to_staging(story, other)
        check_no_servers(story)

    _newest(story, page, other)
    _production(story, page)


def _newest(story: Story, page: PullPage, other: PullPage) -> None:
    with story.step("She releases the lock, and Ann applies hers, which takes a while to become healthy"):
        story.wait_for_reactions(other, story.comment(other, "/unlock staging", author="carol"), "👍")
        story.wait_for_reactions(page, story.comment(page, "/plan staging"), "👍")
        story.wait_for_plan(page, "staging")
        story.world.clouds["staging"].set_unhealthy("the database is starting")
        story.comment(page, "/apply staging")
        story.wait_for(
            "staging is being verified",
            lambda: "verifying" in page.row("staging")["State"],
            lambda: page.status,
        )
        story.world.clouds["staging"].set_unhealthy("")
        wait_until_applied(story, page, "staging")

    with story.step("Carol's can no longer be promoted: only the latest release on staging counts"):
        story.wait_for_reactions(other, story.comment(other, "/promote prod", author="carol"), "👎")
        answer = story.wait_for(
            "an answer", lambda: other.reply("only the latest release"), lambda: other.replies
        )
        story.check_text(
            answer,
            f"staging has {page.head[:7]} from #{page.number}, not {other.head[:7]}, the latest commit of #{other.number}",
            "/apply staging first: only the latest release on staging can be promoted",
        )
        check_no_servers(story)


def _production(story: Story, page: PullPage) -> None:
    with story.step("Ann's can: production is planned, and its code owner gets an approval request"):
        request_production(story, page, "/promote prod")
        answer = story.wait_for(
            "an answer", lambda: page.reply("requests approval to apply"), lambda: page.replies
        )
        story.check_text(answer, "1 smoke check", "bob, code owner of infra/servers.tf")
        check_no_servers(story)

    with story.step("Bob approves with a review of that commit on GitHub, and Ann is notified"):
        approve_by_review(story, page, "bob")
        answer = story.wait_for(
            "ann is notified", lambda: page.reply("the apply to prod is approved"), lambda: page.replies
        )
        story.check_text(answer, "ann", "/apply prod")
        check_no_servers(story)

    with story.step("She applies it after the soak time on staging"):
        story.wait_for(
            "prod is ready to apply",
            lambda: "soak" not in page.row("prod")["State"] and page.row("prod")["Next"] == "/apply prod",
            lambda: page.status,
        )
        story.wait_for_reactions(page, story.comment(page, "/apply prod"), "🚀")
        wait_until_applied(story, page)
        story.check(
            "web exists", true=set(story.resources("prod")) == {"prod-web"}, seen=story.resources("prod")
        )

    with story.step("Everyone sees who approved it, the deployments and the check"):
        story.check_text(page.status, "Approved by", "bob")
        wait_for_decision(story, page, "was approved", "@bob on GitHub", "applied")
        for environment in ("staging", "prod"):
            story.wait_for(
                f"one successful deployment to {environment}",
                partial(_succeeded, page, environment),
                partial(page.deployments, environment),
            )
        story.wait_for(
            "towpath/gate/prod succeeded",
            lambda: page.check("gate/prod").conclusion == "success",
            lambda: page.check("gate/prod"),
        )


def _succeeded(page: PullPage, environment: str) -> bool:
    """Whether there is exactly one deployment, and it succeeded."""
    states = [[state["state"] for state in one["states"]] for one in page.deployments(environment)]
    return [one[-1:] for one in states] == [["success"]]
