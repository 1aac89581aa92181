"""A person's own Terraform and the bot keep each other out, and each is told who the other is."""

from __future__ import annotations

from bot.playground.tour.laptop import VARIABLES, Laptop
from bot.playground.tour.production import applied, untouched
from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story


@chapter("laptop-lock", "Terraform on a laptop and the bot keep each other out", place=170)
def laptop_lock(story: Story) -> None:
    laptop = Laptop(story, "bob")
    try:
        with story.step("Ann's pull request is planned; Bob signs in to staging's state from his laptop"):
            page = story.propose("more-nodes")
            laptop.login()
            story.stands(page, "staging")
        _bob(story, page, laptop)
        _ann(story, page)
        _bob_again(story, page, laptop)
    finally:
        laptop.close()


def _bob(story: Story, page: PullPage, laptop: Laptop) -> None:
    with story.step("Bob applies main from his laptop; Terraform holds the state, and waits for his yes"):
        laptop.begin("apply", VARIABLES)
        laptop.asks()
        story.sees(
            "the status comment names him",
            lambda: "@bob" in page.row("staging")["State"],
            lambda: page.status,
        )

    with story.step("Ann's /apply is refused: by whom, why, and the way out"):
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        answer = story.sees("an answer", lambda: page.reply("staging is locked by"), lambda: page.replies)
        story.reads(answer, "@bob", "Terraform on a laptop", "/unlock staging")
        untouched(story, "staging")

    with story.step("Bob says yes: his is applied, and Terraform lets go of the state"):
        laptop.says_yes()
        story.reads(laptop.printed, "Apply complete! Resources: 3 added")
        _nodes(story, 2)
        story.sees(
            "the status comment does not name him any more",
            lambda: "@bob" not in page.row("staging")["State"],
            lambda: page.status,
        )


def _ann(story: Story, page: PullPage) -> None:
    with story.step("Ann's plan was of the state before; she plans anew, reads it, and hers goes"):
        story.reacts(page, story.say(page, "/plan staging"), "👍")
        story.reads(story.stands(page, "staging")["Plan"], "+0 ~1 -0")
        story.reacts(page, story.say(page, "/apply staging"), "🚀")
        applied(story, page, "staging")
        _nodes(story, 3)

    with story.step("The history has both: his without a run, hers with one"):
        story.reacts(page, story.say(page, "/history staging"), "👍")
        history = story.sees("an answer", lambda: page.reply("State versions of staging"))
        story.reads(history, "bob", "ann", page.head[:7])


def _bob_again(story: Story, page: PullPage, laptop: Laptop) -> None:
    with story.step("Now staging is claimed by her pull request: Bob may plan, and no more"):
        laptop.begin("plan", VARIABLES)
        story.reads(laptop.ended(), "0 to add, 1 to change, 0 to destroy")
        laptop.begin("apply", VARIABLES, "-auto-approve")
        story.reads(laptop.ended(ok=False), f"staging is locked by #{page.number}", "/unlock staging")
        _nodes(story, 3)

    with story.step("Ann lets go of staging, and his goes"):
        story.reacts(page, story.say(page, "/unlock staging"), "👍")
        laptop.begin("apply", VARIABLES, "-auto-approve")
        story.reads(laptop.ended(), "Apply complete")
        _nodes(story, 2)


def _nodes(story: Story, wanted: int) -> None:
    nodes = [one["nodes"] for one in story.world.clouds["staging"].things("cluster").values()]
    story.check(f"the cluster has {wanted} nodes", true=nodes == [wanted], seen=nodes)
