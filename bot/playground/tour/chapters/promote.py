"""Production takes what staging has verified, and only the newest of it."""

from __future__ import annotations

from functools import partial

from bot.playground.tour.production import answered, applied, ask, reviews, staged, untouched
from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story


@chapter("promote", "production takes what staging has verified, and somebody else approves it", place=60)
def promote(story: Story) -> None:
    with story.step(
        "Carol and Ann propose something; Ann wants it in production at once: refused, with the way"
    ):
        other = story.propose("more-nodes", author="carol")
        page = story.propose("bigger-web")
        story.reacts(page, story.say(page, "/apply prod"), "👎")
        answer = story.sees("an answer", lambda: page.reply("prod takes"), lambda: page.replies)
        story.reads(
            answer,
            "prod takes what staging has verified, and nothing was applied there yet",
            "/apply staging",
        )

    with story.step("A check says why it may not go there yet, fit to be required by GitHub"):
        story.sees(
            "towpath/gate/prod wants something done",
            lambda: page.check("gate/prod").get("conclusion") == "action_required",
            lambda: page.check("gate/prod"),
        )
        story.reads(page.check("gate/prod")["title"], "nothing was applied there yet")

    with story.step("Carol applies hers to staging; its smoke check passes"):
        staged(story, other)
        untouched(story)

    _newest(story, page, other)
    _production(story, page)


def _newest(story: Story, page: PullPage, other: PullPage) -> None:
    with story.step("She lets go of staging, and Ann applies hers there; it takes a while to become healthy"):
        story.reacts(other, story.say(other, "/unlock staging", author="carol"), "👍")
        story.reacts(page, story.say(page, "/plan staging"), "👍")
        story.stands(page, "staging")
        story.world.clouds["staging"].sicken("the database is starting")
        story.say(page, "/apply staging")
        story.sees(
            "staging is being verified",
            lambda: "verifying" in page.row("staging")["State"],
            lambda: page.status,
        )
        story.world.clouds["staging"].sicken("")
        applied(story, page, "staging")

    with story.step("Carol's may not go to production any more: only the newest release of staging counts"):
        story.reacts(other, story.say(other, "/promote prod", author="carol"), "👎")
        answer = story.sees(
            "an answer", lambda: other.reply("only the newest release"), lambda: other.replies
        )
        story.reads(
            answer,
            f"staging has {page.head[:7]} of #{page.number}, and #{other.number} is at {other.head[:7]}",
            "/apply staging first: only the newest release of staging counts",
        )
        untouched(story)


def _production(story: Story, page: PullPage) -> None:
    with story.step("Ann's may: production is planned, and its code owner is asked"):
        ask(story, page, "/promote prod")
        answer = story.sees("an answer", lambda: page.reply("asks to apply"), lambda: page.replies)
        story.reads(answer, "1 smoke check", "bob (code owner of infra/servers.tf)")
        untouched(story)

    with story.step("Bob approves on GitHub, by a review of that commit; Ann is told that it is ready"):
        reviews(story, page, "bob")
        answer = story.sees(
            "ann is told", lambda: page.reply("the apply to prod is approved"), lambda: page.replies
        )
        story.reads(answer, "ann", "/apply prod")
        untouched(story)

    with story.step("She applies it once it has stood on staging for its soak time"):
        story.sees(
            "nothing holds it any more",
            lambda: "soak" not in page.row("prod")["State"] and page.row("prod")["Next"] == "/apply prod",
            lambda: page.status,
        )
        story.reacts(page, story.say(page, "/apply prod"), "🚀")
        applied(story, page)
        story.check("web is there", true=set(story.things("prod")) == {"prod-web"}, seen=story.things("prod"))

    with story.step("Everybody can look: who approved, the deployments, the check"):
        story.reads(page.status, "Approved by", "bob")
        answered(story, page, "was approved", "@bob on GitHub", "applied")
        for environment in ("staging", "prod"):
            story.sees(
                f"one deployment to {environment}, with success",
                partial(_succeeded, page, environment),
                partial(page.deployments, environment),
            )
        story.sees(
            "towpath/gate/prod succeeded",
            lambda: page.check("gate/prod").get("conclusion") == "success",
            lambda: page.check("gate/prod"),
        )


def _succeeded(page: PullPage, environment: str) -> bool:
    """Whether there is one deployment there, and its last word is success."""
    states = [[state["state"] for state in one["states"]] for one in page.deployments(environment)]
    return [one[-1:] for one in states] == [["success"]]
